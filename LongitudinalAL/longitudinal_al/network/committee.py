"""Networks that decide together: those of the newest rounds, each with a say by how much it has learned.

A network that has learned few labels is mistaken in places of its own, and the next round's, with other
labels and other batches, in others; their mean marks fewer artefacts than any of them. The networks of the
rounds before are there anyway, so it costs no training. See docs/decisions/committee.md. After Dietterich,
"Ensemble methods in machine learning", MCS 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from longitudinal_al.network.architecture import ChangeNetwork

TOGETHER = 3
"""So many networks decide together, if there are as many rounds."""


def weights_of(labels: Sequence[float]) -> tuple[float, ...]:
    """Return what the probability of each network counts that has learned so many labels; 1 together."""
    return tuple(count / sum(labels) for count in labels)


@dataclass(frozen=True)
class Committee:
    """Networks of one architecture that look at the same slices.

    Attributes
    ----------
    networks : tuple of ChangeNetwork
        In evaluation mode, the newest first.
    weights : tuple of float
        What each one's probability counts; above 0, and 1 together.
    """

    networks: tuple[ChangeNetwork, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, networks: Sequence[ChangeNetwork], labels: Sequence[float] = ()) -> Committee:
        """Join networks that have learned so many labels each; by default all count the same."""
        counts = [float(count) for count in labels] or [1.0] * len(networks)
        if not networks or len(counts) != len(networks) or min(counts) <= 0:
            raise ValueError(f"{len(networks)} networks cannot weigh {counts}: one number above 0 for each")
        return cls(tuple(networks), weights_of(counts))

    def mean(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Return the committee's probability (...) from those of its networks (networks, ...)."""
        weights = probabilities.new_tensor(self.weights)
        return torch.tensordot(weights, probabilities, dims=1)
