"""Greedy choice of what represents the most: facility location, the common ground of two selectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Features, Integers
from longitudinal_al.acquisition.distances import slabs
from longitudinal_al.acquisition.neighbours import Choice
from longitudinal_al.interruption import Interrupt, never

AT_ONCE = 16
"""Candidates whose gain is computed anew together."""


def choose_representatives(
    choice: Choice,
    kept: Integers,
    rows: Features,
    represented: Features,
    labelled: Features,
    batch: int,
    interrupt: Interrupt = never,
) -> list[int]:
    """Add kept candidates one by one, each time the one that adds most to what is represented.

    Maximises the sum over all represented rows of their largest similarity to a labelled or chosen one
    (cosine; below 0 counts as 0). Gains only shrink, so an old gain is an upper bound and most candidates
    need no second look (Minoux, "Accelerated greedy algorithms", 1978). The answer is that of the plain
    greedy algorithm, of which the first of equals is taken. The k * r similarities are kept: k is a number of
    batches, whatever the pool, so the memory grows with the pool like that of its features.

    Parameters
    ----------
    kept
        Which candidates may be chosen, (k,).
    rows
        Their features, (k, d), length 1.
    represented
        What is to be represented, (r, d), length 1.
    labelled
        What is labelled already, (m, d), length 1.
    """
    best = np.zeros(len(represented), dtype=np.float32)
    for part in slabs(len(labelled), AT_ONCE):
        interrupt()
        np.maximum(best, (represented @ labelled[part].T).max(axis=1), out=best)
    similar = _similarities(rows, represented, interrupt)
    bound = np.full(len(kept), np.inf)
    while len(choice.chosen) < batch:
        place = _best(np.flatnonzero(choice.open[kept]), bound, similar, best, interrupt)
        if place is None:
            break
        choice.add(int(kept[place]))
        np.maximum(best, similar[place], out=best)
    return choice.chosen


def _similarities(rows: Features, represented: Features, interrupt: Interrupt) -> NDArray[np.float32]:
    """Return the cosine of each kept candidate and each represented row, (k, r)."""
    similar = np.empty((len(rows), len(represented)), dtype=np.float32)
    for part in slabs(len(represented)):
        interrupt()
        similar[:, part] = rows @ represented[part].T
    return similar


def _best(
    open_places: Integers,
    bound: NDArray[np.float64],
    similar: NDArray[np.float32],
    best: NDArray[np.float32],
    interrupt: Interrupt,
) -> int | None:
    """Return the open place with the largest gain, lowering the bounds of those looked at to their gains."""
    if not len(open_places):
        return None
    fresh = np.zeros(len(bound), dtype=bool)
    while True:
        order = open_places[np.argsort(-bound[open_places], kind="stable")]
        if fresh[order[0]]:
            return int(order[0])
        look = order[~fresh[order]][:AT_ONCE]
        interrupt()
        bound[look] = np.maximum(similar[look] - best, 0.0).sum(axis=1, dtype=np.float64)
        fresh[look] = True
