"""The frame around every selector: the order in which the pool happens to be stored must not matter."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours

Selector = Callable[[Candidates, int, Neighbours, np.random.Generator], list[int]]


def canonical(selector: Selector) -> Selector:
    """Let a selector see its candidates sorted by pair and slice, and translate its answer back.

    Random numbers are so drawn for the same slice pairs however the pool is shuffled, and the first of equals
    is the first by pair and slice. An empty pool or batch is answered here.
    """

    @wraps(selector)
    def select(
        candidates: Candidates, batch: int, neighbours: Neighbours, generator: np.random.Generator
    ) -> list[int]:
        if len(candidates) == 0 or batch <= 0:
            return []
        order = candidates.order()
        is_sorted = bool((order[1:] > order[:-1]).all())
        ordered = candidates if is_sorted else candidates.take(order)
        return [int(order[index]) for index in selector(ordered, batch, neighbours, generator)]

    return select
