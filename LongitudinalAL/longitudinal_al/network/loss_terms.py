"""What a step of training shows to those who add something to its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from longitudinal_al.network.architecture import ChangeNetwork, Reading


@dataclass(frozen=True)
class Step:
    """One step of training, before its update.

    Attributes
    ----------
    network : ChangeNetwork
        What is trained.
    average : ChangeNetwork
        The running average of its weights; no gradients flow into it.
    reading : Reading
        What the network finds in the batch.
    masks : torch.Tensor
        float32, (n, rows, columns): what it should find; NaN where that is not known.
    done : float
        Share of the steps that is done, in [0, 1).
    """

    network: ChangeNetwork
    average: ChangeNetwork
    reading: Reading
    masks: torch.Tensor
    done: float


Term = Callable[[Step], torch.Tensor]
"""Adds a number to the loss of a step."""
