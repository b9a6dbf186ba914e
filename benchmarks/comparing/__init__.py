"""What compare.py runs side by side, and what it measures them by."""
