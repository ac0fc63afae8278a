"""What the worker does by itself: learn from new labels, rank anew, check what it has learned."""
