"""What the network sees, on a pool in memory that it has learned from."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.explanation import explain
from longitudinal_al.network.prediction import predicted_probabilities
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs

SMALL = Architecture(widths=(8, 8, 16, 16))


@pytest.fixture(scope="module")
def network(training_pool) -> ChangeNetwork:
    labelled = LabelledSlicePairs(training_pool, training_pool.masks)
    settings = TrainingSettings(steps=60, batch=8, patch=32, architecture=SMALL)
    return train(labelled, settings, seed=0, device=torch.device("cpu"))


def test_suggestion_and_attention_lie_on_the_change(network, training_pool) -> None:
    share = []
    for row in range(12):
        change = training_pool.masks[row]
        seen = explain(Committee.of([network]), training_pool, row)
        for picture in (seen.suggestion, seen.uncertainty, seen.attention):
            assert picture.dtype == np.float32
            assert picture.shape == training_pool.size
            assert picture.min() >= 0
            assert picture.max() <= 1
            assert not picture[:, :4].any()  # outside of the foreground
        if change.any():
            assert seen.suggestion[change].mean() > 5 * seen.suggestion[~change].mean()
            assert seen.attention.max() == 1
            share.append(seen.attention[change].mean() / seen.attention[~change].mean())
    assert np.median(share) > 3


def test_the_suggestion_is_what_the_mask_is_made_of(network, training_pool) -> None:
    ((_, probability),) = predicted_probabilities(Committee.of([network]), training_pool, [1])
    suggested = explain(Committee.of([network]), training_pool, 1).suggestion
    assert np.abs(suggested - probability).max() < 0.02  # in bf16


def test_doubt_is_greatest_where_the_suggestion_is_one_half(network, training_pool) -> None:
    seen = explain(Committee.of([network]), training_pool, 1)
    inside = (seen.suggestion > 1e-6) & (seen.suggestion < 1 - 1e-6)
    p = seen.suggestion[inside].astype(float)
    expected = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    assert np.allclose(seen.uncertainty[inside], expected, atol=1e-3)


def test_without_predicted_change_the_whole_foreground_is_explained(network, training_pool) -> None:
    unsure = copy.deepcopy(network)
    with torch.no_grad():
        unsure.head.bias -= 50
    seen = explain(Committee.of([unsure]), training_pool, 1)
    assert seen.suggestion.max() < 1e-6
    assert seen.attention.max() == 1


def test_a_network_that_looks_nowhere_gives_no_attention(training_pool) -> None:
    blind = ChangeNetwork(replace(SMALL)).eval()
    with torch.no_grad():
        blind.head.weight.zero_()
    seen = explain(Committee.of([blind]), training_pool, 1)
    assert not seen.attention.any()
    assert np.isfinite(seen.uncertainty).all()


def test_explaining_changes_nothing(network, training_pool) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first = explain(Committee.of([network]), training_pool, 2)
    second = explain(Committee.of([network]), training_pool, 2)
    assert np.array_equal(first.attention, second.attention)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not network.merge[1]._forward_hooks
