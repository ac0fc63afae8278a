"""What a selector sees: where the unlabelled slice pairs lie, their scores and features, never a label."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.errors import InvalidInput, NotReady

UNUSABLE = -1.0
"""Score of a slice pair whose predictions are not numbers: below every real score, and it can be stored."""

COLUMNS = {
    "difference": "the size of the difference: prepare the pairs again",
    "change_score": "a second score, for predicted change: train a network first",
    "predicted_change": "how many pixels are predicted to have changed: train a network first",
    "sure_change": "how sure predicted changes are: train a network first",
    "seconds": "how many seconds each would take to label: a model of the annotator's time is missing",
    "held_back": "which pairs failed the check of their registration: prepare the pairs again",
}
"""Columns that are there for the strategies that need them, and what to do where they are not."""

Strings = NDArray[np.str_]
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]


def _strings() -> Strings:
    return np.empty(0, dtype=np.str_)


def _integers() -> Integers:
    return np.empty(0, dtype=np.int64)


def _floats() -> Floats:
    return np.empty(0, dtype=np.float64)


@dataclass(frozen=True)
class LabelledSlices:
    """Where the labelled slice pairs lie: never what their labels say. By default there are none.

    Parameters
    ----------
    pair, patient
        Ids, (m,).
    slice
        Index in the pair's grid, (m,).
    position_mm
        Along the slice axis within the pair, (m,).
    features
        (m, d) float32 of the same network as the candidates', or None.
    """

    pair: Strings = field(default_factory=_strings)
    patient: Strings = field(default_factory=_strings)
    slice: Integers = field(default_factory=_integers)
    position_mm: Floats = field(default_factory=_floats)
    features: Features | None = None

    def __post_init__(self) -> None:
        _check_columns(self, ("pair", "patient", "slice", "position_mm"), "labelled slice pairs")

    def __len__(self) -> int:
        """Return the number of labelled slice pairs."""
        return len(self.pair)


@dataclass(frozen=True)
class Candidates:
    """The unlabelled slice pairs of the pool, as columns; their order means nothing.

    Parameters
    ----------
    pair, patient
        Ids, (n,).
    slice
        Index in the pair's grid, (n,).
    position_mm
        Along the slice axis within the pair, (n,).
    score
        Higher is more informative, (n,). ``UNUSABLE`` and what is not finite are below every number.
    features
        (n, d) float32, or None where no selector needs them.
    labelled
        The slice pairs labelled so far.
    cluster
        Cluster of each slice pair, (n,), from ``cluster_pool`` in an earlier round; or None.
    difference
        The difference score, (n,); this and the columns below are None unless the strategy needs them.
    change_score
        Uncertainty weighed by the predicted probability of change, (n,).
    predicted_change
        Expected changed pixels inside the foreground, (n,).
    sure_change
        Expected changed pixels for the doubt about them, (n,).
    seconds
        Predicted seconds of annotation, (n,).
    time_model
        Where these come from, such as "fitted to 57 labels".
    held_back
        Whether the check of the pair's registration failed, bool, (n,).
    round
        Number of this round, 1 for the first.
    rounds
        How many rounds are planned, or None where nobody knows.

    Raises
    ------
    InvalidInput
        Columns of different lengths, a slice pair twice, or not as many features as the labelled have.
    """

    pair: Strings
    patient: Strings
    slice: Integers
    position_mm: Floats
    score: Floats
    features: Features | None = None
    labelled: LabelledSlices = field(default_factory=LabelledSlices)
    cluster: Integers | None = None
    difference: Floats | None = None
    change_score: Floats | None = None
    predicted_change: Floats | None = None
    sure_change: Floats | None = None
    seconds: Floats | None = None
    time_model: str = ""
    held_back: NDArray[np.bool_] | None = None
    round: int = 1
    rounds: int | None = None

    def __post_init__(self) -> None:
        present = tuple(name for name in COLUMNS if getattr(self, name) is not None)
        _check_columns(self, ("pair", "patient", "slice", "position_mm", "score", *present), "candidates")
        if self.round < 1 or (self.rounds is not None and self.rounds < 1):
            raise InvalidInput(f"round {self.round} of {self.rounds}: rounds are counted from 1")
        if self.cluster is not None:
            _set(self, "cluster", np.asarray(self.cluster, dtype=np.int64))
            if self.cluster.shape != (len(self),):
                raise InvalidInput(f"{len(self)} candidates, but clusters of {self.cluster.shape}")
        _check_twice(self)
        _check_widths(self.features, self.labelled.features)

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.pair)

    @property
    def patients(self) -> int:
        """How many patients the pool has, labelled or not."""
        return len(np.union1d(self.patient, self.labelled.patient))

    def order(self) -> Integers:
        """Return the indices that sort the candidates by pair, then slice: the same for every shuffling."""
        return np.lexsort((self.slice, self.pair))

    def take(self, indices: Integers) -> Candidates:
        """Return the candidates at ``indices``, in that order."""
        names = ("pair", "patient", "slice", "position_mm", "score", "features", "cluster", *COLUMNS)
        columns: dict[str, Any] = {name: getattr(self, name) for name in names}
        taken: dict[str, Any] = {
            name: None if column is None else column[indices] for name, column in columns.items()
        }
        return replace(self, **taken)

    def ranking_score(self) -> Floats:
        """Return the scores with -inf for what is ``UNUSABLE`` or not finite, (n,)."""
        return np.where(np.isfinite(self.score) & (self.score != UNUSABLE), self.score, -np.inf)

    def needed(self, column: str, selector: str) -> NDArray[Any]:
        """Return a column of ``COLUMNS``, (n,).

        Raises
        ------
        NotReady
            It is missing; the message names the selector that needs it and says what to do.
        """
        found = getattr(self, column)
        if found is None:
            raise NotReady(f"{selector} has to know {COLUMNS[column]}")
        return np.asarray(found)

    def own_features(self, selector: str) -> Features:
        """Return the features of the candidates alone, (n, d); errors as for ``needed_features``."""
        if self.features is None:
            raise NotReady(
                f"{selector} compares features, and the candidates have none: train a network first"
            )
        return self.features

    def needed_features(self, selector: str) -> tuple[Features, Features]:
        """Return the features of the candidates and of the labelled slice pairs, (n, d) and (m, d).

        Raises
        ------
        NotReady
            Features are missing; the message names the selector that needs them.
        """
        if self.features is None or (len(self.labelled) and self.labelled.features is None):
            whose = "the candidates" if self.features is None else "the labelled slice pairs"
            raise NotReady(f"{selector} compares features, and {whose} have none: train a network first")
        theirs = self.labelled.features
        none = np.empty((0, self.features.shape[1]), dtype=np.float32)
        return self.features, none if theirs is None or not len(self.labelled) else theirs


def finite_rows(features: Features) -> NDArray[np.bool_]:
    """Return which rows hold numbers only, (n,)."""
    return np.asarray(np.isfinite(features).all(axis=1))


def _set(target: Any, name: str, value: Any) -> None:
    object.__setattr__(target, name, value)


def _check_columns(table: Any, names: tuple[str, ...], what: str) -> None:
    """Give each column its type, and check that all have one length."""
    types = {"pair": np.str_, "patient": np.str_, "slice": np.int64, "held_back": np.bool_}
    for name in names:
        _set(table, name, np.asarray(getattr(table, name), dtype=types.get(name, np.float64)))
    lengths = {name: getattr(table, name).shape for name in names}
    if len(set(lengths.values())) != 1 or len(lengths["pair"]) != 1:
        raise InvalidInput(f"the columns of the {what} differ in length: {lengths}")
    if table.features is not None:
        _set(table, "features", np.asarray(table.features, dtype=np.float32))
        if table.features.ndim != 2 or len(table.features) != len(table.pair):
            raise InvalidInput(f"{len(table.pair)} {what}, but features of shape {table.features.shape}")


def _check_widths(ours: Features | None, theirs: Features | None) -> None:
    if ours is None or theirs is None or not ours.size or not theirs.size:
        return
    if ours.shape[1] != theirs.shape[1]:
        raise InvalidInput(
            f"the candidates have {ours.shape[1]} features, the labelled slice pairs {theirs.shape[1]}: "
            "compute both with the same network"
        )


def _check_twice(candidates: Candidates) -> None:
    order = candidates.order()
    pair, index = candidates.pair[order], candidates.slice[order]
    same = (pair[1:] == pair[:-1]) & (index[1:] == index[:-1])
    if same.any():
        first = int(np.flatnonzero(same)[0])
        raise InvalidInput(f"slice {index[first]} of pair {pair[first]} is twice among the candidates")
