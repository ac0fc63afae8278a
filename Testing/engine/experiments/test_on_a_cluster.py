"""Work on a Dask cluster: a real scheduler and three workers, some of which are killed on the way."""

from __future__ import annotations

import sys

import pytest

from longitudinal_al import scoring_elsewhere
from longitudinal_al.cluster import executor_of
from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.experiment import experiment
from longitudinal_al.experiments.runs import outcome, runs_of
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.checkpoint import save_networks
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.records import Round, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.rounds import rank


def test_a_cluster_ends_the_same_though_a_worker_is_killed_on_the_way(
    plan, tmp_path, begun, cluster, without_times
):
    address, workers = cluster
    here = experiment(plan, begun("here"))
    assert here.left == 0
    killed = []

    def kill_one(phase: str, share: float) -> None:
        if not killed and phase == "runs":
            workers[0].kill()
            killed.append(phase)

    with executor_of(address) as executor:
        there = experiment(plan, begun("there"), executor=executor, progress=kill_one)
    assert killed and workers[0].wait() != 0
    assert there.left == 0
    for run in runs_of(plan):
        mine, theirs = (without_times(outcome(run, tmp_path / name)) for name in ("here", "there"))
        assert mine == theirs, run.name


def test_a_pool_is_scored_the_same_though_a_worker_is_killed(small_project: Project, cluster, monkeypatch):
    address, workers = cluster
    monkeypatch.setattr(scoring_elsewhere, "PART", 7)
    model, now = small_project.folder / "models" / "m.safetensors", utc_now()
    save_networks([ChangeNetwork(Architecture(widths=(8, 8, 16, 16)))], model)
    small_project.add_round(Round(1, None, 0, 1, now, now, model, {}))
    here = rank(small_project, "entropy", 10)

    def kill_one(phase: str, done: int, total: int) -> None:
        if done and workers[1].poll() is None:
            workers[1].kill()

    with executor_of(address) as executor:
        there = rank(small_project, "entropy", 10, executor=executor, progress=kill_one)
    assert workers[1].wait() != 0
    # Sums of other batches are rounded otherwise, so slice pairs that are as good may change places.
    mine = {(entry.pair, entry.slice): entry.score for entry in here.entries}
    theirs = {(entry.pair, entry.slice): entry.score for entry in there.entries}
    assert list(theirs.values()) == pytest.approx(list(mine.values()), rel=1e-3)
    both = mine.keys() & theirs.keys()
    assert len(both) >= 8
    assert [theirs[each] for each in both] == pytest.approx([mine[each] for each in both], rel=1e-3)


def test_pairs_are_prepared_the_same_though_a_worker_is_killed(small_cohort, tmp_path, cluster):
    address, workers = cluster

    def prepared(name: str, **how) -> dict[str, bytes]:
        with Project.create(tmp_path / name) as project:
            project.add_pairs(read_pairs_table(small_cohort.table))
            assert prepare_project(project, **how) == []
            assert project.status()["failed_pairs"] == 0
            files = ["baseline.nii.gz", "difference.nii.gz", "transform.tfm"]
            folders = [project.pair_folder(pair.id) for pair in project.pairs()]
            return {f"{each.name}/{file}": (each / file).read_bytes() for each in folders for file in files}

    def kill_one(pair: str, share: float) -> None:
        if pair and workers[2].poll() is None:
            workers[2].kill()

    with executor_of(address) as executor:
        there = prepared("there", executor=executor, progress=kill_one)
    assert workers[2].wait() != 0
    assert there == prepared("here")


def test_without_a_scheduler_or_workers_it_says_what_to_do(monkeypatch):
    pytest.importorskip("distributed", reason="needs longitudinal-al[cluster]")
    monkeypatch.setattr("longitudinal_al.cluster.PATIENCE", 1.0)
    with pytest.raises(NotReady, match="dask scheduler"), executor_of("tcp://127.0.0.1:9"):
        pass


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NotReady, match=r"longitudinal-al\[cluster\]"), executor_of("tcp://127.0.0.1:9"):
        pass
