"""`predict`: write the masks of change that the newest model predicts."""

from __future__ import annotations

import argparse
from pathlib import Path

from longitudinal_al.cli.arguments import add_project
from longitudinal_al.cli.output import Output
from longitudinal_al.cli.progress import Progress
from longitudinal_al.network.predicted_pairs import predict_pairs
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al predict my-project --out masks"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `predict`."""
    add_project(parser)
    parser.add_argument("--pair", metavar="ID", help="only this pair (default: every prepared one)")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the masks")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Predict on one pair, or on all."""
    with Project.open(arguments.project) as project:
        wanted = None if arguments.pair is None else [project.pair(arguments.pair).id]
        with Progress("predicting") as progress:
            files = predict_pairs(project, wanted, arguments.out, progress=progress)
    output.result({"files": files}, [f"wrote {file}" for file in files])
