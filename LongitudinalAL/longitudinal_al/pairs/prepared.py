"""The record that says how a pair was prepared, and whether that still holds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.frame import Frame
from longitudinal_al.pairs.stack import open_stack
from longitudinal_al.project.files import is_there, read_json, write_json
from longitudinal_al.project.records import Pair

RECORD_FILE = "prepared.json"
RECIPE = 6
"""Raised whenever preparing the same scans gives something else: older records are then made again."""

VOLUMES = ("baseline.nii.gz", "followup.nii.gz", "difference.nii.gz", "foreground.nii.gz")


@dataclass(frozen=True)
class Prepared:
    """What was found out while a pair was prepared.

    Attributes
    ----------
    key : str
        Stands for the scans, their files' sizes and times, and the recipe.
    slice_axis : int
        Array axis (0 = z, 1 = y, 2 = x) across which the slices lie.
    first_slice : int
        Slice of the grid that is the first of the stack.
    slices : list of int
        The slices of the grid that belong to the pool.
    difference_score : list of float
        For each of them, the sum of robust z over the pieces of the difference.
    spacing_mm : list of float
        Of (slices, rows, columns).
    frame : Frame
        The network's window on the slices.
    sizes : mapping of str to int
        Bytes of each file beside the record, which tell a file that was cut or is missing.
    """

    key: str
    slice_axis: int
    first_slice: int
    slices: list[int]
    difference_score: list[float]
    spacing_mm: list[float]
    frame: Frame
    sizes: Mapping[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the record into the pair's folder, as the last of its files, with their sizes."""
        write_json(folder / RECORD_FILE, {**asdict(self), "sizes": _sizes(folder)})

    def is_whole(self, folder: Path) -> bool:
        """Tell whether every file is there with its size; changed bytes in the middle of one are not seen."""
        found = _sizes(folder)
        return all(found.get(name) == size for name, size in self.sizes.items())

    @classmethod
    def read(cls, folder: Path) -> Prepared | None:
        """Read a pair's record; None where it is missing, damaged or of another version."""
        record = read_json(folder / RECORD_FILE)
        try:
            return cls(**{**record, "frame": Frame(**record["frame"])})
        except (TypeError, KeyError):
            return None


def _sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each file of a pair; the record and what is half written left out."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.stat().st_size
                for entry in entries
                if entry.name != RECORD_FILE and not entry.name.startswith(".") and entry.is_file()
            }
    except OSError:
        return {}


def _sources(pair: Pair) -> tuple[Path | None, ...]:
    return (
        pair.baseline,
        pair.followup,
        pair.reference,
        pair.reference_transform,
        pair.foreground,
        pair.foreground_transform,
    )


def preparation_key(pair: Pair, pixel_mm: float) -> str:
    """Return a digest of all that preparing the pair depends on."""
    facts: list[Any] = [RECIPE, round(pixel_mm, 4), *(_file_facts(path) for path in _sources(pair))]
    if pair.registration is not None:  # else the key is that of earlier versions
        facts += [list(pair.registration.matrix), pair.registration.refine]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def missing_source(pair: Pair) -> Path | None:
    """Return the first of the pair's own files that cannot be found, or None."""
    return next((path for path in _sources(pair) if path is not None and not is_there(path)), None)


def is_usable(folder: Path) -> bool:
    """Tell whether the pair's folder holds a whole preparation, of whatever files it was made."""
    return _whole_record(folder) is not None


def _file_facts(path: Path | None) -> list[Any] | None:
    if path is None or not is_there(path):
        return None
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]


def is_current(folder: Path, key: str, wants_reference: bool) -> bool:
    """Tell whether the pair's folder holds everything that preparing it with this key would make."""
    record = _whole_record(folder)
    names = [*VOLUMES, "transform.tfm"] + ["reference.nii.gz"] * wants_reference
    return record is not None and record.key == key and all((folder / name).is_file() for name in names)


def _whole_record(folder: Path) -> Prepared | None:
    """Read the record of a pair's folder; None where a file that it names, or the stack, is not whole."""
    record = Prepared.read(folder)
    is_whole = record is not None and record.is_whole(folder) and _is_stack_sound(folder, record.frame)
    return record if is_whole else None


def _is_stack_sound(folder: Path, frame: Frame) -> bool:
    """Tell whether the slices are there and whole; only their files' heads are read."""
    try:
        stack, foreground = open_stack(folder)
    except NotReady:
        return False
    size = (frame.rows, frame.columns)
    return stack.shape[2:] == foreground.shape[1:] == size and len(stack) == len(foreground)
