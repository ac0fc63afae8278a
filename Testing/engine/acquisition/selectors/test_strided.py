import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.strided import bit_reversed, strided


@pytest.mark.parametrize(("count", "batch"), [(60, 6), (60, 7), (61, 5), (100, 33)])
def test_slices_lie_a_stride_apart_all_over_the_pool(make_pool, count, batch):
    chosen = np.sort(strided(make_pool(count), batch, Neighbours(), np.random.default_rng(3)))
    around = np.diff(np.append(chosen, chosen[0] + count))
    assert set(around.tolist()) <= {count // batch, -(-count // batch)}


def test_every_patient_gets_his_share_and_a_short_batch_is_spread(make_pool):
    candidates = make_pool(240, slices=30)
    chosen = strided(candidates, 8, Neighbours(), np.random.default_rng(0))
    assert sorted(candidates.patient[chosen]) == sorted([f"patient{number}" for number in range(4)] * 2)
    assert len(set(candidates.patient[chosen[:4]])) == 4


def test_a_batch_stays_full_when_strides_meet_labelled_slices(make_pool):
    candidates = make_pool(240, labelled=40, slices=30, spacing_mm=1.0)
    assert len(strided(candidates, 12, Neighbours(2.0), np.random.default_rng(0))) == 12


def test_bit_reversed_order():
    assert bit_reversed(8).tolist() == [0, 4, 2, 6, 1, 5, 3, 7]
    assert bit_reversed(5).tolist() == [0, 4, 2, 1, 3]
    assert bit_reversed(1).tolist() == [0]
