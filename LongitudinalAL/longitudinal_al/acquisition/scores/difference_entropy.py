"""Entropy of the prediction where the two scans differ."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy

FULL_WEIGHT_Z = 8.0
"""|z| at which the weight is 1: twice the threshold at which a difference counts as one."""


def difference_entropy(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return H(p) weighted by min(|z| / 8, 1) of the difference image, best patch: (n,) in [0, log 2].

    O(1) a pixel. Use it where the registration and the protocol are good, so that a change shows in the
    difference. Paper: LMI-AL, IJCNN 2025 (arXiv 2511.18007). The weight has one fixed scale, not each slice's
    own maximum: scaled by its own maximum, a slice of pure noise gets the weight of a lesion. As published
    the entropy was -p log p, summed over the slice.
    """
    weight = predictions.difference.float().abs().div_(FULL_WEIGHT_Z).clamp_(max=1.0)
    return aggregate(binary_entropy(predictions.mean()).mul_(weight), predictions.foreground, aggregation)
