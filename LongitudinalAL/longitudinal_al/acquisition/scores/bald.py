"""BALD: how much the members of an ensemble disagree."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.members import need_several
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def bald(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return H(mean of p_k) - mean of H(p_k) over members or dropout passes, best patch: (n,) in [0, log 2].

    The mutual information between the prediction and the model: 0 where all members agree, however unsure
    they are. O(1) a pixel and member. Use it where what is unclear in itself, such as outlines, fills the
    batches of ``entropy``. Paper: Houlsby et al., "Bayesian Active Learning for Classification and Preference
    Learning", 2011; Gal, Islam and Ghahramani, ICML 2017. As published in LMI-AL the network had no dropout,
    so the score was 0 everywhere.

    Raises
    ------
    NotReady
        There is one member only.
    """
    need_several(predictions, "bald")
    information = binary_entropy(predictions.mean())
    share = 1.0 / predictions.members.shape[0]
    for member in predictions.members:
        information.sub_(binary_entropy(member.float().clamp(0.0, 1.0)), alpha=share)
    return aggregate(information.clamp_min_(0.0), predictions.foreground, aggregation)
