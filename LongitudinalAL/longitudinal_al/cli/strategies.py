"""`strategies`: list what there is, and where it comes from."""

from __future__ import annotations

import argparse

from longitudinal_al.acquisition.strategies import strategies_table
from longitudinal_al.cli.output import Output, table

EXAMPLE = "longitudinal-al strategies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `strategies`: none."""


def run(arguments: argparse.Namespace, output: Output) -> None:
    """List the strategies."""
    rows = strategies_table()
    columns = ("name", "summary", "needs", "paper")
    output.result(rows, table([columns, *(tuple(row[column] for column in columns) for row in rows)]))
