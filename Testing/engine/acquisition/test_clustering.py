import numpy as np
import pytest

from longitudinal_al.acquisition.clustering import cluster_count, cluster_pool, kmeans


@pytest.mark.parametrize(("pool", "clusters"), [(1, 1), (39, 1), (40, 2), (5520, 256)])
def test_one_cluster_for_20_slice_pairs(pool, clusters):
    assert cluster_count(pool) == clusters


def test_a_shuffled_pool_gives_the_same_clusters_and_rows_without_numbers_their_own():
    generator = np.random.default_rng(0)
    pair, index = np.repeat(["a", "b"], 50), np.tile(np.arange(50), 2)
    features = generator.normal(size=(100, 6)).astype(np.float32)
    features[7, 0] = np.nan
    order = generator.permutation(100)
    whole = cluster_pool(pair, index, features, np.random.default_rng(1))
    shuffled = cluster_pool(pair[order], index[order], features[order], np.random.default_rng(1))
    assert np.array_equal(whole[order], shuffled)
    assert np.flatnonzero(whole == whole[7]).tolist() == [7]


def test_no_usable_row_is_one_cluster():
    clusters = cluster_pool(
        np.array(["a"] * 3), np.arange(3), np.full((3, 2), np.nan), np.random.default_rng(0)
    )
    assert clusters.tolist() == [0, 0, 0]


def test_kmeans_finds_clouds_and_is_the_same_for_the_same_seed():
    generator = np.random.default_rng(0)
    clouds = np.repeat(10 * np.eye(5), 30, axis=0) + 0.1 * generator.normal(size=(150, 5))
    found = kmeans(clouds.astype(np.float32), 5, np.random.default_rng(1))
    assert [len(set(found[start : start + 30])) for start in range(0, 150, 30)] == [1] * 5
    assert len(set(found)) == 5
    assert np.array_equal(found, kmeans(clouds.astype(np.float32), 5, np.random.default_rng(1)))


def test_kmeans_lowers_the_spread_of_its_seeding():
    rows = np.random.default_rng(3).normal(size=(400, 6)).astype(np.float32)

    def spread(iterations):
        own = kmeans(rows, 12, np.random.default_rng(0), iterations=iterations)
        return sum(((rows[own == c] - rows[own == c].mean(axis=0)) ** 2).sum() for c in set(own))

    assert spread(10) < spread(1)


def test_kmeans_of_equal_rows_of_few_rows_and_of_none():
    assert set(kmeans(np.ones((7, 3), np.float32), 4, np.random.default_rng(0))) == {0}
    assert len(set(kmeans(np.eye(3, dtype=np.float32), 9, np.random.default_rng(0)))) == 3
    assert len(kmeans(np.empty((0, 3), np.float32), 4, np.random.default_rng(0))) == 0
