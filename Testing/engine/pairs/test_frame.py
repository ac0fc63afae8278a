import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longitudinal_al.pairs.frame import Frame


def box(shape: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
    inside = np.zeros(shape, bool)
    inside[rows, columns] = True
    return inside


def test_equal_pixels_are_cropped_and_come_back_unchanged():
    inside = box((50, 60), slice(10, 30), slice(20, 55))
    frame = Frame.around(inside, (0.9, 0.9), 0.905)
    image = np.random.default_rng(1).random((50, 60)).astype(np.float32)
    assert frame.is_a_plain_crop
    assert (frame.rows, frame.columns) == (20, 35)
    cropped = frame.to_network(image)
    np.testing.assert_array_equal(cropped, image[10:30, 20:55])
    np.testing.assert_array_equal(frame.to_grid(cropped), image * inside)


def test_coarser_pixels_keep_places_in_millimetres():
    inside = box((80, 100), slice(8, 72), slice(10, 90))
    frame = Frame.around(inside, (0.5, 0.8), 1.0)
    assert (frame.rows, frame.columns) == (32, 64)
    row, column = np.mgrid[:80, :100].astype(np.float32)
    seen = frame.to_network(row)
    expected = 8 + (np.arange(32) + 0.5) * 2 - 0.5
    np.testing.assert_allclose(seen[:, 30], expected, atol=1e-4)
    back = frame.to_grid(frame.to_network(column))
    np.testing.assert_allclose(back[20:60, 20:80], column[20:60, 20:80], atol=1e-3)


def test_mask_area_survives_the_way_there_and_back():
    row, column = np.mgrid[:120, :120]
    disc = (row - 60) ** 2 + (column - 55) ** 2 < 20**2
    frame = Frame.around(box((120, 120), slice(20, 100), slice(20, 100)), (0.7, 0.7), 1.0)
    back = frame.to_grid(frame.mask_to_network(disc).astype(np.float32)) >= 0.5
    dice = 2 * (back & disc).sum() / (back.sum() + disc.sum())
    assert dice > 0.96


@given(
    st.integers(5, 60),
    st.integers(5, 60),
    st.floats(0.4, 2.0),
    st.floats(0.5, 1.5),
)
def test_the_window_always_holds_the_whole_foreground(rows, columns, spacing, pixel):
    inside = box((70, 70), slice(4, 4 + rows), slice(6, 6 + columns))
    frame = Frame.around(inside, (spacing, spacing), pixel)
    covered = frame.to_grid(np.ones((frame.rows, frame.columns), np.float32)) > 0
    assert covered[inside].all()


def test_no_foreground_gives_the_whole_slice():
    frame = Frame.around(np.zeros((40, 30), bool), (1.0, 1.0), 1.0)
    assert (frame.rows, frame.columns) == (40, 30)


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_constant_stays_constant_inside(value):
    frame = Frame.around(box((64, 64), slice(10, 50), slice(10, 50)), (0.8, 0.8), 1.0)
    np.testing.assert_allclose(frame.to_network(np.full((64, 64), value)), value, rtol=1e-6)
