"""TypiClust against a plain reference, and on clouds one can see."""

import numpy as np
import pytest

from longitudinal_al.acquisition.clustering import kmeans
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors import typiclust as module
from longitudinal_al.acquisition.selectors.typiclust import typiclust


def rank(candidates, batch, seed=0):
    return typiclust(candidates, batch, Neighbours(), np.random.default_rng(seed))


def plain_typiclust(candidates, batch, seed):
    """Return the choice by the paper's words: one loop, all distances, counts kept by hand."""
    order = candidates.order()
    features = np.concatenate([candidates.features[order], candidates.labelled.features]).astype(np.float64)
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    labels = len(candidates.labelled)
    clusters = min(500, labels + batch)
    own = kmeans(rows.astype(np.float32), clusters, np.random.default_rng(seed))
    counts = [int((own[len(order) :] == c).sum()) for c in range(own.max() + 1)]
    sizes = [int((own == c).sum()) for c in range(own.max() + 1)]
    left, chosen = set(range(len(order))), []
    while len(chosen) < batch:
        open_clusters = [c for c in range(len(sizes)) if any(own[i] == c for i in left)]
        best = min(open_clusters, key=lambda c: (sizes[c] < 5, counts[c], -sizes[c], c))

        def typical(i, best=best):
            others = sorted(np.linalg.norm(rows[i] - rows[j]) for j in np.flatnonzero(own == best) if j != i)
            near = others[:20]
            return len(near) / sum(near) if near else 0.0

        pick = max((i for i in sorted(left) if own[i] == best), key=typical)
        chosen.append(pick)
        left.discard(pick)
        counts[best] += 1
    return [int(order[i]) for i in chosen]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("labelled", [0, 7])
def test_agrees_with_the_papers_loop(make_pool, seed, labelled):
    candidates = make_pool(90, labelled=labelled, width=6, seed=seed, slices=1000)
    assert rank(candidates, 8, seed) == plain_typiclust(candidates, 8, seed)


def test_agrees_across_slabs(make_pool, monkeypatch):
    monkeypatch.setattr(module, "slabs", lambda count: module_slabs(count, 7))
    candidates = make_pool(60, width=5, slices=1000)
    assert rank(candidates, 3) == plain_typiclust(candidates, 3, 0)


def module_slabs(count, rows):
    from longitudinal_al.acquisition.distances import slabs

    return slabs(count, rows)


def test_takes_the_middle_of_the_largest_clouds_that_have_no_label(make_pool):
    generator = np.random.default_rng(2)
    sizes, centres = [30, 20, 10], 10 * np.eye(3)
    clouds = [centre + 0.3 * generator.normal(size=(n, 3)) for n, centre in zip(sizes, centres, strict=True)]
    for cloud, centre in zip(clouds, centres, strict=True):
        cloud[0] = centre
    candidates = make_pool(60, features=np.concatenate(clouds), slices=1000)
    chosen = rank(candidates, 3)
    groups = np.searchsorted([30, 50], chosen, side="right")
    assert groups.tolist() == [0, 1, 2]
    for index, centre in zip(chosen, centres, strict=True):
        assert np.linalg.norm(candidates.features[index] - centre) < 0.5
