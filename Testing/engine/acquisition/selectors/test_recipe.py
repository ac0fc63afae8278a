"""The recipe's batches: sure change at first, then doubt, and what each setting does."""

from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.recipe import FEW_PATIENTS, SEEN_LITTLE
from longitudinal_al.acquisition.strategies import strategy


def rank(text, pool, batch, spacing_mm=0.0, seed=0):
    return strategy(text).selector(pool, batch, Neighbours(spacing_mm), np.random.default_rng(seed))


@pytest.fixture
def pool_with(make_pool):
    """Make pools of 200 slice pairs beside so many labelled ones; the first 50 lead by doubt."""

    def make(labelled, patients=FEW_PATIENTS):
        numbers = np.arange(200 + labelled)
        pool = make_pool(len(numbers), labelled=labelled, slices=1000)
        score = np.where(numbers[:200] < 50, 1 - numbers[:200] / 100, 0.1)
        whose = np.array([f"patient {number % (patients - 1)}" for number in numbers])
        others = replace(pool.labelled, patient=np.full(labelled, "the only one who is labelled whole"))
        return replace(pool, score=score, patient=whose[:200], labelled=others)

    return make


def test_doubt_comes_first(pool_with):
    assert rank("recipe", pool_with(SEEN_LITTLE), 5) == [0, 1, 2, 3, 4]


def test_until_enough_are_labelled_what_has_surely_changed_comes_first(pool_with):
    pool = replace(pool_with(SEEN_LITTLE - 3), sure_change=np.arange(200.0), held_back=None)
    assert rank("recipe", pool, 6) == [199, 198, 197, 0, 1, 2]
    assert rank("recipe:changes=off", pool, 4) == [0, 1, 2, 3]
    seen = replace(pool_with(SEEN_LITTLE), sure_change=np.arange(200.0), held_back=None)
    assert rank("recipe", seen, 4) == [0, 1, 2, 3]


def test_of_few_patients_the_clearest_changes_are_not_asked_for(pool_with):
    few = pool_with(3, patients=FEW_PATIENTS - 1)
    assert few.patients == FEW_PATIENTS - 1
    few = replace(few, sure_change=np.arange(200.0), held_back=None)
    assert rank("recipe", few, 4) == [0, 1, 2, 3]


def test_what_the_model_cannot_judge_is_not_taken_for_sure_change(pool_with):
    pool = pool_with(3)
    score = pool.score.copy()
    score[199] = np.nan
    pool = replace(pool, score=score, sure_change=np.arange(200.0), held_back=None)
    assert rank("recipe", pool, 200)[-1] == 199


def test_pairs_in_doubt_come_last_by_sure_change_too(pool_with):
    held_back = np.arange(200) >= 150
    pool = replace(pool_with(3), sure_change=np.arange(200.0), held_back=held_back)
    assert rank("recipe", pool, 2) == [149, 148]


def test_the_spacing_that_is_asked_for_is_kept_unless_switched_off(make_pool):
    pool = make_pool(60, slices=60, spacing_mm=1.0)

    def nearest(text):
        places = np.sort(pool.position_mm[rank(text, pool, 10, spacing_mm=5.0)])
        return np.diff(places).min()

    assert nearest("recipe") >= 5.0
    assert nearest("recipe:spacing=off") < 5.0
