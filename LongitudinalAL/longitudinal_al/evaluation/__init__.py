"""Measures of agreement with a reference, and the simulated annotator."""
