"""Chance: the baseline that every strategy has to beat."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical


@canonical
def random(
    candidates: Candidates, batch: int, neighbours: Neighbours, generator: np.random.Generator
) -> list[int]:
    """Return candidates drawn at random, each as likely as any other; O(N)."""
    order = generator.permutation(len(candidates))
    return take_in_order(neighbours.start(candidates), order.tolist(), batch)
