"""The experiment on a cohort of small scans: in pieces, on a cluster, and what it writes."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.strategies import STRATEGIES
from longitudinal_al.errors import InvalidInput, UnknownName
from longitudinal_al.experiments import experiment as experiment_module
from longitudinal_al.experiments import runs as runs_module
from longitudinal_al.experiments.arm import Arm
from longitudinal_al.experiments.cohorts import Cohort, make_cohort
from longitudinal_al.experiments.experiment import experiment
from longitudinal_al.experiments.plan import SMALL_LEAVES_OUT, full_plan, needs_references, small_plan
from longitudinal_al.experiments.processes import processes
from longitudinal_al.experiments.runs import Run, do_run, outcome, runs_of
from longitudinal_al.network.committee import TOGETHER
from longitudinal_al.project.records import Split
from longitudinal_al.project.store import Project


def silent(phase: str, share: float) -> None:
    """Report nothing."""


def test_real_pairs_are_read_in_both_directions_and_patients_kept_apart(plan, begun):
    with Project.open(make_cohort(plan.cohorts[0], begun("all") / "small", silent)) as project:
        pairs = {pair.id: pair for pair in project.pairs()}
        held_out = plan.cohorts[0].held_out
        assert {pair.patient for pair in project.pairs(Split.TEST)} == {held_out}
        assert all(pair.patient != held_out for pair in project.pairs(Split.POOL))
        for name in [name for name in pairs if not name.endswith("-backwards")]:
            back = pairs[f"{name}-backwards"]
            assert (back.baseline, back.followup) == (pairs[name].followup, pairs[name].baseline)
            assert back.patient == pairs[name].patient


def test_pieces_end_as_the_whole_does_and_the_report_says_what_ran(plan, tmp_path, begun, without_times):
    whole = experiment(plan, begun("whole"))
    assert (whole.runs, whole.left) == (6, 0)
    first = experiment(plan, begun("cut"), seconds=0.0)
    assert first.left == 6 and first.report is None
    for run in runs_of(plan)[:3]:
        assert do_run(run, plan, tmp_path / "cut", time.time() + 600)
    half = experiment(plan, tmp_path / "cut", seconds=0.0)
    assert half.left == 3 and half.report is not None
    assert "small with 1 of 2 seeds" in half.report.read_text(encoding="utf-8")
    assert experiment(plan, tmp_path / "cut").left == 0
    for run in runs_of(plan):
        mine, theirs = (without_times(outcome(run, tmp_path / name)) for name in ("whole", "cut"))
        assert mine == theirs
    page = whole.report.read_text(encoding="utf-8")
    assert "| `bold` |" in page and "| `random` |" in page and "small with 2 of 2 seeds" in page
    figures = json.loads((tmp_path / "whole" / "experiment.json").read_text(encoding="utf-8"))
    assert {row["strategy"] for row in figures["small"]["dice"]} == {"bold", "random"}


def test_a_piece_ends_while_scans_are_made_too_and_the_next_one_goes_on(plan, tmp_path, monkeypatch):
    made = []

    def make(cohort, folder, progress, *, executor):
        for share in (0.0, 0.5, 1.0):
            made.append(share)
            progress(f"{cohort.name}: making scans", share)

    monkeypatch.setattr(experiment_module, "make_cohort", make)
    monkeypatch.setattr(experiment_module, "work_off", lambda runs, *rest, **how: len(runs))
    done = experiment(plan, tmp_path / "piece", seconds=0.0)
    assert (done.report, done.left, made) == (None, done.runs, [0.0, 0.5])
    experiment(plan, tmp_path / "piece", seconds=60.0)
    assert made == [0.0, 0.5, 0.0, 0.5, 1.0]


def test_an_arm_trains_in_its_own_way(plan, begun):
    folder = begun("arms")
    bold, plain = plan.arms[1], Arm.plain("entropy")
    both = replace(plan, arms=(bold, plain), seeds=1)
    for run in runs_of(both)[1:]:
        assert do_run(run, both, folder, time.time() + 600)
    rounds = [outcome(run, folder) for run in runs_of(both)[1:]]
    assert rounds[0][0]["asked"] == rounds[1][0]["asked"]
    learned = [file.read_bytes() for file in (folder / "small/simulation/networks").glob("*.safetensors")]
    assert len(set(learned)) == 4  # two rounds each, though the first batches are the same


def test_arms_are_checked_before_anything_runs():
    with pytest.raises(UnknownName):
        Arm.plain("magic").check()
    with pytest.raises(InvalidInput, match="no such setting"):
        Arm("odd", "random", training={"magic": 1}).check()
    assert ":" not in Arm.plain("recipe:spacing=off").file_name


def test_the_experiment_in_full_has_every_strategy_every_part_of_the_recipe_and_every_training():
    arms = full_plan().arms
    for arm in arms:
        arm.check()
    names = [arm.name for arm in arms]
    assert len(set(names)) == len({arm.file_name for arm in arms}) == len(names)
    assert set(STRATEGIES) <= set(names)
    assert {f"recipe without {part}" for part in ("changes", "spacing", "pretraining")} <= set(names)
    asked = {field for arm in arms for field in arm.training}
    assert asked == {"pretraining", "consistency", "alignment", "rehearsal", "augmentation"}
    marked = {arm.name for arm in arms if needs_references(arm)}
    assert marked == {"foreground_random", "attention_misalignment:variant=oracle"}


def test_the_small_experiment_is_a_part_of_the_one_in_full_and_its_rounds_are_shorter():
    small, full = small_plan(), full_plan()
    names = {arm.name for arm in full.arms}
    assert {arm.name for arm in small.arms} | set(SMALL_LEAVES_OUT) <= names
    assert not {arm.name for arm in small.arms} & set(SMALL_LEAVES_OUT)
    assert small.training.steps < full.training.steps
    assert small.training == replace(full.training, steps=small.training.steps)


def test_a_run_is_named_for_people():
    assert Run("typical", None, 3).name == "typical: full labelling, seed 3"
    assert Cohort("typical", difficulty="typical").real is None


def test_leading_arms_come_with_every_seed_before_the_others(plan):
    arms = tuple(Arm.plain(name) for name in ("bald", "random", "recipe"))
    names = [(run.seed, run.arm.name if run.arm else None) for run in runs_of(replace(plan, arms=arms))]
    assert names[:4] == [(0, None), (1, None), (0, "recipe"), (0, "random")]
    assert [name for _, name in names[-plan.seeds :]] == ["bald"] * plan.seeds


@pytest.fixture
def one_thread():
    """Compute as each of several processes does: sums over threads are rounded in another order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_processes_of_this_computer_find_what_one_finds(plan, tmp_path, begun, without_times):
    one = replace(plan, seeds=1, arms=plan.arms[:1])
    with processes(2) as executor:
        done = experiment(one, begun("two"), executor=executor)
    assert (done.left, experiment(one, begun("one")).left) == (0, 0)
    for run in runs_of(one):
        first, second = (without_times(outcome(run, tmp_path / name)) for name in ("one", "two"))
        assert first == second


def test_what_is_done_elsewhere_is_told_before_a_run_ends(plan, begun, monkeypatch):
    monkeypatch.setattr(runs_module, "LOOK_SECONDS", 0.02)
    one, told, folder = replace(plan, seeds=1, arms=plan.arms[:1]), [], begun("told")

    def tell(phase: str, share: float) -> None:
        if phase == "runs":
            told.append(share)

    with ThreadPoolExecutor(1) as elsewhere:
        experiment(one, folder, executor=elsewhere, progress=tell)
    assert told == sorted(told)
    assert told[-1] == 1.0
    training = one.training
    full, arm = training.pretraining + TOGETHER * training.steps, len(one.fractions) * training.steps
    between_runs = np.array([0.0, full, arm, full + arm]) / (full + arm)
    assert np.abs(np.subtract.outer(told, between_runs)).min(axis=1).max() > 1e-6
    assert not list(folder.rglob("*.begun"))

    told.clear()
    next(folder.rglob("runs/random-seed0.json")).unlink()
    experiment(one, folder, seconds=0.0, progress=tell)
    assert told[0] == pytest.approx(full / (full + arm))
