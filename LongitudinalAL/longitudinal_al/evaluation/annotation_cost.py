"""How long labelling takes: seconds a slice pair, from what there is to draw on it.

A straight sum: a look at every slice pair, more for the first one of a pair (the annotator has to find the
way about), more for each change, and more for each mm2 that is drawn. `ASSUMED` is a guess at orders of
magnitude, named so wherever it is used; `annotation_log` fits the four numbers to an annotator's own times.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from longitudinal_al.errors import InvalidInput

TOUCHING = np.ones((3, 3), bool)
MM2_A_CHANGE = 30.0
"""How much of a slice one change covers, where only the area that is expected is known: 6 mm across."""


@dataclass(frozen=True)
class Work:
    """What there is to do on n slice pairs.

    Attributes
    ----------
    changed_mm2 : numpy.ndarray
        Area to draw, (n,).
    changes : numpy.ndarray
        Separate changes, (n,); expected numbers need not be whole.
    first : numpy.ndarray
        Whether it is the first slice pair of its pair, (n,).

    Raises
    ------
    InvalidInput
        When a number is missing or below 0, or the columns are not of one length.
    """

    changed_mm2: np.ndarray
    changes: np.ndarray
    first: np.ndarray

    def __post_init__(self) -> None:
        for name in ("changed_mm2", "changes", "first"):
            column = np.asarray(getattr(self, name), float)
            if column.ndim != 1 or len(column) != len(self.changed_mm2):
                raise InvalidInput(f"{name} of {column.shape}: give a number for each slice pair")
            if not np.isfinite(column).all() or (column < 0).any():
                raise InvalidInput(
                    f"{name} holds {column[~(column >= 0)][:1]}: give 0 or more for each slice pair"
                )

    def __len__(self) -> int:
        return len(self.changed_mm2)

    def table(self) -> np.ndarray:
        """Return (n, 4): one, first, changes, area; what `CostModel.numbers` are multiplied with."""
        columns = (np.ones(len(self)), self.first, self.changes, self.changed_mm2)
        return np.stack([np.asarray(column, float) for column in columns], axis=1)


@dataclass(frozen=True)
class CostModel:
    """How many seconds an annotator takes.

    Attributes
    ----------
    name : str
        Where the numbers come from; goes into every figure that rests on them.
    look_seconds, first_seconds, change_seconds, mm2_seconds : float
        For every slice pair, for the first of a pair on top, for each change, and for each mm2 drawn.
    labels : int
        How many labels it was fitted to; 0 if it was not.
    reason : str
        Why it was not fitted, where that was tried.
    """

    name: str
    look_seconds: float
    first_seconds: float
    change_seconds: float
    mm2_seconds: float
    labels: int = 0
    reason: str = ""

    @property
    def numbers(self) -> np.ndarray:
        """The four numbers, in the order of `Work.table`."""
        return np.array([self.look_seconds, self.first_seconds, self.change_seconds, self.mm2_seconds])

    def seconds(self, work: Work) -> np.ndarray:
        """Return the seconds that each slice pair takes, (n,)."""
        return work.table() @ self.numbers

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


ASSUMED = CostModel("assumed", look_seconds=8.0, first_seconds=12.0, change_seconds=6.0, mm2_seconds=0.1)
"""Nobody was timed for this."""


def work_of(
    masks: Sequence[np.ndarray],
    pixel_mm2: Sequence[float],
    pairs: Sequence[str],
    opened: Collection[str] = (),
) -> Work:
    """Return what it took to draw masks, in the order in which they were drawn.

    Parameters
    ----------
    masks : sequence of numpy.ndarray
        (rows, columns) each; 0 = no change.
    pixel_mm2 : sequence of float
        Area of a pixel of each.
    pairs : sequence of str
        Of which pair each is.
    opened : collection of str
        Pairs of which something was labelled before.
    """
    seen = set(opened)
    first = []
    for pair in pairs:
        first.append(pair not in seen)
        seen.add(pair)
    changed = [float(np.count_nonzero(mask)) * area for mask, area in zip(masks, pixel_mm2, strict=True)]
    changes = [float(ndimage.label(mask, TOUCHING)[1]) for mask in masks]
    return Work(np.array(changed, float), np.array(changes, float), np.array(first, bool))


def expected_work(changed_mm2: np.ndarray, first: np.ndarray) -> Work:
    """Return the work that is to be expected where only an area is predicted."""
    return Work(changed_mm2, np.asarray(changed_mm2) / MM2_A_CHANGE, first)
