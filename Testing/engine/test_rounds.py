"""One round on the small cohort, with real scans, labels and training."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.strategies import STRATEGIES, Needs
from longitudinal_al.errors import InvalidInput, NotReady, ProjectBusy, UnknownName
from longitudinal_al.frontend.ranking import RankingReader
from longitudinal_al.lessons import read_lesson
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.contrast_file import contrast_of_pool
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs import pool as pool_module
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.rounds import SPACING_MM, rank, train_round, write_batch

QUICK = TrainingSettings(
    steps=4, pretraining=0, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)


def label(project, pair: str, index: int) -> None:
    mask = Pool.open(project).pairs[pair].reference_slices()[index]
    project.save_label(Label(pair, index, np.ascontiguousarray(mask), "tester", utc_now(), utc_now()))


@pytest.fixture(scope="module")
def trained_once(prepared_once, short_contrast, tmp_path_factory):
    """Label and train once; the network predicts its loss, and the pool's encoders are there."""
    folder = tmp_path_factory.mktemp("trained") / "project"
    shutil.copytree(prepared_once, folder)
    with Project.open(folder) as project:
        pool = Pool.open(project)
        for entry in pool.entries[::9]:
            label(project, entry.pair, entry.slice)
        train_round(project, settings=QUICK, strategy_name="learning_loss")
        contrast_of_pool(folder, pool)
    return folder


@pytest.fixture
def trained_project(trained_once, tmp_path):
    shutil.copytree(trained_once, tmp_path / "trained")
    with Project.open(tmp_path / "trained") as project:
        yield project


def test_a_round_is_written_down_with_its_model(trained_project):
    (finished,) = trained_project.rounds()
    assert finished.number == 1
    assert finished.labels == trained_project.status()["labelled"] > 0
    assert finished.model.parent == trained_project.folder / "models"
    assert len(load_networks(finished.model)) == 1


def test_training_without_labels_says_what_to_do(small_project):
    with pytest.raises(NotReady, match="label at least one"):
        train_round(small_project, settings=QUICK)
    assert small_project.rounds() == []


def test_two_trainings_at_once_are_refused(small_project):
    with small_project.writer_lock("train"), pytest.raises(ProjectBusy):
        train_round(small_project, settings=QUICK)


FOR_USERS = sorted(name for name, one in STRATEGIES.items() if Needs.LABELS not in one.needs)


@pytest.mark.parametrize("name", FOR_USERS)
def test_every_strategy_ranks_the_unlabelled_slice_pairs(trained_project, name):
    done = trained_project.labelled()
    ranking = rank(trained_project, name, 6, seed=3).entries
    asked = [(entry.pair, entry.slice) for entry in ranking]
    assert len(set(asked)) == len(asked) == 6
    assert not set(asked) & done
    assert all(entry.reason.endswith(".") and entry.patient.startswith("patient") for entry in ranking)
    assert asked == [(e.pair, e.slice) for e in rank(trained_project, name, 6, seed=3).entries]


def test_neighbours_of_labels_are_left_out_unless_asked_for(trained_project):
    labelled = trained_project.labelled()

    def nearest(spacing: float) -> float:
        ranking = rank(trained_project, "difference", 12, spacing_mm=spacing).entries
        slices = [(e.pair, e.slice) for e in ranking]
        others = [*labelled, *slices]
        return min(
            abs(index - other) * 4.0
            for pair, index in slices
            for other_pair, other in others
            if pair == other_pair and index != other
        )

    assert nearest(8.0) >= 8.0
    assert nearest(0.0) == 4.0


def test_difference_puts_the_changed_slices_first(small_project):
    best = rank(small_project, "difference", 4, spacing_mm=0).entries
    pool = Pool.open(small_project)
    changed = [pool.pairs[entry.pair].reference_slices()[entry.slice].any() for entry in best]
    assert sum(changed) >= 3
    assert [entry.score for entry in best] == sorted((entry.score for entry in best), reverse=True)


def test_a_written_batch_tells_front_ends_how_far_apart_slices_are(small_project):
    ranking = rank(small_project, "difference", 3).entries
    write_batch(small_project, ranking, "difference")
    reader = RankingReader(small_project.folder)
    read = reader.look()
    while reader.is_reading:
        read = reader.look()
    assert read is not None
    assert [entry.key for entry in read.entries] == [(one.pair, one.slice) for one in ranking]
    assert read.spacing_mm == SPACING_MM
    record = Pool.open(small_project).pairs[ranking[0].pair].record
    assert read.thickness_mm[ranking[0].pair] == record.spacing_mm[0]


def test_a_model_is_asked_for_in_words(small_project):
    with pytest.raises(NotReady, match="longitudinal-al train"):
        rank(small_project, "entropy", 3)


def test_an_unknown_strategy_lists_the_known_ones(small_project):
    with pytest.raises(UnknownName, match="random"):
        rank(small_project, "magic", 3)


@pytest.mark.usefixtures("short_contrast")
def test_ranking_never_reads_a_reference(trained_project, monkeypatch):
    def refuse(path):
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(pool_module, "read_mask", refuse)
    with pytest.raises(AssertionError, match="reference"):
        Pool.open(trained_project).pairs["p0"].reference_slices()
    (trained_project.folder / "models" / "contrast.safetensors").unlink()  # the encoders are trained anew
    variants = ["attention_misalignment:variant=fitted", "typiclust:features=contrast"]
    for name in [*FOR_USERS, *variants]:
        assert rank(trained_project, name, 2).entries
    assert (trained_project.folder / "models" / "contrast.safetensors").is_file()


