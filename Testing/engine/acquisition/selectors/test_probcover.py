"""ProbCover against a plain reference with the whole graph."""

import numpy as np
import pytest

from longitudinal_al.acquisition.distances import unit_rows
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors import probcover as module
from longitudinal_al.acquisition.selectors.probcover import probcover, pure_radius
from longitudinal_al.acquisition.strategies import strategy


def plain_probcover(candidates, batch, delta):
    """Return the greedy cover from the graph of all pairs, as long as something is left to cover."""
    rows = unit_rows(np.concatenate([candidates.features, candidates.labelled.features])).astype(np.float64)
    near = np.linalg.norm(rows[:, None] - rows[None], axis=2) <= delta
    count = len(candidates)
    covered = near[count:].any(axis=0)
    chosen = []
    while len(chosen) < batch:
        gain = (near[:count] & ~covered).sum(axis=1)
        gain[chosen] = -1
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        chosen.append(best)
        covered |= near[best]
    return chosen


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("labelled", [0, 9])
@pytest.mark.parametrize("delta", [0.3, 0.7, 1.2])
def test_agrees_with_the_whole_graph(make_pool, monkeypatch, seed, labelled, delta):
    monkeypatch.setattr(module, "slabs", lambda count: real_slabs(count, 16))
    candidates = make_pool(100, labelled=labelled, width=3, seed=seed, slices=1000)
    expected = plain_probcover(candidates, 10, delta)
    found = probcover(candidates, 10, Neighbours(), np.random.default_rng(0), delta=delta)
    assert found[: len(expected)] == expected
    assert len(found) == 10


def real_slabs(count, rows):
    from longitudinal_al.acquisition.distances import slabs

    return slabs(count, rows)


def test_a_ball_around_every_cloud_and_the_largest_first(make_pool):
    features = np.concatenate([np.tile(row, (n, 1)) for row, n in zip(np.eye(4), [3, 9, 1, 5], strict=True)])
    chosen = strategy("probcover:delta=0.5").selector(
        make_pool(18, features=features, slices=1000), 4, Neighbours(), np.random.default_rng(0)
    )
    assert [int(features[index].argmax()) for index in chosen] == [1, 3, 0, 2]


def test_the_estimated_radius_keeps_95_percent_of_the_balls_pure():
    generator = np.random.default_rng(0)
    centres = np.repeat(np.eye(10), 40, axis=0)
    rows = unit_rows((centres + 0.1 * generator.normal(size=centres.shape)).astype(np.float32))
    squared = pure_radius(rows, np.random.default_rng(1))
    away = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    kinds = np.repeat(np.arange(10), 40)
    pure = ~((away <= squared) & (kinds[:, None] != kinds)).any(axis=1)
    assert pure.mean() >= 0.95
    wider = ~((away <= squared * 1.05) & (kinds[:, None] != kinds)).any(axis=1)
    assert wider.mean() < 0.95


def test_a_pool_of_one_kind_is_covered_by_any_radius():
    assert pure_radius(unit_rows(np.ones((5, 3), np.float32)), np.random.default_rng(0)) > 3.9
