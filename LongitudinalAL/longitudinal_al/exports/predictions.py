"""Predicted masks as volumes, without the changes that a human has rejected."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import NotReady
from longitudinal_al.exports.segmentation_file import SUFFIX, write_segmentation
from longitudinal_al.imaging.normalisation import image_like
from longitudinal_al.imaging.reading import read_mask
from longitudinal_al.imaging.writing import write_image
from longitudinal_al.network.change_list import NUMBERS_FILE, Change, read_changes
from longitudinal_al.network.predicted_pairs import PAIR_GRID, predicted_classes
from longitudinal_al.project.files import write_text
from longitudinal_al.project.records import Decision
from longitudinal_al.project.store import Project

PREDICTIONS = "predictions"
"""Where the worker leaves its predictions, in the project's folder."""
COLUMNS = (
    "pair", "number", "class", "volume_mm3", "right_mm", "anterior_mm", "superior_mm", "largest_diameter_mm",
    "slice", "decision",
)  # fmt: skip


def export_predictions(project: Project, folder: Path) -> list[Path]:
    """Write the masks that were predicted, each pair's into a folder of its own, and a table of all changes.

    Rejected changes are left out of the masks, and stay in `changes.csv` with the decision on them.
    """
    written: list[Path] = []
    rows: list[tuple[object, ...]] = []
    for pair in project.pairs():
        source = project.folder / PREDICTIONS / pair.id
        if not (source / PAIR_GRID).is_file():
            continue
        changes, decisions = read_changes(source), project.decisions(pair.id)
        kept = _without_rejected(source, changes, decisions)
        out = folder / pair.id
        write_image(kept, out / PAIR_GRID)
        write_segmentation(kept, predicted_classes(project.classes), out / f"change{SUFFIX}")
        written += [out / PAIR_GRID, out / f"change{SUFFIX}"]
        rows += [_row(pair.id, change, decisions.get(change.id)) for change in changes]
    if not written:
        raise NotReady(f"{project.folder}: nothing is predicted yet; predict a pair first")
    return [*written, _write_table(folder / "changes.csv", rows)]


def _without_rejected(source: Path, changes: list[Change], decisions: dict[str, Decision]) -> sitk.Image:
    mask = read_mask(source / PAIR_GRID)
    rejected = [change.number for change in changes if decisions.get(change.id) is Decision.REJECTED]
    numbers = sitk.GetArrayFromImage(sitk.ReadImage(str(source / NUMBERS_FILE)))
    kept = np.where(np.isin(numbers, rejected), 0, sitk.GetArrayFromImage(mask))
    return image_like(mask, kept.astype(np.uint8))


def _row(pair: str, change: Change, decision: Decision | None) -> tuple[object, ...]:
    measures = (change.volume_mm3, *change.centre_ras_mm, change.largest_diameter_mm, change.slice)
    return (pair, change.number, change.class_name, *measures, decision.value if decision else "")


def _write_table(path: Path, rows: list[tuple[object, ...]]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *rows])
    write_text(path, text.getvalue())
    return path
