"""`add`: add pairs of scans to a project, by a table or one by one."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from longitudinal_al.cli.arguments import add_project
from longitudinal_al.cli.output import Output, counted
from longitudinal_al.errors import InvalidInput
from longitudinal_al.project.records import Pair, Split
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import OPTIONAL, REQUIRED, checked_pair, read_pairs_table

EXAMPLE = (
    "longitudinal-al add my-project --table pairs.csv\n"
    "  longitudinal-al add my-project --pair p1 --patient A --baseline 2023.nii.gz --followup 2024.nii.gz"
)

_HELP = {
    "pair": "the pair's name (letters, digits, '.', '_', '-')",
    "patient": "the patient's name or number, as you like",
    "baseline": "the earlier scan: NIfTI, NRRD, MetaImage or a DICOM folder",
    "followup": "the later scan",
    "reference": "mask of change",
    "reference_transform": "ITK transform from points of the reference's space to points of the baseline's",
    "foreground": "mask of what is to be compared, such as the brain",
    "foreground_transform": "the same for the foreground",
    "split": "pool (to be labelled) or test (only to measure on)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `add`."""
    add_project(parser)
    table = parser.add_argument_group("many pairs")
    table.add_argument(
        "--table", metavar="pairs.csv", type=Path, help="table with a column for each option below"
    )
    table.add_argument(
        "--allow-outside", action="store_true", help="allow the table's paths to leave the table's folder"
    )
    single = parser.add_argument_group("one pair")
    for name in (*REQUIRED, *OPTIONAL):
        choices = [split.value for split in Split] if name == "split" else None
        single.add_argument(f"--{name.replace('_', '-')}", dest=name, choices=choices, help=_HELP[name])


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Check the pairs and add all of them, or none."""
    pairs = _pairs(arguments, output)
    with Project.open(arguments.project) as project:
        new = project.add_pairs(pairs)
        total = project.status()["pairs"]
    known = len(pairs) - new
    lines = [f"added {counted(new, 'pair')}; the project has {total}"]
    if known:
        lines.append(f"{counted(known, 'pair')} had been added before")
    output.result({"added": new, "known_before": known, "pairs": total}, lines)


def _pairs(arguments: argparse.Namespace, output: Output) -> list[Pair]:
    cells = {name: getattr(arguments, name) for name in (*REQUIRED, *OPTIONAL)}
    given = {name: text for name, text in cells.items() if text is not None}
    if (arguments.table is None) == (not given):
        raise InvalidInput(
            "give either --table with the pairs, or one pair by --pair, --patient, --baseline ..."
        )
    if arguments.table is None:
        missing = [name for name in REQUIRED if not given.get(name, "").strip()]
        if missing:
            needed = ", ".join(f"--{name}" for name in REQUIRED)
            raise InvalidInput(f"--{missing[0]} is missing: one pair needs {needed}")
        return [checked_pair(given)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pairs = read_pairs_table(arguments.table, arguments.allow_outside)
    for warning in caught:
        output.note(f"note: {warning.message}")
    return pairs
