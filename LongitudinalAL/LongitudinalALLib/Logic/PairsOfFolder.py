"""A folder of scans as pairs: two scans make a pair, and the earlier name is the baseline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from slicer.i18n import tr as _

from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.identifiers import check_pair_id
from longitudinal_al.project.records import Pair
from longitudinal_al.project.table import checked_pair

TABLE = "pairs.csv"
SCANS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
BASELINE, FOLLOWUP = re.compile("baseline|base|pre", re.IGNORECASE), re.compile("follow|post", re.IGNORECASE)


class FolderPairs(NamedTuple):
    """What a folder holds.

    Attributes
    ----------
    pairs : list of Pair
    notes : list of str
        Which scan was taken for what, and what was passed over.
    """

    pairs: list[Pair]
    notes: list[str]


def pairsOfFolder(folder: Path) -> FolderPairs:
    """Return the pairs that the scans of a folder make.

    Either the folder itself holds two scans, or each of its folders holds the two scans of a patient, as
    files or as folders of DICOM files. Which of two is the baseline, their names say: *baseline* and
    *follow-up*, or the order of the names (study1, study2; 2023, 2024).

    Raises
    ------
    InvalidInput
        When there is no pair in it, or a name cannot be that of a pair.
    """
    places = [folder] if len(_scanFiles(folder)) == 2 else _folders(folder)
    pairs, notes = [], []
    for place in places:
        scans = _scanFiles(place) or _folders(place)
        if len(scans) != 2:
            words = _("{folder} was passed over: {number} scans, expected 2")
            notes.append(words.format(folder=place.name, number=len(scans)))
            continue
        baseline, followup = _inOrder(scans)
        pairs.append(_pair(place.name, baseline, followup))
        words = _("{pair}: baseline {baseline}, follow-up {followup}")
        notes.append(words.format(pair=pairs[-1].id, baseline=baseline.name, followup=followup.name))
    if not pairs:
        words = _("{folder}: no pair of scans; give each patient a folder with two scans, or write {table}")
        raise InvalidInput(words.format(folder=folder, table=TABLE))
    return FolderPairs(pairs, notes)


def _scanFiles(folder: Path) -> list[Path]:
    files = (each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
    return sorted(each for each in files if each.name.lower().endswith(SCANS))


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _inOrder(scans: list[Path]) -> tuple[Path, Path]:
    """Return baseline and follow-up of two scans."""
    first, second = scans
    isTurned = FOLLOWUP.search(first.name) or BASELINE.search(second.name)
    return (second, first) if isTurned else (first, second)


def _pair(name: str, baseline: Path, followup: Path) -> Pair:
    """Make a pair; its name has only letters that a folder may have on every system."""
    id_ = re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:64].rstrip(".") or "_"
    check_pair_id(id_)
    return checked_pair({"pair": id_, "patient": name, "baseline": str(baseline), "followup": str(followup)})
