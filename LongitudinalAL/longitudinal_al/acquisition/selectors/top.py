"""The highest scores."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt


@canonical
def top(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return the candidates with the highest scores; O(N log N). Draws nothing."""
    order = np.argsort(-candidates.ranking_score(), kind="stable")
    return take_in_order(neighbours.start(candidates, interrupt), order.tolist(), batch)
