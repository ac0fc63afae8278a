from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import Architecture, Reading
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.loss_terms import Step
from longitudinal_al.network.prediction import predicted_masks
from longitudinal_al.network.training import TrainingSettings, labelled_loss, train
from longitudinal_al.pairs.augmentation import Augmentation
from longitudinal_al.pairs.dataset import LabelledSlicePairs

SMALL = TrainingSettings(
    steps=80,
    batch=8,
    patch=48,
    architecture=Architecture(widths=(8, 16, 24, 32)),
    augmentation=Augmentation(noise=0.1),
)


def mean_dice(network, pool) -> float:
    scores = []
    for row, mask in predicted_masks(Committee.of([network]), pool, range(len(pool))):
        truth = pool.masks[row]
        if truth.any():
            scores.append(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
    return float(np.mean(scores))


def labelled(pool, rows=None) -> LabelledSlicePairs:
    return LabelledSlicePairs(pool, {row: pool.masks[row] for row in rows or range(len(pool))})


@pytest.fixture(scope="module")
def trained(training_pool):
    shares = []
    network = train(labelled(training_pool), SMALL, seed=3, progress=shares.append)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    return network


def test_it_learns_to_find_change_and_to_leave_distractors_alone(trained, unseen_pool):
    assert mean_dice(trained, unseen_pool) > 0.75


def test_same_seed_gives_the_same_network(training_pool):
    short = TrainingSettings(steps=6, batch=4, patch=32, architecture=SMALL.architecture)
    first, again, other = (train(labelled(training_pool), short, seed=seed) for seed in (1, 1, 2))
    weights = [torch.cat([p.flatten() for p in one.parameters()]) for one in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_training_leaves_the_callers_random_state_alone(training_pool):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train(labelled(training_pool), TrainingSettings(steps=1, batch=2, patch=32), seed=9)
    assert torch.equal(torch.rand(1), expected)


def test_going_on_keeps_what_was_learned(trained, training_pool, unseen_pool):
    few_steps = replace(SMALL, steps=5, learning_rate=1e-5)
    before = torch.cat([p.flatten() for p in trained.parameters()]).clone()
    network = train(labelled(training_pool), few_steps, seed=4, start=trained)
    assert abs(mean_dice(network, unseen_pool) - mean_dice(trained, unseen_pool)) < 0.1
    assert torch.equal(before, torch.cat([p.flatten() for p in trained.parameters()]))


def test_slice_pairs_without_any_change_can_be_trained_on(training_pool, unseen_pool):
    empty = [row for row in range(len(training_pool)) if not training_pool.masks[row].any()]
    network = train(labelled(training_pool, empty), TrainingSettings(steps=5, batch=4, patch=32), seed=1)
    assert all(not mask.any() for _, mask in predicted_masks(Committee.of([network]), unseen_pool, range(4)))


def test_nothing_labelled_is_said_in_words(training_pool):
    with pytest.raises(NotReady, match="label at least one"):
        LabelledSlicePairs(training_pool, {})


def test_where_the_mask_is_not_known_nothing_is_asked_for():
    logits = torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(1), requires_grad=True)
    masks = torch.zeros(2, 16, 16)
    masks[:, 2:6, 2:6] = 1
    masks[:, 8:] = torch.nan
    none = torch.zeros(0)
    loss = labelled_loss(Step(None, None, Reading(logits, none, [], none), masks, 0.0))
    loss.backward()
    assert torch.isfinite(loss)
    assert not logits.grad[:, 8:].any()
    assert logits.grad[:, :8].all()
    assert logits.grad[:, 2:6, 2:6].max() < 0 < logits.grad[:, :2].min()
