"""Lesions: sizes, fates and outlines."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from longitudinal_al.synthesis.difficulty import TYPICAL
from longitudinal_al.synthesis.head import Head
from longitudinal_al.synthesis.lesions import (
    REAL_CHANGES_A_PATIENT,
    REAL_VOLUME_PERCENTILES,
    Fate,
    _draw_lesion,
    draw_fates,
    paint_lesions,
)

SHAPE = (60, 60, 60)


@pytest.fixture
def white_head():
    """A block of white matter."""
    empty = torch.zeros(SHAPE)
    return Head(empty, torch.ones(SHAPE), empty, torch.ones(SHAPE), empty, empty, empty)


def painted(head, fate, generator):
    lesion = _draw_lesion(np.array([30.2, 29.7, 30.4]), fate, generator, TYPICAL.volume)
    return lesion, paint_lesions(head, [lesion], torch.zeros(SHAPE))


def test_a_new_lesion_has_its_volume_and_is_all_change(white_head, generator):
    lesion, maps = painted(white_head, Fate.NEW, generator)
    volume = 4 / 3 * np.pi * lesion.radius**3
    assert float(maps.after.sum()) == pytest.approx(volume, rel=0.3)  # soft edges add to small ones
    assert float(maps.before.sum()) == 0
    assert torch.equal(maps.changed(), maps.after)


def test_fates_change_the_visit_that_they_should(white_head, generator):
    sizes = {}
    for fate in Fate:
        _, maps = painted(white_head, fate, generator)
        sizes[fate] = (float(maps.before.sum()), float(maps.after.sum()), float(maps.changed().sum()))
    assert sizes[Fate.STABLE][2] == 0 < sizes[Fate.STABLE][0]
    assert sizes[Fate.VANISHED][1] == 0 < sizes[Fate.VANISHED][0]
    assert sizes[Fate.GROWING][1] > 2 * sizes[Fate.GROWING][0] > 0
    assert sizes[Fate.SHRINKING][0] > 2 * sizes[Fate.SHRINKING][1] > 0


def test_lesions_stop_at_fluid(white_head, generator):
    fluid = torch.zeros(SHAPE)
    fluid[:, :, 30:] = 1
    head = Head(white_head.gm, 1 - fluid, fluid, white_head.texture, *[white_head.gm] * 3)
    _, maps = painted(head, Fate.NEW, generator)
    assert float(maps.after[:, :, 30:].sum()) == 0 < float(maps.after.sum())


def test_counts_and_sizes_are_those_of_the_public_masks(generator):
    counts = [len([f for f in draw_fates(generator, True) if f is not Fate.STABLE]) for _ in range(300)]
    assert REAL_CHANGES_A_PATIENT[0] <= np.median(counts) <= REAL_CHANGES_A_PATIENT[1]
    assert max(counts) <= REAL_CHANGES_A_PATIENT[1]
    drawn = (_draw_lesion(np.zeros(3), Fate.NEW, generator, TYPICAL.volume) for _ in range(300))
    volumes = [4 / 3 * np.pi * lesion.radius**3 for lesion in drawn]
    assert REAL_VOLUME_PERCENTILES[50] <= np.median(volumes) <= REAL_VOLUME_PERCENTILES[75]
    assert np.percentile(volumes, 95) <= REAL_VOLUME_PERCENTILES[99]
    assert np.min(volumes) >= REAL_VOLUME_PERCENTILES[10]


def test_without_change_all_lesions_are_stable(generator):
    assert set(draw_fates(generator, False)) == {Fate.STABLE}
    assert set(draw_fates(generator, True) * 1) >= {Fate.STABLE, Fate.NEW}
