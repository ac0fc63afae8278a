"""The frame around every selector: the order in which the pool happens to be stored must not matter."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Protocol

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.interruption import Interrupt, never


class Selector(Protocol):
    """From scores and features to a batch."""

    __name__: str

    def __call__(
        self,
        candidates: Candidates,
        batch: int,
        neighbours: Neighbours,
        generator: np.random.Generator,
        interrupt: Interrupt = never,
        **settings: Any,
    ) -> list[int]:
        """Return the indices of a batch, best first; `interrupt` is called between the steps."""


Method = Callable[..., list[int]]
"""As a `Selector`, but called with an order that is the pool's own, and never with nothing to choose."""


def canonical(selector: Method) -> Selector:
    """Let a selector see its candidates sorted by pair and slice, and translate its answer back.

    Random numbers are so drawn for the same slice pairs however the pool is shuffled, and the first of equals
    is the first by pair and slice. An empty pool or batch is answered here. Products of matrices take one
    thread: several wait for each other by spinning, which on busy cores takes longer than one.
    """

    @wraps(selector)
    def select(
        candidates: Candidates,
        batch: int,
        neighbours: Neighbours,
        generator: np.random.Generator,
        interrupt: Interrupt = never,
        **settings: Any,
    ) -> list[int]:
        interrupt()
        if len(candidates) == 0 or batch <= 0:
            return []
        order = candidates.order()
        is_sorted = bool((order[1:] > order[:-1]).all())
        ordered = candidates if is_sorted else candidates.take(order)
        with _libraries().limit(limits=1, user_api="blas"):
            chosen = selector(ordered, batch, neighbours, generator, interrupt, **settings)
        return [int(order[index]) for index in chosen]

    return select


@cache
def _libraries() -> ThreadpoolController:
    """Return what is loaded by the first batch, numpy's own among it; to look takes up to 12 ms each time."""
    return ThreadpoolController()
