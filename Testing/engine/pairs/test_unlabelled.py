"""Patches of slice pairs without label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.unlabelled import DIFFERENCE, LARGE_DIFFERENCE, UnlabelledSlicePairs
from longitudinal_al.project.store import Project


@pytest.fixture(scope="module")
def pool(prepared_once: Path) -> Pool:
    with Project.open(prepared_once) as project:
        return Pool.open(project)


def test_windows_lie_in_the_slice_pair_and_its_neighbours(pool: Pool) -> None:
    examples = UnlabelledSlicePairs(pool, [5, 9], neighbours=1)
    window = examples.window(9, 24, np.random.default_rng(1), differing=False)
    assert np.array_equal(examples.read([9], [window])[0], pool.stacks([9], 1)[0][(..., *window)])
    assert examples.draw(6, 24, np.random.default_rng(1)).shape == (6, 3, 3, 24, 24)


def test_half_are_centred_where_the_scans_differ(pool: Pool) -> None:
    largest = np.array([np.abs(pool.stacks([row])[0, 0, DIFFERENCE]).max() for row in range(len(pool))])
    differing = np.flatnonzero(largest > LARGE_DIFFERENCE).tolist()
    assert differing
    examples = UnlabelledSlicePairs(pool, differing, neighbours=0)
    patches = examples.draw(40, 16, np.random.default_rng(2))[:, 0, DIFFERENCE]
    large = (patches.abs().amax((1, 2)) > LARGE_DIFFERENCE).numpy()
    assert large[:20].all()
    assert not large[20:].all()


def test_same_seed_gives_the_same_patches(pool: Pool) -> None:
    examples = UnlabelledSlicePairs(pool, range(len(pool)))
    first, again, other = (examples.draw(4, 16, np.random.default_rng(seed)).numpy() for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_slice_pair_is_said_in_words(pool: Pool) -> None:
    with pytest.raises(NotReady, match="prepare"):
        UnlabelledSlicePairs(pool, [])
