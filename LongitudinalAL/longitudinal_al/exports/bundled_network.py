"""The trained networks as one module with one input and one output, as a MONAI bundle wants it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from longitudinal_al.network.architecture import network_input
from longitudinal_al.network.checkpoint import load_committee
from longitudinal_al.network.upside_down import probability_of_both
from longitudinal_al.pairs.stack import CHANNELS


class BundledNetwork(nn.Module):
    """Probability of change of slices, as the networks of the newest rounds find it together.

    Each looks at a slice both ways up, as the project's own masks are made (`network.upside_down`).

    Parameters
    ----------
    weights : str
        A model of a project (`.safetensors`).
    """

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.committee = load_committee(Path(weights))
        self.members = nn.ModuleList(self.committee.networks)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Predict.

        Parameters
        ----------
        image : torch.Tensor
            (n, slices x channels, rows, columns) in robust z: for the slice before, the slice itself and the
            slice after, each its baseline, follow-up and difference; sides are multiples of 16.

        Returns
        -------
        torch.Tensor
            (n, 1, rows, columns), 0 to 1.
        """
        image = network_input(image.unflatten(1, (-1, len(CHANNELS))))
        said = [probability_of_both(member, image, member(image)[0]) for member in self.members]
        return self.committee.mean(torch.stack(said))[:, None]
