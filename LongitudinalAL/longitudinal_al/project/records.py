"""What a project remembers: pairs, labels and rounds, as plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.errors import InvalidInput


class _Word(str, Enum):
    """An enum whose members read and print as their value, on every Python."""

    def __str__(self) -> str:
        return str(self.value)


class Split(_Word):
    """What a pair is for: to be labelled, or only to measure on."""

    POOL = "pool"
    TEST = "test"


class PairState(_Word):
    """How far a pair has come: added, then prepared or failed."""

    ADDED = "added"
    PREPARED = "prepared"
    FAILED = "failed"


class Verdict(_Word):
    """What the registration check says: good, look at it, or failed."""

    GOOD = "good"
    LOOK = "look"
    FAILED = "failed"


class Decision(_Word):
    """What a human says of a predicted change."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"


def utc_now() -> datetime:
    """Return the present moment in UTC, as labels and rounds keep it."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class GivenRegistration:
    """A registration by hand, instead of one that is searched for.

    `matrix` is 4 x 4, row by row, and maps points of the follow-up's space to the baseline's, in mm and in
    ITK's directions (left, posterior, superior); with `refine` it is only where the search begins.
    """

    matrix: tuple[float, ...]
    refine: bool = False


@dataclass(frozen=True)
class Pair:
    """Two scans of one patient, and what came with them; paths are absolute when read from a project.

    `slice_pairs` counts the slice pairs that the pair gives to the pool (0 until it is prepared).
    `reference` is a mask of change; the transforms map points of the mask's space to the baseline's.
    `registration` and `overruled` are what a human said instead of the registration and of its check.
    """

    id: str
    patient: str
    baseline: Path
    followup: Path
    reference: Path | None = None
    reference_transform: Path | None = None
    foreground: Path | None = None
    foreground_transform: Path | None = None
    split: Split = Split.POOL
    state: PairState = PairState.ADDED
    verdict: Verdict | None = None
    reason: str = ""
    slice_pairs: int = 0
    registration: GivenRegistration | None = None
    overruled: Verdict | None = None


@dataclass(frozen=True, eq=False)
class Label:
    """One slice pair's mask of change, who drew it, when, and what asked for it.

    `mask` is uint8 of shape (rows, columns) on the pair's grid, 0 = no change, k = class k; `slice` is the
    index on the pair's slice axis; `started` and `ended` carry a time zone and are stored in UTC; `strategy`
    and `score` are those of the ranking that asked for the label, `None` when the annotator chose freely.
    """

    pair: str
    slice: int
    mask: np.ndarray
    annotator: str
    started: datetime
    ended: datetime
    suggestion_shown: bool = False
    strategy: str | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        where = f"label of pair {self.pair!r}, slice {self.slice}"
        if self.slice < 0:
            raise InvalidInput(f"{where}: the slice index is negative; give one of the pair's grid")
        if self.mask.dtype != np.uint8 or self.mask.ndim != 2 or self.mask.size == 0:
            raise InvalidInput(
                f"{where}: the mask is {self.mask.dtype} of shape {self.mask.shape}; "
                "it has to be uint8 of shape (rows, columns)"
            )
        if self.started.tzinfo is None or self.ended.tzinfo is None:
            raise InvalidInput(f"{where}: the times need a time zone, such as UTC")
        if self.ended < self.started:
            raise InvalidInput(f"{where}: it ended ({self.ended}) before it was started ({self.started})")


@dataclass(frozen=True, eq=False)
class LabelVersion:
    """One entry of a slice pair's history; `label` is `None` where the label was withdrawn."""

    number: int
    saved: datetime
    annotator: str
    label: Label | None


@dataclass(frozen=True)
class Round:
    """One finished round of training: what it used, how long it took, and where its model lies.

    `number` counts from 1; `labels` counts the labelled slice pairs that it used; `model` is absolute when
    read from a project; `figures` holds whatever was measured, as plain numbers and words.
    """

    number: int
    strategy: str | None
    seed: int
    labels: int
    started: datetime
    ended: datetime
    model: Path | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
