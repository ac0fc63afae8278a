import numpy as np
import pytest

from longitudinal_al.acquisition.clustering import cluster_count, cluster_pool


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
