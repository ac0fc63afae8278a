"""Runs of the experiment: one arm with one seed on one cohort each; they resume, and run anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.plan import Plan
from longitudinal_al.experiments.simulation import Simulation, SimulationSettings
from longitudinal_al.network.committee import TOGETHER
from longitudinal_al.project.files import read_json, write_json
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]


SIMULATION = "simulation"
"""Folder of a cohort's rounds and networks."""
LOOK_SECONDS = 5.0
"""How often a run says how far it is, and is asked."""
COLD_START = "random"
"""First batch of the arms that need a network and name no start of their own, as in the papers."""


class OutOfTime(Exception):
    """The time given to a call is over."""


@dataclass(frozen=True)
class Run:
    """One arm with one seed on one cohort; without an arm, full labelling.

    Attributes
    ----------
    cohort : str
        Name of the cohort, and of its folder.
    arm : Arm or None
        What chooses the slice pairs.
    seed : int
        Of everything random.
    """

    cohort: str
    arm: Arm | None
    seed: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.cohort}: {self.arm.name if self.arm else 'full labelling'}, seed {self.seed}"


def runs_of(plan: Plan) -> list[Run]:
    """Return all runs of a plan: full labelling and the leading arms with every seed, then the others.

    Seed by seed, so that an unfinished experiment compares all arms of its tier. Full labelling comes first:
    what it pretrains is there then for the arms, instead of being made by several processes at once.
    """
    leading, others = plan.tiers
    return [
        Run(cohort.name, arm, seed)
        for arms in ((None,), leading, others)
        for seed in range(plan.seeds)
        for cohort in plan.cohorts
        for arm in arms
    ]


def settings_of(plan: Plan) -> SimulationSettings:
    """Return what all runs of a plan have in common."""
    return SimulationSettings(
        max(plan.fractions), 1, cold_start=COLD_START, training=plan.training, fractions=plan.fractions
    )


def work_off(
    runs: Sequence[Run],
    plan: Plan,
    out: Path,
    progress: Progress,
    *,
    executor: Executor | None,
    seconds: float,
) -> int:
    """Do what is not done yet, and return how many runs are left when the time is over.

    Parameters
    ----------
    runs : sequence of Run
        Of `plan`.
    out : Path
        The experiment's folder; a run leaves its rounds there.
    progress : callable
        Called with the run and the share of all runs that is done.
    executor : Executor or None
        Where to run them; None does one after another here.
    seconds : float
        After this long no further round is begun.
    """
    end = time.time() + seconds
    whole = sum(_updates(run, plan) for run in runs)
    left = [run for run in runs if not is_done(run, out)]

    def tell() -> None:
        to_do = sum(_updates(run, plan) * (1 - _share_begun(run, out)) for run in left)
        progress("runs", 1 - to_do / whole)

    tell()
    for _ in _moments(left, plan, out, executor, end, progress):
        left = [run for run in left if not is_done(run, out)]
        tell()
    return len(left)


def is_done(run: Run, out: Path) -> bool:
    """Tell whether all rounds of a run are there."""
    return read_json(_file(run, out)) is not None


def outcome(run: Run, out: Path) -> Any:
    """Return what a finished run found: a list of rounds, or full labelling's figures; else None."""
    return read_json(_file(run, out))


def do_run(
    run: Run, plan: Plan, out: Path, end: float, progress: Progress = lambda phase, share: None
) -> bool:
    """Do one run; False when the time was over before. What it finished is kept either way.

    The end is told by the clock on the wall, which processes and computers share.
    """

    def check() -> None:
        if time.time() > end:
            raise OutOfTime

    told = 0.0

    def tell(phase: str, share: float) -> None:
        nonlocal told
        progress(f"{run.cohort}: {phase}", share)
        if time.monotonic() - told >= LOOK_SECONDS:
            told = time.monotonic()
            write_json(_file_begun(run, out), share)

    try:
        check()
        simulation = _simulation(out / run.cohort, settings_of(plan))
        found: Any = (
            simulation.full_labelling(run.seed, tell)
            if run.arm is None
            else simulation.run(run.arm, run.seed, tell, between=check)
        )
    except OutOfTime:
        return False
    write_json(_file(run, out), found)
    with suppress(OSError):  # on Windows, while another process looks at it
        _file_begun(run, out).unlink()
    return True


@lru_cache(maxsize=1)
def _simulation(folder: Path, settings: SimulationSettings) -> Simulation:
    """Open a cohort; the next run on the same cohort finds it open."""
    with Project.open(folder / "project") as project:
        return Simulation(project, settings, folder / SIMULATION)


def _moments(
    runs: Sequence[Run], plan: Plan, out: Path, executor: Executor | None, end: float, progress: Progress
) -> Iterator[None]:
    """Do the runs, and yield whenever one has ended; elsewhere also every few seconds."""
    if executor is None:
        for run in runs:
            do_run(run, plan, out, end, progress)
            yield
        return
    waiting: set[Future[bool]] = {executor.submit(do_run, run, plan, out, end) for run in runs}
    while waiting:
        ended, waiting = wait(waiting, LOOK_SECONDS, FIRST_COMPLETED)
        for job in ended:
            job.result()
        yield


def _updates(run: Run, plan: Plan) -> int:
    """Return how many updates a run takes, which is what takes its time."""
    if run.arm is None:
        return plan.training.pretraining + TOGETHER * plan.training.steps
    return len(plan.fractions) * run.arm.training_settings(plan.training).steps


def _share_begun(run: Run, out: Path) -> float:
    """Return how much of an unfinished run is there, as it says itself: it may run in another process."""
    share = read_json(_file_begun(run, out))
    return share if isinstance(share, float) else 0.0


def _file(run: Run, out: Path) -> Path:
    name = run.arm.file_name if run.arm else "full-labelling"
    return out / run.cohort / "runs" / f"{name}-seed{run.seed}.json"


def _file_begun(run: Run, out: Path) -> Path:
    return _file(run, out).with_suffix(".begun")
