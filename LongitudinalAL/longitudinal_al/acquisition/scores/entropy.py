"""Entropy of the prediction."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def entropy(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return the binary entropy H(p) of the mean prediction, in nats, best patch: (n,) in [0, log 2].

    O(1) a pixel. Use it as the plain query by uncertainty, from a few dozen labels on. Paper: Shannon 1948;
    as a query, Settles, "Active Learning Literature Survey", 2009. As published in LMI-AL it was -p log p
    summed over the slice, so faint haze outweighed a lesion.
    """
    return aggregate(binary_entropy(predictions.mean()), predictions.foreground, aggregation)
