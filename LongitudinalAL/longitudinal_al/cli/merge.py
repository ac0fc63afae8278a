"""`merge`: bring what humans made in another copy of a project into it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from longitudinal_al.cli.output import Output, counted, measure, table
from longitudinal_al.project.merging import Merge
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al merge my-project copy-of-another-annotator"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `merge`."""
    parser.add_argument("project", metavar="A", type=Path, help="the project's folder, which is added to")
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
    if merged.decisions:
        yield f"{counted(merged.decisions, 'new decision')} on predicted changes"
    if merged.registrations:
        words = counted(merged.registrations, "new word")
        yield f"{words} on registrations, by hand; run prepare"
    if not (merged.pairs or merged.versions or merged.decisions or merged.registrations):
        yield f"nothing new; the project has {counted(labelled, 'labelled slice pair')}"
    yield from _label_conflicts(merged)
    yield from _disagreements(merged)


def _label_conflicts(merged: Merge) -> Iterator[str]:
    if merged.both:
        both = counted(merged.both, "slice pair")
        yield f"{both} labelled on both sides; agreement (Dice) {measure(merged.agreement)}"
    if merged.conflicts:
        yield f"{counted(len(merged.conflicts), 'slice pair')} on which the two differ; both labels are kept:"
        rows = [
            (
                each.pair,
                each.slice,
                each.here or "-",
                each.there or "-",
                _SIDES[each.counts],
                measure(each.dice),
            )
            for each in merged.conflicts
        ]
        yield from table([("pair", "slice", "in A", "in B", "counts now", "Dice"), *rows])


def _disagreements(merged: Merge) -> Iterator[str]:
    if merged.disagreements:
        number = counted(len(merged.disagreements), "disagreement")
        yield f"{number} about changes and registrations; what both said is kept:"
        rows = [
            (
                each.pair,
                each.about,
                f"{each.here or '-'}: {each.here_says}",
                f"{each.there or '-'}: {each.there_says}",
                _SIDES[each.counts],
            )
            for each in merged.disagreements
        ]
        yield from table([("pair", "about", "in A", "in B", "counts now"), *rows])


_SIDES = {"here": "A", "there": "B"}
