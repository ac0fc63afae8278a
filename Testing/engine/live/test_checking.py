"""Measures of a round on patients it has not learned from."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from longitudinal_al.live.checking import lesion_f1


def pool_of(*slices: tuple[str, int]):
    """A pool that knows whose slices its rows are; voxels of 4 x 1 x 1 mm."""
    record = SimpleNamespace(spacing_mm=[4.0, 1.0, 1.0])
    pairs = {pair: SimpleNamespace(record=record) for pair, _slice in slices}
    return SimpleNamespace(entries=[SimpleNamespace(pair=pair, slice=k) for pair, k in slices], pairs=pairs)


def square(row: int, column: int, size: int = 3) -> np.ndarray:
    mask = np.zeros((16, 16), bool)
    mask[row : row + size, column : column + size] = True
    return mask


NOTHING = np.zeros((16, 16), bool)


def test_lesions_of_all_labelled_slices_and_pairs_count_together() -> None:
    pool = pool_of(("p", 3), ("p", 4), ("q", 9))
    truth = {0: square(1, 1), 1: square(1, 1) | square(8, 8), 2: square(4, 4)}
    predicted = {0: square(1, 1), 1: square(1, 1), 2: square(12, 12)}
    # Three lesions (the first spans two slices), one found; of two predicted ones one is false.
    expected = 2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2)
    assert lesion_f1(pool, predicted, truth) == pytest.approx(expected)


def test_slices_that_are_no_neighbours_make_no_common_lesion() -> None:
    truth = {0: square(1, 1), 1: square(1, 1)}
    predicted = {0: square(1, 1), 1: NOTHING}
    assert lesion_f1(pool_of(("p", 3), ("p", 4)), predicted, truth) == 1.0
    assert lesion_f1(pool_of(("p", 3), ("p", 7)), predicted, truth) == pytest.approx(2 / 3)


def test_change_that_is_too_small_for_a_lesion_has_no_f1() -> None:
    record = SimpleNamespace(spacing_mm=[1.0, 1.0, 1.0])
    pool = SimpleNamespace(
        entries=[SimpleNamespace(pair="p", slice=3)], pairs={"p": SimpleNamespace(record=record)}
    )
    assert math.isnan(lesion_f1(pool, {0: square(1, 1)}, {0: square(5, 5, 1)}))


def test_nothing_found_is_zero() -> None:
    assert lesion_f1(pool_of(("p", 3)), {0: NOTHING}, {0: square(1, 1)}) == 0.0
