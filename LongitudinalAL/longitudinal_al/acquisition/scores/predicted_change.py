"""How much change is predicted."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.predictions import Predictions


def predicted_change(predictions: Predictions) -> torch.Tensor:
    """Return the expected number of changed pixels: the sum of p over the foreground, (n,), 0 or more.

    What a labelling takes depends on it; as a measure of information it would let haze win.
    """
    if not len(predictions):
        return predictions.members.new_zeros(0)
    mean = predictions.mean().masked_fill_(~predictions.foreground, 0.0)
    return mean.sum(dim=(1, 2)).nan_to_num_(nan=UNUSABLE)
