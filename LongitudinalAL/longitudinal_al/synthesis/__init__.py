"""Synthetic cohorts: believable longitudinal FLAIR-like scans with a known truth."""
