import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.shares import Stratum, by_trust, descending, take_by_shares


def strata(*parts):
    return [Stratum(np.array(order, dtype=np.int64), share) for order, share in parts]


def test_turns_follow_the_shares_and_nothing_is_taken_twice(make_pool):
    pool = make_pool(20, slices=1000)
    given = strata((range(20), 2.0), (range(19, -1, -1), 1.0))
    assert take_by_shares(Neighbours().start(pool), given, 6) == [0, 1, 19, 2, 3, 18]


def test_what_a_stratum_cannot_give_the_others_do(make_pool):
    pool = make_pool(8, slices=1000)
    given = strata(([5], 10.0), ([7, 5, 6], 1.0), ([0], 0.0))
    assert take_by_shares(Neighbours().start(pool), given, 8) == [5, 7, 6]


@pytest.mark.parametrize("at_once", [1, 2, 3, 7])
def test_turns_go_on_where_they_were(make_pool, at_once):
    pool = make_pool(60, slices=1000)
    given = strata((range(60), 0.9), (range(59, -1, -1), 0.1))
    whole = take_by_shares(Neighbours().start(pool), given, 42)
    choice = Neighbours().start(pool)
    while len(choice.chosen) < 42:
        take_by_shares(choice, given, len(choice.chosen) + at_once, taken_before=len(choice.chosen))
    assert choice.chosen == whole
    assert sum(index > 40 for index in whole) == 4


def test_order_and_trust(make_pool):
    assert descending(np.array([0.1, np.nan, 0.5, 0.5, -np.inf])).tolist() == [2, 3, 0, 1, 4]
    pool = make_pool(10, slices=2)
    assert by_trust(np.arange(10.0), pool).tolist() == [7, 6, 5, 4, 3, 2, 1, 0, 9, 8]


def test_a_copied_choice_goes_on_alone(make_pool):
    choice = Neighbours(3.5).start(make_pool(12, slices=3))
    other = choice.copy()
    other.add(0)
    assert choice.chosen == []
    assert choice.open.all()
    assert other.chosen == [0]
    with pytest.raises(AssertionError):
        assert other.open.all()
