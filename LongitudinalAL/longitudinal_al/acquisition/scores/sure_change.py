"""How much change is predicted, set against how much of the slice pair is in doubt."""

from __future__ import annotations

import torch

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy


def sure_change(predictions: Predictions) -> torch.Tensor:
    """Return the sum of p over one pixel and the sum of H(p), both in the foreground: (n,), 0 or more.

    The expected changed pixels by the nats of doubt: a lesion with a clear edge has many of the first and few
    of the second, haze over an artefact has both. O(1) a pixel. Use it with few labels, as what the network
    is most likely right about: see docs/decisions/recipe.md.
    """
    if not len(predictions):
        return predictions.members.new_zeros(0)
    mean = predictions.mean().masked_fill_(~predictions.foreground, 0.0)
    doubt = binary_entropy(mean).sum(dim=(1, 2)).add_(1.0)
    return mean.sum(dim=(1, 2)).div_(doubt).nan_to_num_(nan=UNUSABLE)
