"""`simulate`: compare strategies with a simulated annotator."""

from __future__ import annotations

import argparse
from pathlib import Path

from longitudinal_al.cli.arguments import add_project, fraction, names, positive_number
from longitudinal_al.cli.output import Output, measure, table
from longitudinal_al.cli.progress import Progress
from longitudinal_al.experiments.comparison import simulate
from longitudinal_al.experiments.percent import percent
from longitudinal_al.project.store import Project

EXAMPLE = (
    "longitudinal-al simulate my-project --strategies random,entropy --budget 0.08 --batch 20 --seeds 3 "
    "--out trial"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `simulate`."""
    add_project(parser)
    parser.add_argument("--strategies", metavar="a,b,c", type=names, required=True, help="names, by commas")
    parser.add_argument(
        "--budget",
        metavar="FRACTION",
        type=fraction,
        required=True,
        help="share of the pool to label, such as 0.08",
    )
    parser.add_argument(
        "--batch", metavar="N", type=positive_number, required=True, help="slice pairs a round"
    )
    parser.add_argument(
        "--seeds", metavar="K", type=positive_number, required=True, help="repeat with the seeds 0 to K - 1"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder of the results and the report"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Run the experiment; after an interruption the same command goes on where it stopped."""
    with Project.open(arguments.project) as project, Progress("simulating") as progress:
        results = simulate(
            project,
            arguments.strategies,
            arguments.budget,
            arguments.batch,
            arguments.seeds,
            arguments.out,
            progress=progress,
        )
    full = results["full"]
    rows: list[tuple[object, ...]] = [
        ("strategy", "seed", "round", "labelled", "fraction", "dice", "lesion F1")
    ]
    for each in results["results"]:
        place = (each["strategy"], each["seed"], each["round"], each["labelled"], percent(each["fraction"]))
        rows.append((*place, measure(each["dice"]), measure(each["lesion_f1"])))
    ceiling = f"full labelling: dice {measure(full['dice'])}, lesion F1 {measure(full['lesion_f1'])}"
    output.result(results, [*table(rows), ceiling, f"report: {arguments.out / 'report.html'}"])
