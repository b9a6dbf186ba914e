"""What a machine's score would find: known changes in normal recordings."""
