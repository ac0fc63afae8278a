"""Architecture, training and prediction."""
