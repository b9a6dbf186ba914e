"""The page that people open: a table of scores as one HTML file that asks nobody for anything."""
