"""Cost-aware: the most information for a second of the annotator's time."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.shares import descending
from longitudinal_al.interruption import Interrupt

SHORTEST_SECONDS = 1.0


@canonical
def score_per_second(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    power: float = 1.0,
) -> list[int]:
    """Return the highest of score / seconds^power; O(N log N). Draws nothing.

    Seconds are those that the annotator is predicted to need, at least 1; without a prediction for a slice
    pair, the median of the others. Use it with a batch that is a span of time, and read its curves against
    time: it likes slices with little to draw. Paper: Settles, Craven and Friedland, "Active learning with
    real annotation costs", NeurIPS workshop on cost-sensitive learning 2008; power 1 is the paper's.

    Raises
    ------
    NotReady
        No seconds are predicted.
    """
    seconds = candidates.needed("seconds", "score_per_second")
    known = seconds[np.isfinite(seconds)]
    seconds = np.where(np.isfinite(seconds), seconds, np.median(known) if len(known) else SHORTEST_SECONDS)
    per_second = candidates.ranking_score() / np.maximum(seconds, SHORTEST_SECONDS) ** power
    return take_in_order(neighbours.start(candidates, interrupt), descending(per_second).tolist(), batch)
