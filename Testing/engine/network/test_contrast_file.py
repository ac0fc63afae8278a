"""What the two encoders say is learned once for a project, and again when its pool changes."""

from __future__ import annotations

import numpy as np
import pytest

from longitudinal_al.network import contrast_file
from longitudinal_al.network.contrast import ContrastSettings
from longitudinal_al.network.contrast_file import contrast_of_pool, contrast_path
from longitudinal_al.pairs.pool import Pool

QUICK = ContrastSettings(steps=3, batch=8, widths=(8, 8), size=8)


@pytest.fixture
def trainings(monkeypatch):
    """Count the trainings that are really done."""
    counted = []
    real = contrast_file.train_contrast

    def counting(*args, **given):
        counted.append(1)
        return real(*args, **given)

    monkeypatch.setattr(contrast_file, "train_contrast", counting)
    return counted


def test_it_is_learned_once(small_project, trainings):
    pool = Pool.open(small_project)
    shares = []
    first = contrast_of_pool(small_project.folder, pool, settings=QUICK, progress=shares.append)
    again = contrast_of_pool(small_project.folder, Pool.open(small_project), settings=QUICK)
    assert len(trainings) == 1
    assert shares[-1] == pytest.approx(1.0)
    assert np.array_equal(first.difference, again.difference)
    assert np.array_equal(first.features, again.features)
    assert first.difference.shape == (len(pool),)


def test_another_pool_or_other_settings_are_learned_anew(small_project, trainings):
    pool = Pool.open(small_project)
    contrast_of_pool(small_project.folder, pool, settings=QUICK)
    smaller = Pool(list(pool.pairs.values())[:-1], pool.size)
    assert len(contrast_of_pool(small_project.folder, smaller, settings=QUICK).difference) == len(smaller)
    contrast_of_pool(small_project.folder, smaller, settings=ContrastSettings(steps=2, widths=(8,), size=4))
    assert len(trainings) == 3


@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_file_is_made_again(small_project, trainings, damage):
    pool = Pool.open(small_project)
    before = contrast_of_pool(small_project.folder, pool, settings=QUICK)
    path = contrast_path(small_project.folder)
    path.write_bytes(path.read_bytes()[:300] if damage == "cut" else b"\0" * 3000)
    after = contrast_of_pool(small_project.folder, pool, settings=QUICK)
    assert len(trainings) == 2
    assert np.array_equal(before.difference, after.difference)


def test_each_seed_learns_its_own_and_keeps_it(small_project, trainings):
    pool = Pool.open(small_project)
    both = [contrast_of_pool(small_project.folder, pool, seed=seed, settings=QUICK) for seed in (0, 1)]
    again = [contrast_of_pool(small_project.folder, pool, seed=seed, settings=QUICK) for seed in (0, 1)]
    assert len(trainings) == 2
    assert not np.array_equal(both[0].difference, both[1].difference)
    assert all(np.array_equal(a.difference, b.difference) for a, b in zip(both, again, strict=True))
