"""The cost model and its fit to an annotator's times."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import InvalidInput
from longitudinal_al.evaluation.annotation_cost import ASSUMED, CostModel, Work, expected_work, work_of
from longitudinal_al.evaluation.annotation_log import LEAST_LABELS, SecondsPredictor, cost_of_log, fit_cost
from longitudinal_al.evaluation.oracle import ANNOTATOR
from longitudinal_al.network.architecture import Architecture
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.rounds import rank, train_round

QUICK = TrainingSettings(
    steps=2, pretraining=0, batch=4, patch=32, architecture=Architecture(widths=(8, 8, 16, 16))
)
TRUTH = CostModel("true", look_seconds=4.0, first_seconds=25.0, change_seconds=15.0, mm2_seconds=0.02)


def made_up_work(n: int, generator: np.random.Generator) -> Work:
    changes = generator.poisson(1.2, n).astype(float)
    return Work(changes * generator.uniform(10, 80, n), changes, np.arange(n) % 6 == 0)


def test_seconds_are_the_sum_of_look_first_changes_and_area() -> None:
    model = CostModel("by hand", 5.0, 10.0, 3.0, 0.5)
    work = Work(np.array([0.0, 20.0]), np.array([0.0, 2.0]), np.array([True, False]))
    assert model.seconds(work).tolist() == [15.0, 21.0]


def test_work_is_read_off_masks_in_their_order() -> None:
    two = np.zeros((8, 8), np.uint8)
    two[1:3, 1:3] = two[6, 6] = 1
    corner = np.eye(8, dtype=np.uint8)  # touches by corners: one change
    work = work_of([two, corner, two * 0], [0.5, 1.0, 1.0], ["a", "a", "b"], opened=["b"])
    assert work.changed_mm2.tolist() == [2.5, 8.0, 0.0]
    assert work.changes.tolist() == [2.0, 1.0, 0.0]
    assert work.first.tolist() == [True, False, False]


@pytest.mark.parametrize(
    "columns",
    [
        ([-1.0], [0.0], [True]),
        ([np.nan], [0.0], [True]),
        ([1.0], [np.inf], [True]),
        ([1.0], [1.0, 2.0], [True]),
    ],
)
def test_nonsense_is_refused(columns: tuple[list, ...]) -> None:
    with pytest.raises(InvalidInput):
        Work(*(np.array(column) for column in columns))
    good = made_up_work(5, np.random.default_rng(0))
    with pytest.raises(InvalidInput):
        fit_cost(good, np.ones(4))


def test_the_fit_finds_the_annotators_numbers(generator: np.random.Generator) -> None:
    work = made_up_work(300, generator)
    times = TRUTH.seconds(work) * np.exp(generator.normal(0, 0.2, 300))
    fitted = fit_cost(work, times)
    assert fitted.labels == 300
    assert fitted.name == "fitted to 300 labels"
    assert fitted.numbers == pytest.approx(TRUTH.numbers, rel=0.35, abs=0.1)


def test_a_few_forgotten_pauses_do_not_move_it(generator: np.random.Generator) -> None:
    work = made_up_work(200, generator)
    times = TRUTH.seconds(work) * np.exp(generator.normal(0, 0.2, 200))
    steady = fit_cost(work, times)
    times[::20] = 800.0
    assert fit_cost(work, times).numbers == pytest.approx(steady.numbers, rel=0.6, abs=0.3)


def test_few_labels_and_imported_labels_leave_the_assumed_model(generator: np.random.Generator) -> None:
    work = made_up_work(100, generator)
    times = TRUTH.seconds(work)
    few = Work(
        work.changed_mm2[: LEAST_LABELS - 1], work.changes[: LEAST_LABELS - 1], work.first[: LEAST_LABELS - 1]
    )
    for given in (
        fit_cost(few, times[: len(few)]),
        fit_cost(work, np.zeros(100)),
        fit_cost(work, times + 1e4),
    ):
        assert replace(given, reason="") == ASSUMED
        assert "least" in given.reason


def test_times_that_are_as_assumed_leave_the_assumed_model(generator: np.random.Generator) -> None:
    work = made_up_work(40, generator)
    given = fit_cost(work, ASSUMED.seconds(work))  # which is exactly right: no fit can be better
    assert given.name == "assumed"
    assert "no better on labels that it has not seen" in given.reason
    assert np.array_equal(given.numbers, ASSUMED.numbers)


def test_expected_areas_cost_more_the_larger_they_are() -> None:
    seconds = ASSUMED.seconds(expected_work(np.array([0.0, 30.0, 300.0]), np.zeros(3, bool)))
    assert seconds[0] == ASSUMED.look_seconds
    assert seconds[1] == pytest.approx(8.0 + 6.0 + 3.0)
    assert seconds[2] > seconds[1]


@pytest.fixture(scope="module")
def pool(prepared_once: Path) -> Pool:
    with Project.open(prepared_once) as project:
        return Pool.open(project)


def label_of(pool: Pool, place: int, seconds: float, annotator: str = "anna") -> Label:
    pair = ("p0", "p1")[place % 2]
    mask = np.zeros(pool.pairs[pair].grid_shape, np.uint8)
    mask[10 : 10 + place % 5, 10:20] = 1
    ended = utc_now() + timedelta(minutes=place)
    return Label(pair, abs(place) // 2, mask, annotator, ended - timedelta(seconds=seconds), ended)


def test_the_log_of_the_last_annotator_alone_counts(pool: Pool) -> None:
    def times_of(work: Work) -> np.ndarray:
        return 10.0 + 2.0 * work.changes + 30.0 * work.first

    drawn = [label_of(pool, place, 1.0) for place in range(40)]
    work = work_of([label.mask for label in drawn], [4.0] * 40, [label.pair for label in drawn])
    own = [label_of(pool, place, float(t)) for place, t in enumerate(times_of(work))]
    others = [label_of(pool, place, 500.0, "earlier") for place in range(-40, 0)]
    simulated = [label_of(pool, place, 77.0, ANNOTATOR) for place in range(60, 120)]
    model = cost_of_log([*simulated, *own, *others], pool)
    assert model.labels == 40
    assert model.seconds(work)[2:] == pytest.approx(times_of(work)[2:], rel=0.25)
    assert model.first_seconds > ASSUMED.first_seconds  # two labels say little against the leaning
    assert replace(cost_of_log(simulated, pool), reason="") == ASSUMED
    assert "0 labels" in cost_of_log([], pool).reason


def test_seconds_are_predicted_for_rows_of_the_pool(pool: Pool) -> None:
    predict = SecondsPredictor(pool, ASSUMED, opened=frozenset({"p0"}))
    rows = [pool.index[("p0", 9)], pool.index[("p1", 9)], pool.index[("p1", 10)]]
    pixel = np.prod(pool.voxel_mm(rows[0])[1:])
    seconds = predict(rows, np.array([30.0 / pixel, 0.0, -1.0]))
    assert seconds[:2] == pytest.approx([8.0 + 6.0 + 3.0, 8.0 + 12.0])
    assert np.isnan(seconds[2])
    assert predict([], np.zeros(0)).shape == (0,)


def test_a_project_ranks_by_score_per_second(small_project: Project) -> None:
    pool = Pool.open(small_project)
    for place in range(2):
        small_project.save_label(label_of(pool, place + 20, 30.0))
    train_round(small_project, settings=QUICK)
    batch = rank(small_project, "score_per_second", 4)
    assert len(batch.entries) == 4
