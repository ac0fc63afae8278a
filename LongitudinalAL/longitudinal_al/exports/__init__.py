"""A project's labels, predictions and model for other programs; no patient's name but the user's own ids."""
