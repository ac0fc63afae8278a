"""Painted changes: where they are, what they do to each time, and that the difference answers as it would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.imaging.difference import difference
from longitudinal_al.imaging.normalisation import image_like
from longitudinal_al.pairs.painted_changes import paint, times_swapped
from longitudinal_al.pairs.painted_difference import (
    BASELINE,
    DIFFERENCE,
    FOLLOWUP,
    difference_gain,
    ordinary_tissue,
)
from longitudinal_al.pairs.painted_lesions import CHANGING, INCREASING, Fate, Painting, draw_lesion, shares
from longitudinal_al.pairs.painted_slice_pairs import DOUBTFUL, PaintedSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project

SPACING = (3.0, 1.0, 1.0)
CENTRE = np.array([24, 30])


def tissue(seed: int = 0, slices: int = 3) -> np.ndarray:
    """Return quiet slices: equal scans but for noise, and a difference of unit spread."""
    noise = np.random.default_rng(seed).normal(0, 1, (slices, 3, 48, 60))
    noise[:, :DIFFERENCE] *= 0.2
    return noise.astype(np.float32)


def lesion_of(fate: Fate, generator: np.random.Generator, **how: object):
    painting = Painting(darker=0.0, contrast=(2.0, 3.0), volume_spread=0.2, volume_mm3=300.0, **how)
    while True:
        lesion = draw_lesion(painting, generator, stable=fate is Fate.STABLE)
        if lesion.fate is fate:
            return lesion


@pytest.mark.parametrize("fate", list(Fate))
def test_each_fate_does_what_it_says(fate: Fate, generator: np.random.Generator) -> None:
    stack, lesion = tissue(), lesion_of(fate, generator)
    painted, changed = paint(stack, lesion, CENTRE, SPACING, gain=40.0)
    added = (painted - stack)[1, :DIFFERENCE].sum((-1, -2))
    brighter = {
        Fate.NEW: (False, True),
        Fate.GROWING: (True, True),
        Fate.SHRINKING: (True, True),
        Fate.VANISHED: (True, False),
        Fate.STABLE: (True, True),
    }[fate]
    assert tuple(added > 1) == brighter
    assert changed[1].any() == (fate is not Fate.STABLE)
    if fate is not Fate.STABLE:
        rises = fate in (Fate.NEW, Fate.GROWING)
        assert (added[FOLLOWUP] > added[BASELINE]) == rises
        answer = (painted - stack)[1, DIFFERENCE][changed[1]].mean()
        assert (answer > 5) if rises else (answer < -5)


def test_a_new_lesion_has_its_volume_contrast_and_soft_edges(generator: np.random.Generator) -> None:
    lesion = lesion_of(Fate.NEW, generator, texture=0.0)
    thin = (1.0, 1.0, 1.0)
    stack = tissue(slices=31)
    painted, changed = paint(stack, lesion, CENTRE, thin, gain=40.0)
    volume = 4 / 3 * np.pi * lesion.radius_mm**3
    assert 0.7 * volume < changed.sum() < 1.4 * volume
    middle = painted[15, FOLLOWUP][changed[15]]
    assert np.median(middle) == pytest.approx(lesion.contrast[1], abs=0.3)
    added = (painted - stack)[15, FOLLOWUP] / lesion.contrast[1]
    assert ((added > 0.15) & (added < 0.85)).any()
    assert np.array_equal(painted[:, BASELINE], stack[:, BASELINE])


def test_nothing_is_painted_outside_of_the_scan_or_compared_outside_of_the_foreground(
    generator: np.random.Generator,
) -> None:
    stack = tissue()
    stack[:, :, :, :30] = 0
    painted, _ = paint(stack, lesion_of(Fate.NEW, generator), CENTRE, SPACING, gain=40.0)
    assert not painted[..., :30].any()
    assert painted[:, DIFFERENCE, :, 30:].any()


def test_the_given_slices_are_left_alone(generator: np.random.Generator) -> None:
    stack = tissue()
    before = stack.copy()
    paint(stack, lesion_of(Fate.NEW, generator), CENTRE, SPACING, gain=40.0)
    times_swapped(stack)
    assert np.array_equal(stack, before)


def test_swapped_times_swap_back() -> None:
    stack = tissue()
    swapped = times_swapped(stack)
    assert np.array_equal(swapped[:, BASELINE], stack[:, FOLLOWUP])
    assert np.array_equal(swapped[:, DIFFERENCE], -stack[:, DIFFERENCE])
    assert np.array_equal(times_swapped(swapped), stack)


def test_sizes_and_fates_are_drawn_as_asked_for(generator: np.random.Generator) -> None:
    how = Painting()
    lesions = [draw_lesion(how, generator) for _ in range(800)]
    volumes = np.array([4 / 3 * np.pi * lesion.radius_mm**3 for lesion in lesions])
    assert np.median(volumes) == pytest.approx(how.volume_mm3, rel=0.15)
    assert how.volume_limits_mm3[0] * 0.999 <= volumes.min()
    assert volumes.max() <= how.volume_limits_mm3[1] * 1.001
    for fate, share in zip(CHANGING, how.shares, strict=True):
        assert np.mean([lesion.fate is fate for lesion in lesions]) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize("fate", CHANGING)
def test_a_lesion_may_change_its_brightness_alone(fate: Fate, generator: np.random.Generator) -> None:
    stack, lesion = tissue(), lesion_of(fate, generator, brightness_alone=1.0)
    rises = fate in INCREASING
    assert lesion.before == lesion.after == 1.0
    assert (lesion.contrast[FOLLOWUP] > 1.3 * lesion.contrast[BASELINE]) == rises
    painted, changed = paint(stack, lesion, CENTRE, SPACING, gain=40.0)
    added = (painted - stack)[1, :DIFFERENCE]
    whole = shares(lesion, np.zeros(3))[1]
    assert whole > 0.5 and changed[1][tuple(CENTRE)]
    assert (added.sum((-1, -2)) > 1).all()  # it is there at both times
    assert (added[FOLLOWUP] > added[BASELINE])[changed[1]].mean() == pytest.approx(float(rises), abs=0.2)


def test_changes_of_brightness_alone_are_as_many_as_asked_for(generator: np.random.Generator) -> None:
    lesions = [draw_lesion(Painting(brightness_alone=0.3), generator) for _ in range(800)]
    alone = np.mean([lesion.before == lesion.after for lesion in lesions])
    assert alone == pytest.approx(0.3, abs=0.05)
    assert draw_lesion(Painting(brightness_alone=1.0), generator, stable=True).fate is Fate.STABLE


def test_on_bright_tissue_a_lesion_comes_on_top(generator: np.random.Generator) -> None:
    lesion = lesion_of(Fate.NEW, generator, texture=1.0)
    bright = tissue()
    bright[:, :DIFFERENCE] += 4.0 * (np.hypot(*(np.indices((48, 60)) - CENTRE[:, None, None])) < 12)
    on_quiet, on_bright = (
        paint(stack, lesion, CENTRE, SPACING, gain=40.0)[0][1, FOLLOWUP][tuple(CENTRE)]
        for stack in (tissue(), bright)
    )
    assert on_bright == pytest.approx(on_quiet + 4.0, abs=0.1)


def test_no_part_of_a_lesion_lies_beyond_its_reach(generator: np.random.Generator) -> None:
    directions = generator.normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for _ in range(50):
        lesion = draw_lesion(Painting(), generator)
        before, after = shares(lesion, directions * lesion.reach_mm)
        assert max(before.max(), after.max()) < 0.25


@pytest.fixture(scope="module")
def project(prepared_once: Path) -> Project:
    with Project.open(prepared_once) as project:
        yield project


@pytest.fixture(scope="module")
def pool(project: Project) -> Pool:
    return Pool.open(project)


def test_the_difference_answers_as_preparing_the_painted_scans_would(
    pool: Pool, generator: np.random.Generator
) -> None:
    """Paint into the volumes of a pair, difference them anew, and compare."""
    prepared = pool.pairs["p2"]
    images = {name: sitk.ReadImage(str(prepared.folder / f"{name}.nii.gz")) for name in _VOLUMES}
    stack = np.stack([sitk.GetArrayFromImage(images[name]).astype(np.float32) for name in _VOLUMES[:3]], 1)
    spacing = tuple(prepared.record.spacing_mm)
    painted, answers = stack.copy(), []
    for middle in range(5, 19, 3):
        quiet = np.argwhere(ordinary_tissue(stack[middle]) & (np.abs(stack[middle, DIFFERENCE]) < DOUBTFUL))
        centre = quiet[len(quiet) // 2]
        near = slice(middle - 1, middle + 2)
        how = Painting(volume_mm3=400.0, volume_spread=0.1, contrast=(1.5, 4.0))
        lesion = draw_lesion(how, generator)
        gain = difference_gain(stack[middle], spacing[1:])
        painted[near], changed = paint(stack[near], lesion, centre, spacing, gain)
        answers.append((middle, changed[1] & (stack[middle, DIFFERENCE] != 0)))
    anew = difference(*(image_like(images["baseline"], painted[:, k]) for k in (0, 1)), images["foreground"])
    exact = sitk.GetArrayFromImage(anew)
    ours, true = (
        np.array([np.median(found[middle][changed]) for middle, changed in answers])
        for found in (painted[:, DIFFERENCE], exact)
    )
    assert np.array_equal(np.sign(ours), np.sign(true))
    assert np.corrcoef(ours, true)[0, 1] > 0.8
    assert 0.4 < np.median(true / ours) < 2.5


_VOLUMES = ("baseline", "followup", "difference", "foreground")


def test_examples_have_change_where_it_was_painted_and_are_unsure_where_it_was_not(pool: Pool) -> None:
    examples = PaintedSlicePairs(pool)
    stacks, masks = (one.numpy() for one in examples.draw(40, 32, 0.5, np.random.default_rng(1)))
    assert stacks.shape == (40, 3, 3, 32, 32)
    assert set(np.unique(masks[np.isfinite(masks)])) == {0.0, 1.0}
    assert np.nansum(masks[:20], axis=(1, 2)).astype(bool).mean() > 0.7
    assert not np.nansum(masks[20:])
    large = np.abs(stacks[20:, 1, DIFFERENCE]) > 2 * DOUBTFUL
    stable = large & (masks[20:] == 0)  # a stable lesion moves the difference a little
    assert np.isnan(masks[20:][large]).mean() > 0.8
    assert stable.sum() < 0.3 * large.sum()


def test_a_share_of_the_changes_is_painted_on_bright_tissue(pool: Pool) -> None:
    brighter = []
    for share in (0.0, 1.0):
        painting = Painting(on_bright=share, volume_mm3=20.0, volume_spread=0.1)
        examples = PaintedSlicePairs(pool, painting=painting)
        stacks, masks = (one.numpy() for one in examples.draw(60, 32, 1.0, np.random.default_rng(1)))
        before = np.minimum(stacks[:, 1, BASELINE], stacks[:, 1, FOLLOWUP])
        brighter.append(np.median(before[masks == 1]))
    assert brighter[1] > brighter[0] + 0.5


def test_where_only_new_lesions_count_the_others_are_painted_and_no_change(pool: Pool) -> None:
    vanishing = Painting(shares=(0.0, 0.0, 0.0, 1.0), only_increasing=True)
    _, masks = PaintedSlicePairs(pool, painting=vanishing).draw(20, 32, 1.0, np.random.default_rng(1))
    assert not np.nansum(masks.numpy())


def test_same_seed_gives_the_same_examples(pool: Pool) -> None:
    first, again, other = (
        PaintedSlicePairs(pool).draw(6, 32, 0.5, np.random.default_rng(seed))[0].numpy() for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
