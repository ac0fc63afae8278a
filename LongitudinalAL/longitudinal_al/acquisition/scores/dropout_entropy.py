"""Entropy of the mean over passes with dropout."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.members import need_several
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def dropout_entropy(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return H(mean over dropout passes of p), best patch: (n,) in [0, log 2].

    The formula is that of ``entropy``; what differs is where the members come from: one network asked several
    times with dropout on. O(1) a pixel and pass. Use it where there is time to train one network alone.
    Paper: Gal and Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016. As published in LMI-AL it was
    -p log p, summed over the slice.

    Raises
    ------
    NotReady
        There is one pass only.
    """
    need_several(predictions, "dropout_entropy")
    return aggregate(binary_entropy(predictions.mean()), predictions.foreground, aggregation)
