"""`create`: make an empty project."""

from __future__ import annotations

import argparse

from longitudinal_al.cli.arguments import add_project
from longitudinal_al.cli.output import Output
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al create my-project"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `create`."""
    add_project(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Make the project."""
    with Project.create(arguments.project) as project:
        result = {"project": project.folder, "classes": project.classes}
        output.result(result, [f"made {project.folder}; now add pairs to it"])
