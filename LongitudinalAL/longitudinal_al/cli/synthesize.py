"""`synthesize`: write a synthetic cohort, with its table of pairs."""

from __future__ import annotations

import argparse
from pathlib import Path

from longitudinal_al.cli.arguments import add_seed, positive_number
from longitudinal_al.cli.output import Output, counted
from longitudinal_al.cli.progress import Progress
from longitudinal_al.synthesis.cohort import synthesize
from longitudinal_al.synthesis.difficulty import DIFFICULTIES, TYPICAL, difficulty

EXAMPLE = "longitudinal-al synthesize cohort --patients 12 --seed 1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `synthesize`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder")
    parser.add_argument(
        "--patients", metavar="N", type=positive_number, required=True, help="how many patients"
    )
    meanings = "; ".join(f"{one.name}: {one.summary}" for one in DIFFICULTIES.values())
    parser.add_argument(
        "--difficulty", choices=sorted(DIFFICULTIES), default=TYPICAL.name, help=f"how hard: {meanings}"
    )
    add_seed(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Write scans, reference masks, true transforms and the table."""
    with Progress("synthesizing") as progress:
        table = synthesize(
            arguments.folder,
            arguments.patients,
            arguments.seed,
            difficulty=difficulty(arguments.difficulty),
            progress=progress.portion,
        )
    result = {"table": table, "patients": arguments.patients, "seed": arguments.seed}
    output.result(result, [f"wrote {counted(arguments.patients, 'patient')}; the table of pairs is {table}"])
