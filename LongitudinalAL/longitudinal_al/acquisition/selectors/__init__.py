"""Selectors: from scores and features to a batch of slice pairs."""
