"""`experiment`: all strategies on all cohorts, in pieces that resume."""

from __future__ import annotations

import argparse
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.cli.arguments import add_scheduler, names, positive_number
from longitudinal_al.cli.output import Output, counted
from longitudinal_al.cli.progress import Progress
from longitudinal_al.cluster import executor_of
from longitudinal_al.errors import UnknownName
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.cohorts import real_cohorts
from longitudinal_al.experiments.experiment import experiment
from longitudinal_al.experiments.plan import SIZES, Plan
from longitudinal_al.experiments.processes import processes, sensible_count

EVERY = "every"
EXAMPLE = (
    "longitudinal-al experiment --size small --out trial\n"
    "  longitudinal-al experiment --size full --out trial --minutes 9"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `experiment`."""
    parser.add_argument("--size", choices=sorted(SIZES), default="small", help="how much (default: small)")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of everything")
    parser.add_argument("--cohorts", metavar="a,b", type=names, help="only these of the size's cohorts")
    parser.add_argument(
        "--strategies",
        metavar="a;b",
        help=f"only these, separated by semicolons (settings after a colon), or {EVERY!r} strategy",
    )
    parser.add_argument("--seeds", metavar="K", type=positive_number, help="the seeds 0 to K - 1")
    parser.add_argument(
        "--real", metavar="pairs.csv", type=Path, help="real pairs with references, as further cohorts"
    )
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=positive_number,
        help="begin no round after this; then run it again",
    )
    parser.add_argument(
        "--processes",
        metavar="N",
        type=positive_number,
        help="runs side by side on this computer (default: one a core without a GPU, else 1)",
    )
    add_scheduler(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Run it; after an interruption, or when the time is over, the same command goes on."""
    plan = chosen_plan(arguments)
    seconds = float("inf") if arguments.minutes is None else 60.0 * arguments.minutes
    with _place(arguments) as executor, Progress("experiment:") as progress:
        done = experiment(plan, arguments.out, executor=executor, seconds=seconds, progress=progress)
    finished = done.runs - done.left
    lines = [f"{finished} of {counted(done.runs, 'run')} finished"]
    if done.left:
        lines.append("run the same command again for the rest")
    if done.report:
        lines.append(f"report: {done.report.resolve()}")
    output.result({"report": done.report, "runs": done.runs, "left": done.left}, lines)


def _place(arguments: argparse.Namespace) -> AbstractContextManager[Executor | None]:
    """Return where runs are done: on a cluster, or in processes of this computer."""
    if arguments.scheduler:
        return executor_of(arguments.scheduler)
    return processes(arguments.processes or sensible_count())


def chosen_plan(arguments: argparse.Namespace) -> Plan:
    """Return the plan of a size, cut down to what was asked for."""
    plan = SIZES[arguments.size]()
    if arguments.real:
        plan = replace(plan, cohorts=(*plan.cohorts, *real_cohorts(arguments.real)))
    if arguments.cohorts:
        known = {cohort.name: cohort for cohort in plan.cohorts}
        for name in arguments.cohorts:
            if name not in known:
                raise UnknownName("cohort", name, known)
        plan = replace(plan, cohorts=tuple(known[name] for name in arguments.cohorts))
    if arguments.strategies:
        given = {arm.name: arm for arm in plan.arms}
        texts = [text.strip() for text in arguments.strategies.split(";") if text.strip()]
        texts = list(STRATEGIES) if texts == [EVERY] else texts
        arms = tuple(given.get(text) or Arm.plain(text) for text in texts)
        for arm in arms:
            arm.check()
        plan = replace(plan, arms=arms)
    return plan if arguments.seeds is None else replace(plan, seeds=arguments.seeds)
