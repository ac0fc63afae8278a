"""The simulated annotator: exact without faults, and wrong in the measure that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from longitudinal_al.errors import InvalidInput
from longitudinal_al.evaluation.dice import dice
from longitudinal_al.evaluation.oracle import HumanFaults, Oracle

PIXEL = (0.5, 0.8)


def squares(side: int, count: int = 15) -> np.ndarray:
    mask = np.zeros((count * (side + 2), count * (side + 2)), dtype=np.uint8)
    for row in range(count):
        for column in range(count):
            top, left = row * (side + 2), column * (side + 2)
            mask[top : top + side, left : left + side] = 1
    return mask


def disc(radius_mm: float, spacing_mm: tuple[float, float], shape: tuple[int, int] = (120, 90)) -> np.ndarray:
    rows, columns = (np.arange(n) - n // 2 for n in shape)
    distance = np.hypot(rows[:, None] * spacing_mm[0], columns * spacing_mm[1])
    return (distance <= radius_mm).astype(np.uint8)


def test_without_faults_the_label_is_the_reference(generator: np.random.Generator) -> None:
    reference = squares(3) * 2
    label = Oracle(generator).label(reference, PIXEL)
    assert label.dtype == np.uint8
    assert np.array_equal(label, reference > 0)
    assert Oracle.annotator == "simulated"


@pytest.mark.parametrize(("side", "missed"), [(5, 0.5), (10, 0.0625)])
def test_lesions_are_missed_by_their_area_in_mm2(
    generator: np.random.Generator, side: int, missed: float
) -> None:
    # 5 x 5 pixels of 0.4 mm2 are 10 mm2: half of those are missed; four times the area: (1/2) ** 4.
    reference = squares(side)
    label = Oracle(generator, HumanFaults(half_missed=10.0)).label(reference, PIXEL)
    _, seen = ndimage.label(label)
    assert 1 - seen / 225 == pytest.approx(missed, abs=0.08)
    assert not label[reference == 0].any()
    assert label.sum() == seen * side * side


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.4, 0.8)])
def test_outlines_move_by_the_distance_asked_for_in_mm(
    generator: np.random.Generator, spacing: tuple[float, float]
) -> None:
    radius, deviation = 15.0, 1.5
    reference = disc(radius, spacing)
    rows, columns = (np.arange(n) - n // 2 for n in reference.shape)
    angle = np.arctan2(columns * spacing[1], rows[:, None] * spacing[0])
    sector = ((angle + np.pi) / (2 * np.pi) * 24).astype(int) % 24

    def radii(mask: np.ndarray) -> np.ndarray:
        area = np.bincount(sector[mask > 0], minlength=24) * spacing[0] * spacing[1]
        return np.sqrt(area * 24 / np.pi)

    oracle = Oracle(generator, HumanFaults(outline_mm=deviation, outline_smoothness_mm=3.0))
    moved = [radii(oracle.label(reference, spacing)) - radii(reference) for _ in range(25)]
    assert abs(np.mean(moved)) < 0.2
    # A sector of 4 mm averages over a displacement that is smooth over 3 mm: a little is lost.
    assert 0.75 * deviation < np.std(moved) < 1.15 * deviation


def test_shaky_outlines_lose_no_lesion_and_stay_near(generator: np.random.Generator) -> None:
    reference = squares(2)
    label = Oracle(generator, HumanFaults(outline_mm=2.0)).label(reference, (1.0, 1.0))
    components, count = ndimage.label(reference)
    assert (ndimage.maximum(label, components, np.arange(1, count + 1)) == 1).all()
    assert 0.3 < dice(label > 0, reference > 0) < 1.0


def test_slices_without_change_stay_empty(generator: np.random.Generator) -> None:
    faults = HumanFaults(half_missed=5.0, outline_mm=1.0)
    assert not Oracle(generator, faults).label(np.zeros((20, 20)), PIXEL).any()


def test_volumes_work_as_slices_do(generator: np.random.Generator) -> None:
    reference = np.zeros((7, 40, 40), dtype=np.uint8)
    reference[2:5, 10:25, 10:25] = 1
    label = Oracle(generator, HumanFaults(outline_mm=1.0)).label(reference, (3.0, 1.0, 1.0))
    assert label.shape == reference.shape
    assert 0.5 < dice(label > 0, reference > 0) < 1.0


def test_the_same_seed_makes_the_same_mistakes() -> None:
    faults = HumanFaults(half_missed=4.0, outline_mm=1.0)
    first, again, other = (
        Oracle(np.random.default_rng(seed), faults).label(squares(4), (1.0, 1.0)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_faults_below_zero_are_refused() -> None:
    with pytest.raises(InvalidInput, match="below zero"):
        HumanFaults(outline_mm=-1.0)
