from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.cluster_margin import KEEP, _cluster, cluster_margin
from longitudinal_al.errors import NotReady


def rank(candidates, batch, seed=0, spacing_mm=0.0):
    return cluster_margin(candidates, batch, Neighbours(spacing_mm), np.random.default_rng(seed))


def with_clusters(candidates, sizes):
    return replace(candidates, features=None, cluster=np.repeat(np.arange(len(sizes)), sizes))


def test_clusters_take_turns_from_the_smallest(make_pool):
    candidates = with_clusters(make_pool(20), [12, 1, 5, 2])
    chosen = rank(candidates, 9)
    assert candidates.cluster[chosen].tolist() == [1, 3, 2, 0, 3, 2, 0, 2, 0]


def test_only_the_smallest_margins_take_part(make_pool):
    score = np.random.default_rng(1).random(300)
    candidates = with_clusters(make_pool(300, score=score), [100, 100, 100])
    kept = np.sort(score)[-KEEP * 4]
    for seed in range(5):
        assert score[rank(candidates, 4, seed)].min() >= kept


def test_the_size_of_a_cluster_is_what_was_kept_of_it(make_pool):
    score = np.r_[np.zeros(197), np.ones(23)]
    candidates = with_clusters(make_pool(220, score=score), [200, 20])
    assert candidates.cluster[rank(candidates, 2)].tolist() == [0, 1]


def test_within_a_cluster_chance_decides(make_pool):
    candidates = with_clusters(make_pool(40), [20, 20])
    assert len({tuple(rank(candidates, 2, seed)) for seed in range(10)}) > 5


def test_clusters_are_found_in_the_features_when_none_are_given(make_pool):
    centres = np.random.default_rng(0).normal(size=(5, 16)) * 10
    features = np.repeat(centres, 20, axis=0) + 0.01 * np.random.default_rng(1).normal(size=(100, 16))
    candidates = make_pool(100, features=features, score=np.ones(100))
    chosen = rank(candidates, 10)
    assert sorted(index // 20 for index in chosen) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_labelling_a_slice_pair_does_not_move_the_others_to_other_clusters(make_pool):
    before, after = make_pool(100, width=8), make_pool(100, labelled=30, width=8)
    names = list(zip(before.pair, before.slice, strict=True))
    was = dict(zip(names, _cluster(before), strict=True))
    now = dict(zip(zip(after.pair, after.slice, strict=True), _cluster(after), strict=True))
    assert len(now) == 70
    assert all(was[name] == cluster for name, cluster in now.items())


def test_when_the_spacing_closes_what_was_kept_the_next_fill_the_batch(make_pool):
    score = np.r_[np.ones(30), np.zeros(60)]
    candidates = with_clusters(make_pool(90, slices=30, spacing_mm=1.0, score=score), [30, 60])
    assert len(rank(candidates, 3, spacing_mm=50.0)) == 3


def test_without_clusters_and_features_it_says_what_is_missing(make_pool):
    with pytest.raises(NotReady, match="cluster_margin"):
        rank(replace(make_pool(5), features=None), 2)
