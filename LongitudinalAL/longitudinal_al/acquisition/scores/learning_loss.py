"""Learning loss: the network's own guess of how wrong it is."""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.predictions import Predictions


def learning_loss(predictions: Predictions) -> torch.Tensor:
    """Return the loss that the network predicts for itself, made positive: (n,), above 0.

    A small head reads the network's levels and learns, beside the segmentation, which of two examples has the
    larger loss; only the order means something, so the number passes through log(1 + e^x), which keeps the
    order and stays above the score of what is unusable. No further pass. Use it when the network is trained
    with the head from the first round on; few labels teach it little. Paper: Yoo and Kweon, "Learning loss
    for active learning", CVPR 2019 (arXiv 1905.03677).

    Raises
    ------
    NotReady
        The network predicts no loss.
    """
    predicted = predictions.needed("predicted_loss", "learning_loss").float()
    return softplus(predicted).nan_to_num(nan=UNUSABLE, posinf=UNUSABLE)
