"""Attention without a backward pass against attention with one, and the loss that moves it."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.visualize import GradCAM

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.attention import alignment_loss, attention
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs

SMALL = Architecture(widths=(8, 8, 16, 16))


@pytest.fixture(scope="module")
def network() -> ChangeNetwork:
    torch.manual_seed(4)
    network = ChangeNetwork(SMALL).eval()
    with torch.no_grad():
        network.head.bias += 4  # some change is predicted somewhere
    return network


@pytest.fixture(scope="module")
def image(training_pool) -> torch.Tensor:
    return network_input(torch.from_numpy(training_pool.stacks([1, 4, 5], 1)).float())


@pytest.fixture(scope="module")
def foreground(training_pool) -> torch.Tensor:
    return torch.from_numpy(training_pool.foreground([1, 4, 5]))


def by_gradients(network, image, foreground):
    """Return Grad-CAM as its paper writes it, by a backward pass, one slice pair after the other."""
    maps = []
    for one, inside in zip(image, foreground, strict=True):
        reading = network.read(one[None])
        predicted = (reading.logits[0] >= 0) & inside
        target = reading.logits[0][predicted if predicted.any() else inside].sum()
        (gradient,) = torch.autograd.grad(target, reading.activations)
        weights = gradient.mean((2, 3), keepdim=True)
        speaking = torch.relu((weights * reading.activations).sum(1, keepdim=True))
        full = torch.nn.functional.interpolate(speaking, size=inside.shape, mode="bilinear")[0, 0] * inside
        maps.append(full / full.max())
    return torch.stack(maps).detach()


@pytest.mark.parametrize("bias", [0.0, -50.0])
def test_it_is_grad_cam(network, image, foreground, bias):
    biased = copy.deepcopy(network)
    with torch.no_grad():
        biased.head.bias += bias
        found = attention(biased, biased.read(image), foreground)
    assert found.shape == foreground.shape
    torch.testing.assert_close(found, by_gradients(biased, image, foreground), atol=1e-4, rtol=1e-3)


class SumOverChange(torch.nn.Module):
    """Gives what is explained as the single class that MONAI's Grad-CAM asks for."""

    def __init__(self, network, foreground):
        super().__init__()
        self.network, self.foreground = network, foreground

    def forward(self, image):
        logits = self.network(image)[0]
        predicted = (logits >= 0) & self.foreground
        assert predicted.any()
        return (logits * predicted).sum((1, 2))[:, None]


def test_it_agrees_with_monai(network, image, foreground):
    wrapped = SumOverChange(network, foreground[:1]).eval()
    camera = GradCAM(wrapped, "network.merge.0", postprocessing=lambda x: x)
    theirs = torch.relu(camera(image[:1], class_idx=0))[0, 0].detach() * foreground[0]
    with torch.no_grad():
        ours = attention(network, network.read(image[:1]), foreground[:1])[0]
    assert torch.corrcoef(torch.stack([ours.flatten(), theirs.flatten()]))[0, 1] > 0.99


def test_the_order_of_a_batch_does_not_matter(network, image, foreground):
    with torch.no_grad():
        found = attention(network, network.read(image), foreground)
        turned = attention(network, network.read(image.flip(0)), foreground.flip(0))
    torch.testing.assert_close(found, turned.flip(0), atol=1e-5, rtol=1e-4)


def test_the_alignment_loss_moves_attention_to_the_change(image):
    torch.manual_seed(1)
    network = ChangeNetwork(SMALL).train()
    masks = torch.zeros(3, *image.shape[2:])
    masks[:, 10:20, 10:20] = 1
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        loss = alignment_loss(network, network.read(image), masks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.2


def test_examples_without_change_are_not_aligned(network, image):
    masks = torch.zeros(3, *image.shape[2:])
    assert alignment_loss(network, network.read(image), masks) == 0
    masks[0, 5:9, 5:9] = 1
    alone = alignment_loss(network, network.read(image[:1]), masks[:1])
    together = alignment_loss(network, network.read(image), masks)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-5)


def test_where_the_label_is_not_known_attention_does_not_count(network, image):
    masks = torch.zeros(3, *image.shape[2:])
    masks[:, 8:30, 8:30] = 1
    unknown = masks.clone()
    unknown[:, :, 40:] = torch.nan
    loss = alignment_loss(network, network.read(image), unknown)
    with torch.no_grad():
        looks = attention(network, network.read(image), ~torch.isnan(unknown))
    assert not looks[:, :, 40:].any()
    expected = 1 - 2 * (looks * masks).sum((1, 2)) / (looks + masks).sum((1, 2))
    torch.testing.assert_close(loss, expected.mean())


def test_training_with_alignment_looks_where_the_annotator_did(training_pool):
    labelled = LabelledSlicePairs(training_pool, training_pool.masks)
    plain = TrainingSettings(steps=40, batch=8, patch=32, architecture=SMALL)
    rows = [row for row in range(len(training_pool)) if training_pool.masks[row].any()]
    masks = torch.from_numpy(np.stack([training_pool.masks[row] for row in rows]).astype(np.float32))
    seen = network_input(torch.from_numpy(training_pool.stacks(rows, 1)).float())
    losses = []
    for settings in (plain, replace(plain, alignment=5.0)):
        trained = train(labelled, settings, seed=0, device=torch.device("cpu"))
        with torch.no_grad():
            losses.append(float(alignment_loss(trained, trained.read(seen), masks)))
    assert losses[1] < losses[0] - 0.02
