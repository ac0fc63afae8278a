"""The grid that a pair's labels are drawn on, from the record of its preparation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from longitudinal_al.errors import NotReady
from longitudinal_al.project.files import read_json
from longitudinal_al.project.store import Project

RECORD_FILE = "prepared.json"
"""In a prepared pair's folder; written last, so that it changes with every preparation."""


@dataclass(frozen=True)
class SliceGrid:
    """Rows and columns of a pair's slices, the axis across which they lie, and their distance in mm.

    `slice_axis` counts array axes: 0 = z, 1 = y, 2 = x.
    """

    rows: int
    columns: int
    slice_axis: int
    thickness_mm: float


def read_grid(project: Project, pair: str) -> SliceGrid:
    """Read the grid of a prepared pair.

    Raises
    ------
    NotReady
        When the pair is not prepared, or its files are gone or damaged.
    """
    folder = project.pair_folder(pair)
    try:
        return _grid(read_json(folder / RECORD_FILE))
    except (TypeError, KeyError, ValueError, IndexError) as error:
        why = f"{folder} holds no record of it"
        raise NotReady(f"pair {pair!r} is not prepared ({why}): prepare it") from error


def _grid(record: Mapping[str, Any]) -> SliceGrid:
    frame = record["frame"]
    return SliceGrid(
        rows=int(frame["grid_rows"]),
        columns=int(frame["grid_columns"]),
        slice_axis=int(record["slice_axis"]),
        thickness_mm=float(record["spacing_mm"][0]),
    )
