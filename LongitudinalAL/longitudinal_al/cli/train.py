"""`train`: train the network on all labels, as one round."""

from __future__ import annotations

import argparse

from longitudinal_al.cli.arguments import add_project, add_seed, positive_number, weight, whole_number
from longitudinal_al.cli.output import Output, counted
from longitudinal_al.cli.progress import Progress
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.project.store import Project
from longitudinal_al.rounds import OPTIONS, train_round

EXAMPLE = "longitudinal-al train my-project"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `train`."""
    add_project(parser)
    add_seed(parser)
    parser.add_argument(
        "--strategy",
        metavar="NAME",
        default="",
        help="train what this strategy asks: the network's own loss, or an ensemble",
    )
    parser.add_argument(
        "--members", metavar="K", type=positive_number, help="train so many networks instead of one"
    )
    parser.add_argument(
        "--pretraining",
        metavar="STEPS",
        type=whole_number,
        help=f"steps on painted changes before the labels; 0: none (default: {TrainingSettings.pretraining})",
    )
    parser.add_argument(
        "--consistency",
        metavar="WEIGHT",
        type=weight,
        help="of agreeing with a mean teacher on slice pairs without label (default: 0, off)",
    )
    parser.add_argument(
        "--alignment",
        metavar="WEIGHT",
        type=weight,
        help="of attention lying where the annotator drew; xGAL has 0.1 (default: 0, off)",
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Train one round."""
    with Project.open(arguments.project) as project, Progress("round") as progress:
        done = train_round(
            project,
            seed=arguments.seed,
            strategy_name=arguments.strategy,
            members=arguments.members,
            otherwise={name: getattr(arguments, name) for name in OPTIONS},
            progress=progress,
            tell=output.note,
        )
    seconds = (done.ended - done.started).total_seconds()
    result = {
        "round": done.number,
        "labelled": done.labels,
        "seed": done.seed,
        "train_seconds": seconds,
        "model": done.model,
        "figures": done.figures,
    }
    what = f"round {done.number}: trained on {counted(done.labels, 'labelled slice pair')} in {seconds:.0f} s"
    output.result(result, [what])
