"""Mean teacher: what it asks for, what it draws from, and that training with it learns."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, Reading
from longitudinal_al.network.loss_terms import Step
from longitudinal_al.network.mean_teacher import MeanTeacher, rising
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.augmentation import Augmentation
from longitudinal_al.pairs.dataset import LabelledSlicePairs

SMALL = Architecture(widths=(8, 8, 16, 16), dropout=0.0)
STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0, curves=0)


def step_of(network: ChangeNetwork, average: ChangeNetwork, done: float = 1.0) -> Step:
    nothing = torch.zeros(2, 48, 48)
    return Step(network, average, Reading(nothing, nothing, [], nothing), nothing, done)


@pytest.fixture
def network() -> ChangeNetwork:
    torch.manual_seed(0)
    return ChangeNetwork(SMALL).eval()


def test_a_student_that_agrees_with_its_teacher_costs_nothing(network, training_pool) -> None:
    term = MeanTeacher(training_pool, [0, 1], 3.0, STILL, 4, 48, seed=1)
    assert term(step_of(network, copy.deepcopy(network))).item() == pytest.approx(0.0, abs=1e-9)


def test_disagreement_costs_by_the_mean_square_and_teaches_the_student_only(network, training_pool) -> None:
    teacher = copy.deepcopy(network)
    with torch.no_grad():
        for each in (network, teacher):
            each.head.weight.zero_()
        network.head.bias.fill_(0.0)  # 0.5 everywhere
        teacher.head.bias.fill_(np.log(0.2 / 0.8))
    term = MeanTeacher(training_pool, [0, 1], 2.0, STILL, 4, 48, seed=1)
    loss = term(step_of(network, teacher))
    assert loss.item() == pytest.approx(2.0 * 0.3**2, rel=1e-2)  # in bfloat16, where that pays
    loss.backward()
    assert network.head.bias.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in teacher.parameters())


def test_its_weight_rises_over_the_first_steps(network, training_pool) -> None:
    teacher = copy.deepcopy(network)
    with torch.no_grad():
        for each in (network, teacher):
            each.head.weight.zero_()
        network.head.bias.fill_(0.0)
        teacher.head.bias.fill_(np.log(0.2 / 0.8))
    term = MeanTeacher(training_pool, [0, 1], 2.0, STILL, 4, 48, seed=1)
    early, middle, late = (term(step_of(network, teacher, done)).item() for done in (0.0, 0.15, 1.0))
    assert early / late == pytest.approx(np.exp(-5.0), rel=1e-3)
    assert middle / late == pytest.approx(np.exp(-1.25), rel=1e-3)


def test_only_the_students_contrast_is_changed(network, training_pool) -> None:
    loud = replace(STILL, gain=0.5, offset=1.0, noise=1.0)
    torch.manual_seed(1)
    with torch.no_grad():
        network.head.weight.normal_(std=2.0)
    term = MeanTeacher(training_pool, [0], 1.0, loud, 4, 48, seed=1)
    assert term(step_of(network, copy.deepcopy(network))).item() > 1e-6


def test_labelled_slice_pairs_are_left_out_until_all_are_labelled(training_pool) -> None:
    drawn = MeanTeacher(training_pool, [0, 1, 2], 1.0, STILL, 4, 48, seed=1)._rows
    assert drawn == list(range(3, len(training_pool)))
    every = list(range(len(training_pool)))
    assert MeanTeacher(training_pool, every, 1.0, STILL, 4, 48, seed=1)._rows == every


def test_the_weight_rises_from_nearly_nothing_to_its_full_height() -> None:
    heights = [rising(done) for done in (0.0, 0.1, 0.2, 0.3, 0.9)]
    assert heights[0] < 0.01
    assert heights == sorted(heights)
    assert heights[-2:] == [1.0, 1.0]


def test_training_with_it_is_repeatable_and_differs_from_training_without(training_pool) -> None:
    labelled = LabelledSlicePairs(training_pool, {row: training_pool.masks[row] for row in range(6)})
    settings = TrainingSettings(steps=6, batch=4, patch=32, architecture=SMALL)
    consistent = replace(settings, consistency=5.0)
    with_it, again, without = (
        torch.cat([p.flatten() for p in train(labelled, each, seed=1).parameters()])
        for each in (consistent, consistent, settings)
    )
    assert torch.equal(with_it, again)
    assert not torch.equal(with_it, without)
