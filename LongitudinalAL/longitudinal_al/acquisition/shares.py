"""A batch of several strata: each has its own order and its own share of the batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Floats
from longitudinal_al.acquisition.neighbours import Choice


@dataclass(frozen=True)
class Stratum:
    """A part of a batch.

    Parameters
    ----------
    order
        Candidates, the best first; it need not hold all of them.
    share
        Of the batch, relative to the other strata's.
    """

    order: NDArray[np.int64]
    share: float


def take_by_shares(choice: Choice, strata: Sequence[Stratum], batch: int, taken_before: int = 0) -> list[int]:
    """Fill the batch from the strata in turns, so that any beginning of it holds them by their shares.

    Each time the stratum is asked that lies farthest behind its share, the first of equals first. What one
    stratum has taken is gone for the others. A stratum that has nothing left leaves its share to the others;
    one with a share of 0 gets nothing.

    Parameters
    ----------
    choice, batch
        As of a selector.
    strata
        At least one.
    taken_before
        The turns go on as if so many had been taken already: an annotator who labels two slice pairs of each
        ranking then meets a stratum of a tenth as well.
    """
    strata = [stratum for stratum in strata if stratum.share > 0]
    orders = [stratum.order.tolist() for stratum in strata]
    places, taken, left = [0] * len(strata), [0] * len(strata), set(range(len(strata)))
    for _ in range(taken_before):
        taken[_farthest_behind(strata, taken, left)] += 1
    while len(choice.chosen) < batch and left:
        one = _farthest_behind(strata, taken, left)
        order = orders[one]
        while places[one] < len(order) and not choice.is_open(order[places[one]]):
            places[one] += 1
        if places[one] == len(order):
            left.discard(one)
            continue
        choice.add(order[places[one]])
        taken[one] += 1
    return choice.chosen


def _farthest_behind(strata: Sequence[Stratum], taken: Sequence[int], left: Collection[int]) -> int:
    """Return whose turn it is, of those that are left."""
    return min(sorted(left), key=lambda one: (taken[one] + 1) / strata[one].share)


def descending(values: Floats) -> NDArray[np.int64]:
    """Return the indices of the values, the highest first, the first of equals first; NaN come last."""
    return np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")


def by_trust(values: Floats, candidates: Candidates) -> NDArray[np.int64]:
    """Return the indices of the values, the highest first; pairs that are held back come last."""
    order = descending(values)
    if candidates.held_back is None:
        return order
    return order[np.argsort(candidates.held_back[order], kind="stable")]
