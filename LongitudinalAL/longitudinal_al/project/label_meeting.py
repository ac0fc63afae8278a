"""The versions of one slice pair's label in two copies of a project."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from longitudinal_al.project.labels import label_of
from longitudinal_al.project.meeting import Meeting

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


class LabelMeeting(Meeting[Version]):
    """The versions of one slice pair's label in both projects."""

    @property
    def is_newly_labelled(self) -> bool:
        """Whether the slice pair becomes labelled by the merge."""
        return not self.winner.withdrawn and (not self.ours or self.ours[-1].withdrawn)