@pytest.mark.parametrize("name", ["foreground_random", "attention_misalignment:variant=oracle"])
def test_a_yardstick_is_refused_outside_of_simulations(trained_project, name):
    with pytest.raises(NotReady, match="simulate"):
        rank(trained_project, name, 2)


def test_what_looks_at_no_score_has_none(small_project):
    assert {one.score for one in rank(small_project, "random", 4).entries} == {None}
    assert None not in {one.score for one in rank(small_project, "difference", 4).entries}


def test_before_any_label_a_strategy_that_names_its_cold_start_ranks_by_that(small_project):
    ranking = rank(small_project, "recipe", 4).entries
    first = rank(small_project, "difference", 4).entries
    assert [(one.pair, one.slice) for one in ranking] == [(one.pair, one.slice) for one in first]
    assert not (small_project.folder / "models" / "contrast.safetensors").exists()


@pytest.mark.usefixtures("short_contrast")
def test_every_strategy_can_begin_with_another(small_project):
    batch = rank(small_project, "entropy", 4, cold_start="mdal_max")
    alone = rank(small_project, "mdal_max", 4)
    assert [(one.pair, one.slice) for one in batch.entries] == [(e.pair, e.slice) for e in alone.entries]
    assert batch.strategy == "mdal_max"
    assert (small_project.folder / "models" / "contrast.safetensors").is_file()
    with pytest.raises(UnknownName, match="mdal_max"):
        rank(small_project, "entropy", 4, cold_start="magic")


def test_a_beginning_that_needs_a_model_itself_begins_as_it_would_or_is_refused(small_project):
    assert rank(small_project, "entropy", 4, cold_start="recipe").strategy == "difference"
    with pytest.raises(InvalidInput, match="'bald' needs a model itself"):
        rank(small_project, "entropy", 4, cold_start="bald")


def test_a_longer_training_is_another_model(trained_project):
    first = trained_project.rounds()[0]
    second = train_round(trained_project, settings=replace(QUICK, steps=8), seed=1)
    assert second.number == first.number + 1
    assert second.model != first.model


def test_an_ensemble_is_as_many_different_networks_and_begins_with_the_single_one(trained_project):
    single = load_networks(trained_project.rounds()[0].model)
    asked = replace(QUICK, predicts_loss=True)
    finished = train_round(trained_project, settings=asked, members=3)
    members = load_networks(finished.model)
    assert len(members) == 3
    weights = [one.head.weight for one in (*members, *single)]
    assert torch.equal(weights[0], weights[3])
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])


def test_a_training_can_be_asked_for_otherwise_and_that_is_written_down(trained_project):
    usual = {"pretraining": None, "consistency": None, "alignment": None}
    plain = train_round(trained_project, settings=QUICK, otherwise=usual)
    assert plain.figures["steps"] == QUICK.steps
    assert [plain.figures[name] for name in usual] == [0, 0.0, 0.0]
    taught = train_round(trained_project, settings=QUICK, otherwise={**usual, "consistency": 0.5})
    aligned = train_round(trained_project, settings=QUICK, otherwise={**usual, "alignment": 2.0})
    assert (taught.figures["consistency"], aligned.figures["alignment"]) == (0.5, 2.0)
    weights = [load_networks(done.model)[0].head.weight for done in (plain, taught, aligned)]
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_spacing_that_is_switched_off_is_off_for_the_queue_too(trained_project):
    for name, expected in (("recipe:spacing=off", 0.0), ("recipe", SPACING_MM)):
        batch = rank(trained_project, name, 5)
        write_batch(trained_project, batch.entries, batch.strategy)
        assert read_json(ranking_path(trained_project.folder))["spacing_mm"] == expected


def test_times_name_their_model_and_say_why_they_are_not_fitted(trained_project):
    batch = rank(trained_project, "score_per_second", 3)
    assert batch.time_model.name == "assumed"
    assert "30 are the least" in batch.time_model.reason
    assert all("(times assumed)" in entry.reason for entry in batch.entries)
    assert rank(trained_project, "entropy", 3).time_model is None


def test_a_network_trained_for_a_strategy_knows_what_that_asks(small_project):
    for entry in Pool.open(small_project).entries[::9]:
        label(small_project, entry.pair, entry.slice)
    plain, asked = (
        load_networks(train_round(small_project, settings=QUICK, strategy_name=name).model)[0]
        for name in ("entropy", "learning_loss")
    )
    assert plain.loss_head is None
    assert asked.loss_head is not None
    assert rank(small_project, "learning_loss", 2)


def test_labels_of_another_size_are_told_and_not_learned_from(small_project):
    label(small_project, "p0", 9)
    label(small_project, "p1", 9)
    small_project.save_label(Label("p1", 10, np.ones((64, 60), np.uint8), "tester", utc_now(), utc_now()))
    told: list[str] = []
    lesson = read_lesson(small_project, Pool.open(small_project), tell=told.append)
    assert len(lesson.masks) == 2
    assert len(told) == 1 and "p1" in told[0] and "1 of its labels is" in told[0]
