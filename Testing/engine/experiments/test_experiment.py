"""The experiment on a cohort of small scans: in pieces, on a cluster, and what it writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import longitudinal_al
from longitudinal_al.cluster import executor_of
from longitudinal_al.errors import InvalidInput, NotReady, UnknownName
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.cohorts import Cohort, make_cohort, real_cohorts
from longitudinal_al.experiments.experiment import experiment
from longitudinal_al.experiments.plan import Plan
from longitudinal_al.experiments.runs import Run, do_run, outcome, runs_of
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.project.records import Split
from longitudinal_al.project.store import Project

QUICK = TrainingSettings(steps=3, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16)))


def silent(phase: str, share: float) -> None:
    """Report nothing."""


def with_transforms(table: Path) -> Path:
    """Return a table of the same pairs that names their true transforms too."""
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    longer = [f"{head},reference_transform", *(f"{row},{row.split(',')[0]}/true.tfm" for row in rows)]
    target = table.with_name("with-transforms.csv")
    target.write_text("\n".join(longer) + "\n", encoding="utf-8")
    return target


@pytest.fixture
def plan(small_cohort) -> Plan:
    """Two arms and two seeds on the small cohort, its first patient held out."""
    cohort = replace(real_cohorts(with_transforms(small_cohort.table))[0], name="small")
    arms = (Arm.plain("random"), Arm("bold", "entropy", training={"learning_rate": 0.01}))
    return Plan((cohort,), arms, 2, fractions=(0.1, 0.3), training=QUICK)


def test_real_pairs_are_read_in_both_directions_and_patients_kept_apart(plan, tmp_path):
    with Project.open(make_cohort(plan.cohorts[0], tmp_path / "small", silent)) as project:
        pairs = {pair.id: pair for pair in project.pairs()}
        held_out = plan.cohorts[0].held_out
        assert {pair.patient for pair in project.pairs(Split.TEST)} == {held_out}
        assert all(pair.patient != held_out for pair in project.pairs(Split.POOL))
        for name in [name for name in pairs if not name.endswith("-backwards")]:
            back = pairs[f"{name}-backwards"]
            assert (back.baseline, back.followup) == (pairs[name].followup, pairs[name].baseline)
            assert back.patient == pairs[name].patient


def test_pieces_end_as_the_whole_does_and_the_report_says_what_ran(plan, tmp_path):
    whole = experiment(plan, tmp_path / "whole")
    assert (whole.runs, whole.left) == (6, 0)
    make_cohort(plan.cohorts[0], tmp_path / "cut" / "small", silent)
    first = experiment(plan, tmp_path / "cut", seconds=0.0)
    assert first.left == 6 and first.report is None
    for run in runs_of(plan)[:2]:
        assert do_run(run, plan, tmp_path / "cut", time.monotonic() + 600)
    half = experiment(plan, tmp_path / "cut", seconds=0.0)
    assert half.left == 4 and half.report is not None
    assert "small with 1 of 2 seeds" in half.report.read_text(encoding="utf-8")
    assert experiment(plan, tmp_path / "cut").left == 0
    for run in runs_of(plan):
        mine, theirs = (_figures(outcome(run, tmp_path / name)) for name in ("whole", "cut"))
        assert mine == theirs
    page = whole.report.read_text(encoding="utf-8")
    assert "| `bold` |" in page and "| `random` |" in page and "small with 2 of 2 seeds" in page
    figures = json.loads((tmp_path / "whole" / "experiment.json").read_text(encoding="utf-8"))
    assert {row["strategy"] for row in figures["small"]["dice"]} == {"bold", "random"}


def test_an_arm_trains_in_its_own_way(plan, tmp_path):
    make_cohort(plan.cohorts[0], tmp_path / "small", silent)
    bold, plain = plan.arms[1], Arm.plain("entropy")
    both = replace(plan, arms=(bold, plain), seeds=1)
    for run in runs_of(both)[1:]:
        assert do_run(run, both, tmp_path, time.monotonic() + 600)
    rounds = [outcome(run, tmp_path) for run in runs_of(both)[1:]]
    assert rounds[0][0]["asked"] == rounds[1][0]["asked"]
    learned = [file.read_bytes() for file in (tmp_path / "small/simulation/networks").glob("*.safetensors")]
    assert len(set(learned)) == 4  # two rounds each, though the first batches are the same


def test_arms_are_checked_before_anything_runs():
    with pytest.raises(UnknownName):
        Arm.plain("magic").check()
    with pytest.raises(InvalidInput, match="no such setting"):
        Arm("odd", "random", training={"magic": 1}).check()
    assert ":" not in Arm.plain("recipe:audit=off").file_name


@pytest.fixture
def cluster(tmp_path):
    """Start a scheduler and three workers, each a process of its own; gives the address and the workers."""
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed (longitudinal-al[cluster])"
    )
    file = tmp_path / "scheduler.json"
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--port", "0"]
    scheduler = subprocess.Popen([*begin, "--host", "127.0.0.1", "--scheduler-file", str(file)], **quiet())
    workers: list[subprocess.Popen[bytes]] = []
    try:
        wait(file.is_file)
        address = json.loads(file.read_text())["address"]
        command = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
        more = ["--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path / "workers")]
        workers += [subprocess.Popen([*command, *more], **quiet()) for _ in range(3)]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=120)
        yield address, workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()


def quiet() -> dict:
    return {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment()}


def environment() -> dict[str, str]:
    paths = [str(Path(longitudinal_al.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}


def wait(is_so) -> None:
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.05)


def test_a_cluster_ends_the_same_though_a_worker_is_killed_on_the_way(plan, tmp_path, cluster):
    address, workers = cluster
    here = experiment(plan, tmp_path / "here")
    assert here.left == 0
    killed = []

    def kill_one(phase: str, share: float) -> None:
        if not killed and phase == "runs":
            workers[0].kill()
            killed.append(phase)

    with executor_of(address) as executor:
        there = experiment(plan, tmp_path / "there", executor=executor, progress=kill_one)
    assert killed and workers[0].wait() != 0
    assert there.left == 0
    for run in runs_of(plan):
        mine, theirs = (_figures(outcome(run, tmp_path / name)) for name in ("here", "there"))
        assert mine == theirs, run.name


def _figures(found):
    """Return what does not depend on the clock."""
    entries = found if isinstance(found, list) else [found]
    return [{key: value for key, value in entry.items() if "seconds" not in key} for entry in entries]


def test_without_a_scheduler_or_workers_it_says_what_to_do(monkeypatch):
    pytest.importorskip("distributed", reason="needs longitudinal-al[cluster]")
    monkeypatch.setattr("longitudinal_al.cluster.PATIENCE", 1.0)
    with pytest.raises(NotReady, match="dask scheduler"), executor_of("tcp://127.0.0.1:9"):
        pass


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NotReady, match=r"longitudinal-al\[cluster\]"), executor_of("tcp://127.0.0.1:9"):
        pass


def test_a_run_is_named_for_people():
    assert Run("typical", None, 3).name == "typical: full labelling, seed 3"
    assert Cohort("typical", difficulty="typical").real is None
