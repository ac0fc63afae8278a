"""Uncertainty of what is predicted to have changed: entropy weighed by the probability of change."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def change_entropy(predictions: Predictions, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return p * H(p) of the mean prediction, best patch: (n,) in [0, 0.43].

    The class-stratified score of ClaSP PE, p_c * H, for the one class there is: change. Plain entropy is the
    same for p and 1 - p; this is largest at p = 0.70 and so prefers what the network leans to call change.
    O(1) a pixel. Paper: Lüth, Traub et al., "Finally outshining the random baseline", TMLR 2026 (arXiv
    2601.13677).
    """
    mean = predictions.mean()
    return aggregate(binary_entropy(mean).mul_(mean), predictions.foreground, aggregation)
