"""`rank`: say which slice pairs to label next, and why."""

from __future__ import annotations

import argparse

from longitudinal_al.choosing import SPACING_MM
from longitudinal_al.cli.arguments import (
    add_cold_start,
    add_project,
    add_scheduler,
    add_seed,
    millimetres,
    positive_number,
)
from longitudinal_al.cli.output import Output, table
from longitudinal_al.cli.progress import Progress
from longitudinal_al.cluster import executor_of
from longitudinal_al.project.store import Project
from longitudinal_al.rounds import rank, write_batch

EXAMPLE = "longitudinal-al rank my-project --strategy difference --batch 10"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rank`."""
    add_project(parser)
    parser.add_argument("--strategy", metavar="NAME", required=True, help="see: longitudinal-al strategies")
    parser.add_argument(
        "--batch", metavar="N", type=positive_number, required=True, help="how many slice pairs"
    )
    parser.add_argument(
        "--spacing-mm",
        metavar="MM",
        type=millimetres,
        help="smallest distance to labelled and chosen slices of the same pair; "
        f"0 switches this off (default: {SPACING_MM:g})",
    )
    add_cold_start(parser)
    add_seed(parser)
    add_scheduler(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Rank, and keep the ranking in the project, so that labels can say what asked for them."""
    chosen = {"spacing_mm": arguments.spacing_mm, "seed": arguments.seed}
    asked = (arguments.strategy, arguments.batch)
    with Project.open(arguments.project) as project:
        with executor_of(arguments.scheduler) as executor, Progress("ranking") as progress:
            batch = rank(
                project,
                *asked,
                progress=progress.count,
                cold_start=arguments.cold_start,
                executor=executor,
                **chosen,
            )
        ranking = batch.entries
        write_batch(project, ranking, batch.strategy, **chosen)
    if batch.time_model and batch.time_model.reason:
        output.note(f"the annotator's times are {batch.time_model.name}: {batch.time_model.reason}")
    rows = [("pair", "patient", "slice", "score", "reason")]
    for entry in ranking:
        score = "-" if entry.score is None else f"{entry.score:.3g}"
        rows.append((entry.pair, entry.patient, str(entry.slice), score, entry.reason))
    entries = [entry.as_dict() for entry in ranking]
    output.result(entries, table(rows) if ranking else ["nothing is left to label"])
