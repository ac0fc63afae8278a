"""MaxMD and DiverseMD."""

from dataclasses import replace

import numpy as np

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.mdal_diverse import mdal_diverse
from longitudinal_al.acquisition.selectors.mdal_max import mdal_max


def pool_of_clouds(make_pool):
    """Return four clouds of ten; in each the third differs most, and the clouds' levels fall."""
    generator = np.random.default_rng(0)
    features = np.repeat(10 * np.eye(4), 10, axis=0) + 0.1 * generator.normal(size=(40, 4))
    score = np.repeat([4.0, 3.0, 2.0, 1.0], 10) - 10
    score[2::10] += 0.5
    pool = make_pool(40, features=features, score=score, slices=1000)
    return replace(pool, held_back=np.zeros(40, dtype=bool))


def test_max_takes_the_largest_and_diverse_the_largest_of_each_group(make_pool):
    pool = pool_of_clouds(make_pool)
    assert set(mdal_max(pool, 4, Neighbours(), np.random.default_rng(0))) < set(range(10))
    assert mdal_diverse(pool, 4, Neighbours(), np.random.default_rng(0)) == [2, 12, 22, 32]


def test_pairs_held_back_come_last_although_they_differ_most(make_pool):
    pool = pool_of_clouds(make_pool)
    held = replace(pool, held_back=np.arange(40) < 10)
    for selector in (mdal_max, mdal_diverse):
        chosen = selector(held, 40, Neighbours(), np.random.default_rng(0))
        assert set(chosen[-10:]) == set(range(10))


def test_among_pairs_held_back_the_largest_difference_comes_first(make_pool):
    pool = pool_of_clouds(make_pool)
    score = np.random.default_rng(1).normal(size=40)
    held = replace(pool, score=score, held_back=np.ones(40, dtype=bool))
    for selector in (mdal_max, mdal_diverse):
        chosen = selector(held, 40, Neighbours(), np.random.default_rng(0))
        assert chosen == np.argsort(-score).tolist()
    half = replace(held, held_back=np.arange(40) >= 20)
    chosen = mdal_diverse(half, 40, Neighbours(), np.random.default_rng(0))
    assert chosen[20:] == (20 + np.argsort(-score[20:])).tolist()


def test_what_has_no_features_or_no_score_is_asked_for_last_of_what_is_not_held_back(make_pool):
    pool = pool_of_clouds(make_pool)
    features, score = pool.features.copy(), pool.score.copy()
    features[2], score[12] = np.nan, np.nan
    held = replace(pool, features=features, score=score, held_back=np.arange(40) >= 30)
    chosen = mdal_diverse(held, 40, Neighbours(), np.random.default_rng(0))
    assert chosen[28:30] == [2, 12]


def test_without_a_registration_check_nothing_is_held_back(make_pool):
    pool = replace(pool_of_clouds(make_pool), held_back=None)
    assert mdal_max(pool, 1, Neighbours(), np.random.default_rng(0)) == [2]
