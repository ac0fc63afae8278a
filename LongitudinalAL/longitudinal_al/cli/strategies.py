"""`strategies`: list what there is, what it needs and costs, how well it did, and where it comes from."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from longitudinal_al.acquisition.strategies import strategies_table
from longitudinal_al.cli.output import Output, table

EXAMPLE = "longitudinal-al strategies"
COLUMNS = {
    "name": "name",
    "family": "family",
    "needs": "needs",
    "summary": "asks for",
    "measured_cost": "s/1,000",
    "efficiency": "efficiency",
    "small_efficiency": "small experiment",
    "settings": "settings",
}
EFFICIENCY = (
    "efficiency: mean lesion Dice over the curve, and the smallest share of the pool not worse than full "
    "labelling by 0.03, by the means, on one synthetic cohort; small experiment: the same of a smaller one, "
    "one seed, rounds half as long, where what lies within 0.1 is not told apart: see docs/benchmark.md"
)
MARKDOWN = {
    "name": "name",
    "family": "family",
    "summary": "asks for",
    "needs": "needs",
    "cost": "cost",
    "measured_cost": "per 1,000",
    "efficiency": "efficiency",
    "small_efficiency": "small experiment",
    "paper": "paper",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `strategies`."""
    parser.add_argument("--markdown", action="store_true", help="write the table of docs/strategies.md")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """List the strategies."""
    rows = strategies_table()
    if arguments.markdown:
        output.result(rows, markdown(rows))
        return
    cells = (tuple(row[column] for column in COLUMNS) for row in rows)
    output.result(rows, [*table([tuple(COLUMNS.values()), *cells]), "", EFFICIENCY])


def markdown(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return the table of `docs/strategies.md`, line by line."""
    body = [" | ".join([f"`{row['name']}`", *(row[column] for column in list(MARKDOWN)[1:])]) for row in rows]
    head = [" | ".join(MARKDOWN.values()), " | ".join(["---"] * len(MARKDOWN))]
    return [f"| {line} |" for line in [*head, *body]]
