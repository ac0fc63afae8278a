"""Which slice pairs may still be chosen: near-duplicates of labelled and chosen ones may not."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.errors import InvalidInput
from longitudinal_al.interruption import Interrupt, never

ROUNDING_MM = 1e-3


@dataclass(frozen=True)
class Neighbours:
    """How far apart the chosen slice pairs must lie.

    Parameters
    ----------
    spacing_mm
        Smallest distance along the slice axis between two slice pairs of the same pair, labelled or chosen;
        exactly this distance is allowed. 0 switches it off.
    """

    spacing_mm: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.spacing_mm) and self.spacing_mm >= 0):
            raise InvalidInput(f"the spacing must be 0 mm or more, not {self.spacing_mm}")

    def start(self, candidates: Candidates, interrupt: Interrupt = never) -> Choice:
        """Begin a batch: everything is open that does not lie too near to a labelled slice pair.

        `interrupt` is called whenever one is chosen.
        """
        return Choice(candidates, self, interrupt)


class Choice:
    """A batch in the making: what was chosen, best first, and which candidates are still open."""

    def __init__(self, candidates: Candidates, neighbours: Neighbours, interrupt: Interrupt = never) -> None:
        self.chosen: list[int] = []
        self._interrupt = interrupt
        self._position = candidates.position_mm
        self._spacing = neighbours.spacing_mm - ROUNDING_MM
        self._pairs, self._pair = np.unique(candidates.pair, return_inverse=True)
        self._of_pair = _groups(self._pair, len(self._pairs))
        self._gone = np.zeros(len(candidates), dtype=bool)
        self._close_labelled(candidates)

    def copy(self) -> Choice:
        """Return a choice that goes on from here on its own."""
        other = copy(self)
        other.chosen, other._gone = list(self.chosen), self._gone.copy()
        return other

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which candidates may be chosen next, (n,)."""
        return ~self._gone

    def is_open(self, index: int) -> bool:
        """Return whether one candidate may be chosen next."""
        return not self._gone[index]

    def add(self, index: int) -> None:
        """Choose a candidate: it and its near neighbours are closed."""
        self._interrupt()
        self.chosen.append(int(index))
        self._gone[index] = True
        self._close_near(int(self._pair[index]), float(self._position[index]))

    def _close_near(self, pair: int, position: float) -> None:
        if self._spacing > 0:
            members = self._of_pair[pair]
            self._gone[members[np.abs(self._position[members] - position) < self._spacing]] = True

    def _close_labelled(self, candidates: Candidates) -> None:
        """Close what is labelled already, and what lies near it."""
        labelled = candidates.labelled
        numbers = {name: number for number, name in enumerate(self._pairs.tolist())}
        for pair, index, position in zip(
            labelled.pair.tolist(), labelled.slice, labelled.position_mm, strict=True
        ):
            number = numbers.get(pair)
            if number is not None:
                members = self._of_pair[number]
                self._gone[members[candidates.slice[members] == index]] = True
                self._close_near(number, float(position))


def take_in_order(choice: Choice, order: Iterable[int], batch: int) -> list[int]:
    """Fill the batch with open candidates in a given order."""
    for index in order:
        if len(choice.chosen) >= batch:
            break
        if choice.is_open(index):
            choice.add(index)
    return choice.chosen


def _groups(codes: NDArray[np.intp], count: int) -> list[NDArray[np.intp]]:
    """Return the indices of each code, 0 to count - 1."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count))) if count else []
