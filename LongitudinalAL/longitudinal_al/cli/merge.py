"""`merge`: bring the labels of another copy of a project into it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from longitudinal_al.cli.output import Output, counted, measure, table
from longitudinal_al.project.merging import Conflict, Merge
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al merge my-project copy-of-another-annotator"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `merge`."""
    parser.add_argument("project", metavar="A", type=Path, help="the project's folder, which gets the labels")
    parser.add_argument("other", metavar="B", type=Path, help="the folder of the other copy, only read")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Merge, and say on what the two differ."""
    with Project.open(arguments.project) as project:
        merged = project.merge(arguments.other)
        labelled = project.status()["labelled"]
    output.result({**asdict(merged), "labelled": labelled}, _lines(merged, labelled))


def _lines(merged: Merge, labelled: int) -> Iterator[str]:
    if merged.pairs:
        yield f"{counted(len(merged.pairs), 'new pair')}: {', '.join(merged.pairs)}; run prepare"
    if merged.versions:
        yield f"{counted(merged.versions, 'new version')} of labels; the project has {labelled} labelled now"
    else:
        yield f"nothing new; the project has {counted(labelled, 'labelled slice pair')}"
    if merged.both:
        both = counted(merged.both, "slice pair")
        yield f"{both} labelled on both sides; agreement (Dice) {measure(merged.agreement)}"
    if merged.conflicts:
        yield f"{counted(len(merged.conflicts), 'slice pair')} on which the two differ; both labels are kept:"
        yield from table([("pair", "slice", "in A", "in B", "counts now", "Dice"), *_rows(merged.conflicts)])


def _rows(conflicts: list[Conflict]) -> Iterator[tuple[object, ...]]:
    for each in conflicts:
        counts = {"here": "A", "there": "B"}[each.counts]
        yield each.pair, each.slice, each.here or "-", each.there or "-", counts, measure(each.dice)
