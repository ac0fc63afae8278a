"""`demo`: from nothing to a report, on a synthetic cohort or on your own scans."""

from __future__ import annotations

import argparse
from pathlib import Path

from longitudinal_al.cli.output import Output
from longitudinal_al.cli.progress import Progress
from longitudinal_al.experiments.demonstration import demonstrate

EXAMPLE = "longitudinal-al demo --out trial\n  longitudinal-al demo --data my-scans --out trial"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `demo`."""
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder of everything it makes"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        help="folder with pairs.csv (default: a synthetic cohort is made)",
    )
    parser.add_argument(
        "--allow-outside", action="store_true", help="allow the table's paths to leave its folder"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Run it; after an interruption the same command goes on where it stopped."""
    with Progress("demo:") as progress:
        done = demonstrate(
            arguments.out, arguments.data, allow_outside=arguments.allow_outside, progress=progress
        )
    for failure in done.failures:
        output.note(f"pair {failure.pair} failed and stays out: {failure.reason}")
    result = {"report": done.report, "summary": done.summary}
    output.result(result, [*done.summary, f"report: {done.report.resolve()}"])
