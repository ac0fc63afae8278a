"""The network's pixel size: one for the whole project, fixed when its first pair is prepared."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from longitudinal_al.errors import LongitudinalALError
from longitudinal_al.imaging.reading import read_scan
from longitudinal_al.pairs.slices import slice_axis, spacing_of
from longitudinal_al.project.files import read_json, write_json
from longitudinal_al.project.store import Project

FILE = "network-pixel.json"
LIMITS_MM = (0.5, 1.5)
LOOKED_AT = 9


def network_pixel_mm(project: Project) -> float:
    """Return the size of a network pixel in mm: the median over the first follow-ups, decided once."""
    file = project.folder / "pairs" / FILE
    stored = read_json(file)
    if isinstance(stored, dict) and isinstance(stored.get("pixel_mm"), float):
        return stored["pixel_mm"]
    sizes = [_in_plane_mm(pair.followup) for pair in project.pairs()[:LOOKED_AT]]
    known = [size for size in sizes if size is not None]
    pixel_mm = round(float(np.clip(np.median(known), *LIMITS_MM)), 3) if known else 1.0
    write_json(file, {"pixel_mm": pixel_mm})
    return pixel_mm


def _in_plane_mm(path: Path) -> float | None:
    try:
        scan = read_scan(path)
    except LongitudinalALError:
        return None  # preparing this pair will say what is wrong with it
    _, row, column = spacing_of(scan, slice_axis(scan))
    return float(np.sqrt(row * column))
