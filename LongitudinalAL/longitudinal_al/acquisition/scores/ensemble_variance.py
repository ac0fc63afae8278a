"""Deep ensemble: how far apart the probabilities of several networks lie."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.members import need_several


def ensemble_variance(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return the variance over the members, mean of (p_k - mean p)^2, best patch: (n,) in [0, 0.25].

    The variance, not the other usual number of a deep ensemble, the predictive entropy H(mean p): that is
    what ``entropy`` gives when it is handed an ensemble, and it is high also where all members agree to be
    unsure. O(K) a pixel; K trainings a round. Use it when K trainings are affordable. Papers:
    Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017 (arXiv 1612.01474); as a query: Beluch et al., "The
    power of ensembles for active learning in image classification", CVPR 2018.

    Raises
    ------
    NotReady
        There is one member only.
    """
    need_several(predictions, "ensemble_variance")
    return aggregate(variance(predictions.members), predictions.foreground, aggregation)


def variance(members: Sequence[torch.Tensor] | torch.Tensor) -> torch.Tensor:
    """Return the variance of probabilities over members, float32, a member at a time; NaN stays."""
    mean = torch.zeros_like(members[0], dtype=torch.float32)
    for member in members:
        mean.add_(member.float().clamp(0.0, 1.0), alpha=1.0 / len(members))
    total = torch.zeros_like(mean)
    for member in members:
        away = member.float().clamp(0.0, 1.0).sub_(mean)
        total.addcmul_(away, away, value=1.0 / len(members))
    return total
