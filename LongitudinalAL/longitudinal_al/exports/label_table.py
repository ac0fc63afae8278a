"""All labels with where they come from, as one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.project.files import write_text
from longitudinal_al.project.records import Label, LabelVersion
from longitudinal_al.project.store import Project

FILE = "labels.csv"
COLUMNS = (
    "pair", "patient", "slice", "version", "counts", "withdrawn", "annotator", "saved", "started", "ended",
    "seconds", "suggestion_shown", "strategy", "score", "rows", "columns",
)  # fmt: skip
"""Then one column of pixels for each class."""


def export_label_table(project: Project, folder: Path) -> list[Path]:
    """Write every version of every label and every withdrawal, and what asked for it, as `labels.csv`.

    Patients are named by the ids that the user gave them.
    """
    keys = sorted(project.label_changes_since(0))
    if not keys:
        raise NotReady(f"{project.folder}: nothing is labelled yet; label a few slice pairs first")
    patients = {pair.id: pair.patient for pair in project.pairs()}
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([*COLUMNS, *(f"pixels of {name}" for name in project.classes)])
    for pair, index in keys:
        history = project.label_history(pair, index)
        for version in history:
            head = (pair, patients[pair], index, version.number, int(version is history[-1]))
            table.writerow([*head, *_cells(version, len(project.classes))])
    write_text(folder / FILE, text.getvalue())
    return [folder / FILE]


def _cells(version: LabelVersion, classes: int) -> Iterator[object]:
    label = version.label
    yield from (int(label is None), version.annotator, version.saved.isoformat())
    if label is not None:
        yield from _of_label(label, classes)


def _of_label(label: Label, classes: int) -> Iterator[object]:
    yield from (label.started.isoformat(), label.ended.isoformat())
    yield round((label.ended - label.started).total_seconds(), 1)
    yield int(label.suggestion_shown)
    yield from (label.strategy or "", "" if label.score is None else label.score)
    yield from label.mask.shape
    yield from np.bincount(label.mask.ravel(), minlength=classes + 1)[1:].tolist()
