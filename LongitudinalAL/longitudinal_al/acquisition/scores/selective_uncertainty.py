"""Selective uncertainty: doubt counts where change is likely, and nowhere else."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import aggregate
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy

NEAR_THE_BOUNDARY = 0.25
"""A pixel with |p - 0.5| of at most this lies near the decision boundary."""


def selective_uncertainty(predictions: Predictions, aggregation: str = "top_k") -> torch.Tensor:
    """Return H(p) over the selected pixels only, the 64 largest: (n,) in [0, log 2].

    Selected are the target area (p > 0.5) and what lies near the decision boundary (|p - 0.5| <= 0.25), with
    one class together p >= 0.25; all others count as 0, so doubt that is spread thinly over the slice weighs
    nothing at all. O(1) a pixel. Use it when ``entropy`` asks for slices without any change. Paper: Ma, Wu,
    Lawlor and Dong, "Breaking the barrier: selective uncertainty-based active learning for medical image
    segmentation", ICASSP 2024 (arXiv 2401.16298); the two thresholds are ours.
    """
    mean = predictions.mean()
    uncertain = binary_entropy(mean).mul_(~(mean < 0.5 - NEAR_THE_BOUNDARY))
    return aggregate(uncertain, predictions.foreground, aggregation)
