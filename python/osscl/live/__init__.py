"""Sound as it comes: files that appear in a folder, scored once they are whole, and told of."""
