"""The two encoders of MDAL: what goes together and what does not."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from longitudinal_al.network.contrast import (
    ContrastSettings,
    info_nce,
    modality_difference,
    pointwise_information,
    train_contrast,
)

QUICK = ContrastSettings(steps=60, batch=24, widths=(8, 16, 32), size=16)


def exchanged(pool):
    """Return a pool in which two slice pairs have each other's follow-up."""
    mixed = copy.copy(pool)
    mixed._stacks = pool._stacks.copy()
    mixed._stacks[[3, 8], :, 1] = pool._stacks[[8, 3], :, 1]
    return mixed


@pytest.fixture(scope="module")
def encoders(training_pool):
    return train_contrast(training_pool, QUICK, seed=1, device=torch.device("cpu"))


def test_times_that_do_not_belong_together_differ_most(encoders, training_pool):
    before = modality_difference(encoders, training_pool)
    after = modality_difference(encoders, exchanged(training_pool))
    assert set(np.argsort(-after.difference)[:2]) == {3, 8}
    assert (after.difference[[3, 8]] > before.difference[[3, 8]]).all()


def test_each_slice_pair_has_the_joined_unit_vectors_of_both_times(encoders, training_pool):
    found = modality_difference(encoders, training_pool)
    assert found.difference.shape == (len(training_pool),)
    assert found.features.shape == (len(training_pool), 2 * QUICK.size)
    assert found.features.dtype == found.difference.dtype == np.float32
    lengths = np.linalg.norm(found.features.reshape(-1, QUICK.size), axis=1)
    assert np.allclose(lengths, 1, atol=1e-3)


def test_the_information_is_that_of_the_formula():
    generator = torch.Generator().manual_seed(2)
    baseline, followup = (normalize(torch.randn(7, 5, generator=generator)) for _ in range(2))
    s = (baseline @ followup.T).double().numpy() / 0.3
    expected = [
        s[i, i] - 0.5 * (np.log(np.exp(s[i]).mean()) + np.log(np.exp(s[:, i]).mean())) for i in range(7)
    ]
    for block in (2, 100):
        found = pointwise_information(baseline, followup, 0.3, block)
        assert np.allclose(found.numpy(), expected, atol=1e-5)


def test_the_loss_is_that_of_the_formula_and_small_when_all_is_recognised():
    similarities = torch.tensor([[2.0, 0.5, 0.1], [0.3, 1.0, 0.2], [0.0, 0.4, 3.0]])
    rows = -torch.log_softmax(similarities, 1).diagonal().mean()
    columns = -torch.log_softmax(similarities, 0).diagonal().mean()
    assert info_nce(similarities) == pytest.approx(float(rows + columns) / 2, rel=1e-6)
    assert info_nce(50 * torch.eye(4)) < 1e-6


def test_same_seed_gives_the_same_order(training_pool):
    short = ContrastSettings(steps=3, batch=8, widths=(8, 8), size=8)
    first, again, other = (
        modality_difference(train_contrast(training_pool, short, seed=seed), training_pool).difference
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_training_leaves_the_callers_random_state_alone(training_pool):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train_contrast(training_pool, ContrastSettings(steps=1, batch=4, widths=(8,), size=4), seed=9)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("count", [0, 1])
def test_a_pool_without_anything_to_compare_is_no_error(training_pool, count):
    few = copy.copy(training_pool)
    few.entries = training_pool.entries[:count]
    found = modality_difference(train_contrast(few, QUICK, seed=0), few)
    assert found.difference.shape == (count,)
    assert np.isfinite(found.difference).all()


def test_progress_reaches_the_end(training_pool):
    shares = []
    short = ContrastSettings(steps=2, batch=8, widths=(8,), size=4)
    train_contrast(training_pool, short, seed=0, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
