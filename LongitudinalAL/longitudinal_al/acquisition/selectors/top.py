"""The highest scores."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import by_trust
from longitudinal_al.interruption import Interrupt


@canonical
def top(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return the candidates with the highest scores; O(N log N). Draws nothing.

    Pairs that a human let into the pool with reservations, though the check of their registration had failed,
    come last. Use it with any score.
    """
    order = by_trust(candidates.ranking_score(), candidates)
    return take_in_order(neighbours.start(candidates, interrupt), order.tolist(), batch)
