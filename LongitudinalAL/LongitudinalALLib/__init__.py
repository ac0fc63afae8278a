"""The Slicer side: what is shown, what it does, and how it reaches the worker."""
