"""The head that predicts the network's own loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import Architecture, ChangeNetwork, input_channels
from longitudinal_al.network.checkpoint import load_networks, save_networks
from longitudinal_al.network.loss_head import LossHead
from longitudinal_al.network.predicted_loss import patch_losses, ranking_loss, with_loss_head
from longitudinal_al.network.prediction import predict
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs

SMALL = Architecture(widths=(8, 8, 16, 16))
SETTINGS = TrainingSettings(steps=80, batch=16, patch=32, architecture=SMALL, predicts_loss=True)


def labelled(pool) -> LabelledSlicePairs:
    return LabelledSlicePairs(pool, {row: pool.masks[row] for row in range(len(pool))})


@pytest.fixture(scope="module")
def network(training_pool) -> ChangeNetwork:
    return train(labelled(training_pool), SETTINGS, seed=0, device=torch.device("cpu"))


def test_losses_in_the_wrong_order_cost_and_those_in_the_right_one_do_not():
    losses = torch.tensor([3.0, 1.0])
    assert ranking_loss(torch.tensor([5.0, 0.0]), losses) == 0
    assert ranking_loss(torch.tensor([0.0, 5.0]), losses) == pytest.approx(6.0)
    assert ranking_loss(torch.tensor([0.5, 0.0]), losses) == pytest.approx(0.5)
    assert ranking_loss(torch.tensor([0.5]), losses[:1]) == 0


def test_the_loss_of_an_example_is_that_of_what_is_known_of_it():
    logits = torch.zeros(2, 4, 4)
    masks = torch.zeros(2, 4, 4)
    masks[1, :2] = torch.nan
    logits[1, :2] = 9
    assert torch.allclose(patch_losses(logits, masks), torch.tensor([np.log(2.0)] * 2, dtype=torch.float32))


def test_the_larger_loss_is_predicted_to_be_larger(network, unseen_pool):
    rows = list(range(len(unseen_pool)))
    truth = []
    for batch in predict([network], unseen_pool, rows, extras=("predicted_loss",)):
        assert batch.extras["predicted_loss"].shape == (len(batch.rows),)
        predicted = batch.extras["predicted_loss"]
        masks = np.stack([unseen_pool.masks[row] for row in batch.rows])
        p = batch.members[0].numpy().clip(1e-6, 1 - 1e-6)
        truth = -(masks * np.log(p) + ~masks * np.log(1 - p)).mean((1, 2))
    assert spearmanr(predicted.numpy(), truth).statistic > 0.5


def test_the_head_sends_no_gradient_into_the_network():
    network = with_loss_head(ChangeNetwork(SMALL)).train()
    reading = network.read(torch.randn(4, input_channels(1), 32, 32))
    network.loss_head([*reading.levels, reading.activations]).sum().backward()
    assert all(p.grad is None for name, p in network.named_parameters() if not name.startswith("loss_head"))
    assert all(p.grad is not None for p in network.loss_head.parameters())


def test_a_window_sees_its_own_place_only():
    head = LossHead((3, 3, 3))
    found = [torch.zeros(1, 3, 96, 96), torch.zeros(1, 3, 48, 48), torch.zeros(1, 3, 96, 96)]
    before = head(found)
    found[0][:, :, 90:, 90:] = 7
    with torch.no_grad():
        head.last.weight.abs_()
        for layer in head.layers:
            layer.weight.abs_()
            layer.bias.zero_()
        quiet, loud = head([one * 0 for one in found]), head(found)
    assert loud > quiet
    assert before.shape == (1,)


def test_a_network_without_the_head_says_how_to_get_one(unseen_pool):
    network = ChangeNetwork(SMALL).eval()
    with pytest.raises(NotReady, match="learning_loss"):
        next(predict([network], unseen_pool, [0], extras=("predicted_loss",)))


def test_the_head_is_kept_in_the_file_and_older_files_have_none(network, tmp_path):
    save_networks([network], tmp_path / "with.safetensors")
    (again,) = load_networks(tmp_path / "with.safetensors")
    image = torch.randn(1, input_channels(1), 32, 32)
    reading = again.read(image)
    assert again.loss_head is not None
    expected = network.read(image)
    torch.testing.assert_close(
        again.loss_head([*reading.levels, reading.activations]),
        network.loss_head([*expected.levels, expected.activations]),
    )


def test_a_network_without_the_head_grows_one_when_it_goes_on(training_pool):
    start = ChangeNetwork(SMALL)
    grown = train(labelled(training_pool), replace(SETTINGS, steps=2), seed=0, start=start)
    assert grown.loss_head is not None
    assert start.loss_head is None
    assert all(
        torch.equal(with_loss_head(start).state_dict()[name], value)
        for name, value in start.state_dict().items()
    )
