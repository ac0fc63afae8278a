"""What the strips show is what was asked for first, read from a real pool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from longitudinal_al.experiments.plots import png, strip_figure
from longitudinal_al.experiments.strips import first_asked
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project


@pytest.fixture
def pool(small_project: Project) -> Pool:
    return Pool.open(small_project)


def asking(pool: Pool, rounds: dict[tuple[str, int], list[list[int]]]) -> dict[str, Any]:
    """Return results in which (strategy, seed) asked for these rows of the pool, round by round."""
    return {
        "results": [
            {
                "strategy": strategy,
                "seed": seed,
                "round": number,
                "asked": [{"pair": pool.entries[row].pair, "slice": pool.entries[row].slice} for row in rows],
            }
            for (strategy, seed), batches in rounds.items()
            for number, rows in enumerate(batches, start=1)
        ]
    }


def test_first_slice_pairs_of_the_first_seed_in_the_order_asked(pool: Pool) -> None:
    results = asking(pool, {("random", 3): [[5, 1], [8]], ("entropy", 3): [[2]], ("random", 4): [[7, 9]]})
    strips = first_asked(results, pool, count=6)
    assert list(strips) == ["random", "entropy"]
    expected = [(pool.entries[row].pair, pool.entries[row].slice) for row in (5, 1, 8)]
    assert [(one.pair, one.slice) for one in strips["random"]] == expected
    assert len(first_asked(results, pool, count=2)["random"]) == 2


def test_images_and_reference_are_those_of_the_slice_pair(pool: Pool) -> None:
    changed = [
        row
        for row, entry in enumerate(pool.entries)
        if pool.pairs[entry.pair].reference_slices()[entry.slice].sum() > 20
    ]
    (one,) = first_asked(asking(pool, {("random", 0): [[changed[0]]]}), pool)["random"]
    channels = pool.stacks([changed[0]])[0, 0].astype(float)
    for image, channel in zip((one.baseline, one.followup, one.difference), channels, strict=True):
        assert np.array_equal(image, channel)
    assert one.reference.any()
    # The lesions of the small cohort are new and bright: the difference sees them.
    assert one.difference[one.reference].mean() > 4
    assert len(png(strip_figure([one]), 60)) > 5_000


def test_pairs_without_a_reference_are_shown_without_outline(pool: Pool) -> None:
    pool.pairs[pool.entries[0].pair].reference_file.unlink()
    (one,) = first_asked(asking(pool, {("random", 0): [[0]]}), pool)["random"]
    assert one.reference is None


def test_results_without_what_was_asked_give_empty_strips(pool: Pool) -> None:
    assert first_asked({"results": [{"strategy": "random", "seed": 0, "round": 1}]}, pool) == {"random": []}
