"""Test-time augmentation: whether the answer changes when the input changes in a way that means nothing."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.ensemble_variance import variance


def augmentation_variance(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return the variance of p over flips and +-1 pixel of misregistration, best patch: (n,) in [0, 0.25].

    The prediction itself counts as one of the variants. The misregistration is the change of input that fits
    this task: a network that calls a shifted edge a lesion gives itself away. One more pass of the network a
    variant. Use it where registration is doubtful. Paper: Gaillochet, Desrosiers and Lombaert, "TAAL:
    test-time augmentation for active learning in medical image segmentation", DALI 2022 (arXiv 2301.06624),
    which takes the Jensen-Shannon divergence between the variants; the variance costs less.

    Raises
    ------
    NotReady
        The slice pairs were not predicted under changes of the input.
    """
    variants = predictions.needed("variants", "augmentation_variance")
    return aggregate(variance([predictions.mean(), *variants]), predictions.foreground, aggregation)
