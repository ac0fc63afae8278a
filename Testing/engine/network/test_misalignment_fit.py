"""Misalignment learned from labels, and carried over to other slice pairs by their features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from longitudinal_al.network import misalignment_fit
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.misalignment_fit import (
    LEAST_LABELS,
    as_tensor,
    expected_misalignment,
    fit_misalignment,
    misalignment,
)


def test_it_is_one_minus_dice():
    region = np.zeros((3, 4, 4))
    region[:2, 0] = 1
    attention = np.zeros((3, 4, 4))
    attention[0, 0] = 1
    attention[1, 1] = 1
    assert misalignment(attention, region) == pytest.approx([0, 1, 1])
    attention[0, 0] = 0.5
    assert misalignment(attention, region)[0] == pytest.approx(1 - 2 * 2 / (2 + 4))


def test_what_features_say_is_learned():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(60, 8))
    truth = np.clip(0.5 + 0.15 * features[:, 2], 0, 1)
    fit = fit_misalignment(features[:40], truth[:40])
    assert np.corrcoef(fit.of(features[40:]), truth[40:])[0, 1] > 0.95
    assert fit.of(features * 1000).min() >= 0
    assert fit.of(features * 1000).max() <= 1


def test_features_that_say_nothing_give_the_mean():
    generator = np.random.default_rng(1)
    fit = fit_misalignment(generator.normal(size=(30, 200)), generator.uniform(0.4, 0.6, 30))
    assert np.allclose(fit.of(generator.normal(size=(50, 200))), 0.5, atol=0.1)


def test_what_is_no_number_is_not_learned_from():
    generator = np.random.default_rng(4)
    features, found = generator.normal(size=(30, 5)), generator.random(30)
    broken, unknown = features.copy(), found.copy()
    broken[3, 1], unknown[7] = np.nan, np.inf
    kept = [row for row in range(30) if row not in (3, 7)]
    fit, plain = fit_misalignment(broken, unknown), fit_misalignment(features[kept], found[kept])
    assert fit.labels == 28
    assert np.allclose(fit.of(features), plain.of(features))


@pytest.mark.parametrize("count", [0, 1, LEAST_LABELS - 1])
def test_with_few_labels_all_are_expected_alike(count):
    features = np.random.default_rng(2).normal(size=(count, 6))
    fit = fit_misalignment(features, np.full(count, 0.3))
    expected = fit.of(np.random.default_rng(3).normal(size=(9, 6)))
    assert np.allclose(expected, 0.3 if count else 1.0)


def test_only_labels_with_change_are_learned_from(training_pool):
    torch.manual_seed(0)
    network = ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()
    rows = range(12)
    fit = expected_misalignment([network], training_pool, {row: training_pool.masks[row] for row in rows})
    assert fit.labels == sum(training_pool.masks[row].any() for row in rows) >= LEAST_LABELS
    assert 0 < fit.level <= 1
    found = as_tensor(fit, torch.zeros(3, network.features_size))
    assert found.shape == (3,)
    assert found.dtype == torch.float32


def test_of_many_labels_some_are_taken_from_everywhere_and_it_can_be_called_off(training_pool, monkeypatch):
    network = ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()
    masks = {row: training_pool.masks[row] for row in range(12)}
    monkeypatch.setattr(misalignment_fit, "MOST_LABELS", 3)
    asked = []
    assert expected_misalignment([network], training_pool, masks, lambda: asked.append(1)).labels == 3
    assert asked
    with pytest.raises(ZeroDivisionError):
        expected_misalignment([network], training_pool, masks, lambda: 1 // 0)
