"""Least confidence of the prediction."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate


def least_confidence(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return 0.5 - |p - 0.5| = 1 - max(p, 1 - p) of the mean prediction, best patch: (n,) in [0, 0.5].

    O(1) a pixel. Use it to compare with published results; with one class it ranks nearly as ``entropy``.
    Paper: Lewis and Gale, "A sequential algorithm for training text classifiers", SIGIR 1994. As published
    in LMI-AL it was the lowest sum of p, which asks for the emptiest slices.
    """
    unsure = predictions.mean().sub_(0.5).abs_().neg_().add_(0.5)
    return aggregate(unsure, predictions.foreground, aggregation)
