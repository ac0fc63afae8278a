"""Gradients in the last layer against those of a backward pass."""

from __future__ import annotations

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.last_layer_gradients import last_layer_gradients


def test_they_are_what_a_backward_pass_gives(training_pool):
    torch.manual_seed(2)
    network = ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()
    image = network_input(torch.from_numpy(training_pool.stacks([0, 1, 2], 1)).float())
    foreground = torch.from_numpy(training_pool.foreground([0, 1, 2]))
    with torch.no_grad():
        network.head.bias -= network(image)[0][foreground].median()
        probability = torch.sigmoid(network(image)[0])[foreground]
        for low in (0.4, 0.5):  # on both sides of the pseudo-label's limit, and close to it
            assert ((probability > low) & (probability < low + 0.1)).any()
        found = last_layer_gradients(network, network.read(image), foreground)
    for place in range(3):
        logits = network(image[place : place + 1])[0][0]
        pseudo_label = (torch.sigmoid(logits.detach()) >= 0.5).float()
        each = binary_cross_entropy_with_logits(logits, pseudo_label, reduction="none")
        loss = (each * foreground[place]).sum() / logits.numel()
        (expected,) = torch.autograd.grad(loss, network.head.weight)
        torch.testing.assert_close(found[place], expected.flatten(), atol=1e-6, rtol=1e-3)
    assert found.norm(dim=1).min() > 0


def test_a_network_that_is_sure_has_none(training_pool):
    network = ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()
    with torch.no_grad():
        network.head.bias -= 60
    image = network_input(torch.from_numpy(training_pool.stacks([0], 1)).float())
    foreground = torch.from_numpy(training_pool.foreground([0]))
    with torch.no_grad():
        assert last_layer_gradients(network, network.read(image), foreground).abs().max() < 1e-9
