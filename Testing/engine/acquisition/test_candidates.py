from dataclasses import fields

import numpy as np
import pytest

from longitudinal_al.acquisition.candidates import UNUSABLE, Candidates, LabelledSlices
from longitudinal_al.errors import InvalidInput, NotReady

PLACE = {"pair", "patient", "slice", "position_mm", "features"}


def test_a_selector_is_shown_no_label_and_no_reference():
    assert {one.name for one in fields(LabelledSlices)} == PLACE
    assert {one.name for one in fields(Candidates)} == PLACE | {
        *("score", "labelled", "cluster", "round", "rounds"),
        *("difference", "change_score", "predicted_change", "sure_change", "held_back"),
        *("seconds", "time_model"),
    }


def columns(**changed):
    given = {
        "pair": ["a", "a"],
        "patient": ["p", "p"],
        "slice": [1, 2],
        "position_mm": [3.0, 6.0],
        "score": [0, 1],
    }
    return given | changed


def test_lists_become_typed_columns():
    candidates = Candidates(**columns(features=[[1, 2], [3, 4]], cluster=[0, 1]))
    assert candidates.slice.dtype == np.int64
    assert candidates.score.dtype == np.float64
    assert candidates.features.dtype == np.float32
    assert len(candidates) == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"score": [1.0]}, "length"),
        ({"features": [[1.0, 2.0]]}, "features of shape"),
        ({"features": [1.0, 2.0]}, "features of shape"),
        ({"slice": [2, 2]}, "slice 2 of pair a is twice"),
        ({"cluster": [1]}, "clusters"),
        (
            {
                "features": [[1.0, 2.0], [3.0, 4.0]],
                "labelled": LabelledSlices(["a"], ["p"], [9], [27.0], [[1.0]]),
            },
            "same network",
        ),
    ],
)
def test_columns_that_do_not_fit_are_named(changed, words):
    with pytest.raises(InvalidInput, match=words):
        Candidates(**columns(**changed))


def test_order_is_by_pair_then_slice():
    candidates = Candidates(["b", "a", "a"], ["p", "p", "p"], [0, 10, 9], [0.0, 1.0, 2.0], [0, 0, 0])
    assert candidates.order().tolist() == [2, 1, 0]
    taken = candidates.take(candidates.order())
    assert taken.pair.tolist() == ["a", "a", "b"]
    assert taken.slice.tolist() == [9, 10, 0]


def test_missing_features_are_named_with_who_needs_them():
    with pytest.raises(NotReady, match=r"kcenter.*candidates"):
        Candidates(**columns()).needed_features("kcenter")
    labelled = LabelledSlices(["a"], ["p"], [9], [27.0])
    with pytest.raises(NotReady, match=r"kcenter.*labelled"):
        Candidates(**columns(features=[[1.0], [2.0]], labelled=labelled)).needed_features("kcenter")


def test_without_labels_the_labelled_features_are_empty():
    ours, theirs = Candidates(**columns(features=[[1.0, 5.0], [2.0, 5.0]])).needed_features("kcenter")
    assert ours.shape == (2, 2)
    assert theirs.shape == (0, 2)


def test_what_is_not_finite_ranks_last():
    candidates = Candidates(**columns(score=[UNUSABLE, np.inf]))
    assert candidates.ranking_score().tolist() == [-np.inf, -np.inf]


def test_further_columns_follow_the_candidates_and_have_their_length(make_pool):
    pool = Candidates(**columns(seconds=[30, 60], held_back=[False, True], round=2, rounds=5))
    turned = pool.take(np.array([1, 0]))
    assert turned.needed("seconds", "test").tolist() == [60.0, 30.0]
    assert turned.held_back.dtype == bool
    assert (turned.round, turned.rounds) == (2, 5)
    with pytest.raises(InvalidInput, match="length"):
        Candidates(**columns(seconds=[30]))
    with pytest.raises(InvalidInput, match="counted from 1"):
        Candidates(**columns(round=0))


def test_a_missing_column_is_said_with_what_to_do():
    with pytest.raises(NotReady, match=r"score_per_second has to know how many seconds.*annotator's time"):
        Candidates(**columns()).needed("seconds", "score_per_second")
