"""The experiment: all strategies on all cohorts, in pieces that resume, and what they found so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.cohorts import Cohort, make_cohort
from longitudinal_al.experiments.comparison import mean_over_seeds
from longitudinal_al.experiments.difference_threshold import best_threshold_dice
from longitudinal_al.experiments.experiment_report import write_experiment_report
from longitudinal_al.experiments.held_out import TestPairs
from longitudinal_al.experiments.plan import Plan
from longitudinal_al.experiments.report import write_report
from longitudinal_al.experiments.runs import OutOfTime, Run, outcome, runs_of, settings_of, work_off
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import read_json, write_json
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Experiment:
    """How far an experiment is, and where its report lies.

    Attributes
    ----------
    report : Path or None
        The tables over all cohorts; None before full labelling and one arm of a cohort are finished.
    runs, left : int
        How many runs there are, and how many are not finished.
    """

    report: Path | None
    runs: int
    left: int


def experiment(
    plan: Plan,
    out: Path,
    *,
    executor: Executor | None = None,
    seconds: float = float("inf"),
    progress: Progress = lambda phase, share: None,
) -> Experiment:
    """Run an experiment, or go on with it, and write what has been found so far.

    Parameters
    ----------
    plan : Plan
        What to compare on what.
    out : Path
        The experiment's folder; the same call goes on where it was interrupted.
    executor : Executor, optional
        Where pairs are prepared and runs are done; by default one after another on this computer.
    seconds : float
        After this long no further patient's scans are made, no further pair is prepared and no further round
        begun; the next call does the rest.
    progress : callable
        Called with what is being done and a share.

    Raises
    ------
    InvalidInput
        When `out` holds another experiment.
    """
    end, runs = time.monotonic() + seconds, runs_of(plan)

    def until_the_end(what: str, share: float) -> None:
        progress(what, share)
        if 0 < share < 1 and time.monotonic() >= end:
            raise OutOfTime

    try:
        for cohort in plan.cohorts:
            make_cohort(cohort, out / cohort.name, until_the_end, executor=executor)
    except OutOfTime:
        return Experiment(None, len(runs), len(runs))
    rest = max(0.0, end - time.monotonic())
    left = work_off(runs, plan, out, progress, executor=executor, seconds=rest)
    found = {
        cohort.name: results for cohort in plan.cohorts if (results := _results(cohort, runs, plan, out))
    }
    for name, results in found.items():
        write_report(results, {}, out / name / "report")
    report = write_experiment_report(found, plan, out) if found else None
    return Experiment(report, len(runs), left)


def _results(cohort: Cohort, runs: Sequence[Run], plan: Plan, out: Path) -> dict[str, Any] | None:
    """Return a cohort's results so far, as `simulate` gives them; None while there is nothing to compare."""
    mine = [run for run in runs if run.cohort == cohort.name]
    full = [found for run in mine if run.arm is None and (found := outcome(run, out))]
    rounds = [found for run in mine if run.arm is not None and (found := outcome(run, out))]
    if not full or not rounds:
        return None
    return {
        **_facts(cohort, out),
        "full": mean_over_seeds(full),
        "settings": asdict(settings_of(plan)),
        "results": [entry for entries in rounds for entry in entries],
    }


def _facts(cohort: Cohort, out: Path) -> dict[str, Any]:
    """Return the pool's size and the best threshold on the difference, worked out once."""
    file = out / cohort.name / "facts.json"
    known = read_json(file)
    if known is None:
        with Project.open(out / cohort.name / "project") as project:
            known = {
                "pool_slice_pairs": len(Pool.open(project)),
                "difference_threshold": best_threshold_dice(TestPairs(project)),
            }
        write_json(file, known)
    if not isinstance(known, dict):
        raise NotReady(f"{file} is damaged: delete it, and run the same command again")
    return known
