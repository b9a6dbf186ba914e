"""A model behind HTTP: recordings posted, scores and decisions back."""
