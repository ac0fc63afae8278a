"""A batch of several strata: each has its own order and its own share of the batch."""

from __future__ import annotations

from collections.abc import Sequence
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


def take_by_shares(choice: Choice, strata: Sequence[Stratum], batch: int) -> list[int]:
    """Fill the batch from the strata in turns, so that any beginning of it holds them by their shares.

    Each time the stratum is asked that lies farthest behind its share, the first of equals first. What one
    stratum has taken is gone for the others. A stratum that has nothing left leaves its share to the others;
    one with a share of 0 gets nothing.
    """
    strata = [stratum for stratum in strata if stratum.share > 0]
    orders = [stratum.order.tolist() for stratum in strata]
    places, taken, left = [0] * len(strata), [0] * len(strata), set(range(len(strata)))
    while len(choice.chosen) < batch and left:
        behind = [
            (taken[one] + 1) / strata[one].share if one in left else np.inf for one in range(len(strata))
        ]
        one = int(np.argmin(behind))
        order = orders[one]
        while places[one] < len(order) and not choice.is_open(order[places[one]]):
            places[one] += 1
        if places[one] == len(order):
            left.discard(one)
            continue
        choice.add(order[places[one]])
        taken[one] += 1
    return choice.chosen


def descending(values: Floats) -> NDArray[np.int64]:
    """Return the indices of the values, the highest first, the first of equals first; NaN come last."""
    return np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")


def by_trust(values: Floats, candidates: Candidates) -> NDArray[np.int64]:
    """Return the indices of the values, the highest first; pairs of doubtful registration come last."""
    order = descending(values)
    if candidates.held_back is None:
        return order
    return order[np.argsort(candidates.held_back[order], kind="stable")]


def trusted(values: Floats, candidates: Candidates) -> Floats:
    """Return values with -inf for pairs held back because the check of their registration failed, (n,)."""
    if candidates.held_back is None:
        return values
    return np.where(candidates.held_back, -np.inf, values)
