"""Scores: from predictions to one number a slice pair, higher means more informative."""
