"""The versions of one slice pair's label in two copies of a project, and which of them counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from longitudinal_al.project.labels import label_of

Key = tuple[object, ...]


@dataclass(frozen=True)
class Version:
    """A row of the labels of one of the two files; `file` is which."""

    row: sqlite3.Row
    file: Path

    @property
    def pair(self) -> str:
        """The pair in lower case: names that differ only in case are the same."""
        return str(self.row["pair"]).lower()

    @property
    def slice(self) -> int:
        """The slice's index on the pair's grid."""
        return int(self.row["slice"])

    @property
    def key(self) -> Key:
        """What tells a version of a slice pair's label from others, in all copies of a project."""
        return tuple(self.row[name] for name in ("saved", "annotator", "withdrawn", "rows", "columns", "crc"))

    @property
    def age(self) -> tuple[datetime, str]:
        """What orders versions that were made without knowing each other, the same way on both sides."""
        return datetime.fromisoformat(self.row["saved"]), str(self.key)

    @property
    def annotator(self) -> str:
        """Who drew it."""
        return str(self.row["annotator"])

    @property
    def withdrawn(self) -> bool:
        """Whether this withdraws the label."""
        return bool(self.row["withdrawn"])

    @property
    def mask(self) -> np.ndarray:
        """The mask, uint8 (rows, columns); `ProjectDamaged` when it is not as it was saved."""
        return label_of(self.file, self.row).mask


class Meeting:
    """The versions of one slice pair in both projects, oldest first, and what becomes of them."""

    def __init__(self, ours: Sequence[Version], theirs: Sequence[Version]) -> None:
        self.ours = ours
        self.theirs = theirs
        self._our_keys = {version.key for version in ours}
        self._their_keys = {version.key for version in theirs}

    @property
    def new(self) -> list[Version]:
        """What we do not have yet; each once, also where a merge had to add it again."""
        unlike = {version.key: version for version in self.theirs}
        return [version for key, version in unlike.items() if key not in self._our_keys]

    @property
    def to_add(self) -> list[Version]:
        """What is to be added, so that all is there and the last one is the one that counts.

        The one that counts is added once more where others would follow it: rows are never changed, and the
        newest row of a slice pair counts.
        """
        new = self.new
        last = (*self.ours, *new)[-1]
        return new if last.key == self.winner.key else [*new, self.winner]

    @property
    def winner(self) -> Version:
        """The version that counts afterwards."""
        theirs = self.theirs[-1]
        if not self.ours:
            return theirs
        ours = self.ours[-1]
        they_know, we_know = ours.key in self._their_keys, theirs.key in self._our_keys
        if they_know != we_know:
            return theirs if they_know else ours
        return max(ours, theirs, key=lambda version: version.age)

    @property
    def is_independent(self) -> bool:
        """Whether neither side's newest version was made knowing the other's."""
        if not self.ours:
            return False
        return self.ours[-1].key not in self._their_keys and self.theirs[-1].key not in self._our_keys

    @property
    def is_newly_labelled(self) -> bool:
        """Whether the slice pair becomes labelled by the merge."""
        return not self.winner.withdrawn and (not self.ours or self.ours[-1].withdrawn)
