"""`prepare`: register, check, normalise and difference every pair, and cut the pool of slice pairs."""

from __future__ import annotations

import argparse

from longitudinal_al.cli.arguments import add_project, add_scheduler, add_seed
from longitudinal_al.cli.ctrl_c import stop_if_pressed
from longitudinal_al.cli.output import Output, counted
from longitudinal_al.cli.progress import Progress
from longitudinal_al.cluster import executor_of
from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.records import PairState, Verdict
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al prepare my-project"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `prepare`."""
    add_project(parser)
    add_seed(parser)
    add_scheduler(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Prepare what is not prepared yet; 1 when not a single pair could be."""
    with Project.open(arguments.project) as project:
        if not project.status()["pairs"]:
            raise NotReady(f"{project.folder}: there are no pairs yet; add some with: longitudinal-al add")
        with executor_of(arguments.scheduler) as executor, Progress("preparing") as progress:
            prepare_project(
                project,
                progress=progress,
                seed=arguments.seed,
                interrupt=stop_if_pressed,
                executor=executor,
                tell=output.note,
            )
        pairs, counts = project.pairs(), project.status()
    ready = [pair for pair in pairs if pair.state is PairState.PREPARED]
    looks = [pair for pair in ready if pair.verdict is Verdict.LOOK]
    failures = [pair for pair in pairs if pair.state is PairState.FAILED]
    lines = [f"prepared {counted(len(ready), 'pair')}: {counted(counts['slice_pairs'], 'slice pair')}"]
    lines += [f"look at pair {pair.id}: {pair.reason}" for pair in looks]
    for pair in failures:
        output.note(f"pair {pair.id} failed and stays out of the pool: {pair.reason}")
    result = {
        "prepared": len(ready),
        "slice_pairs": counts["slice_pairs"],
        "failed_pairs": len(failures),
        "failures": [{"pair": pair.id, "reason": pair.reason} for pair in failures],
        "looks": [{"pair": pair.id, "reason": pair.reason} for pair in looks],
    }
    output.result(result, lines)
    return 0 if ready else 1
