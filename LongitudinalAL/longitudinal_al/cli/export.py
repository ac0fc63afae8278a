"""`export`: labels, predictions and the model for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from longitudinal_al.cli.arguments import add_project
from longitudinal_al.cli.output import Output
from longitudinal_al.exports.kinds import EXPORTS, export
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al export my-project --what nnunet --out for-nnunet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `export`."""
    add_project(parser)
    parser.add_argument("--what", choices=list(EXPORTS), required=True, help="what to export")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the export")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Export one kind of thing."""
    with Project.open(arguments.project) as project:
        files = export(project, arguments.what, arguments.out)
    output.result({"what": arguments.what, "files": files}, [f"wrote {file}" for file in files])
