"""Margin between change and no change."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import aggregate


def margin(predictions: Predictions, aggregation: str = "top_k") -> torch.Tensor:
    """Return 1 - |2p - 1| of the mean prediction, the 64 largest pixels: (n,) in [0, 1].

    The margin |p - (1 - p)| is minimised, so the score is 1 minus it. Pixel by pixel that is twice the least
    confidence: with the same aggregation the two would rank alike. Here the margin is averaged over the
    smallest margins wherever they lie, and least confidence over the best patch, so the two ask different
    things. O(1) a pixel. Use it where uncertainty that is scattered over a slice should count too. Paper:
    Scheffer, Decomain and Wrobel, "Active hidden Markov models", IDA 2001. As published in LMI-AL it was
    sorted across samples and returned the last unlabelled slices.
    """
    close = predictions.mean().mul_(2.0).sub_(1.0).abs_().neg_().add_(1.0)
    return aggregate(close, predictions.foreground, aggregation)
