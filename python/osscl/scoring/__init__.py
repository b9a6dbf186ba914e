"""The score: its rule, and recordings and arrays scored in order."""
