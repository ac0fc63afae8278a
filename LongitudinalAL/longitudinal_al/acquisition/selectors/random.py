"""Chance: the baseline that every strategy has to beat."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt


@canonical
def random(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return candidates drawn at random, each as likely as any other; O(N). Use it as the yardstick."""
    order = generator.permutation(len(candidates))
    return take_in_order(neighbours.start(candidates, interrupt), order.tolist(), batch)
