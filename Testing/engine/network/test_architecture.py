import pytest
import torch

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, input_channels, network_input


@pytest.mark.parametrize("neighbours", [0, 1, 2])
@pytest.mark.parametrize("size", [(16, 16), (48, 80)])
def test_logits_have_the_size_of_the_input(neighbours, size):
    network = ChangeNetwork(Architecture(widths=(8, 16, 16, 24), neighbours=neighbours)).eval()
    image = torch.randn(2, input_channels(neighbours), *size)
    logits, features = network(image)
    assert logits.shape == (2, *size)
    assert features.shape == (2, network.features_size)


def test_input_holds_both_times_and_both_differences():
    stacks = torch.randn(2, 3, 3, 16, 16)
    image = network_input(stacks)
    assert image.shape[1] == input_channels(1)
    baseline, followup = stacks[:, 1, 0], stacks[:, 1, 1]
    torch.testing.assert_close(image[:, 2], (followup - baseline) / 2)
    torch.testing.assert_close(image[:, 3], torch.asinh(stacks[:, 1, 2] / 2) / 2)
    torch.testing.assert_close(image[:, 6], torch.asinh(stacks[:, 0, 2] / 2) / 2)


def test_a_new_network_says_no_change():
    network = ChangeNetwork(Architecture()).eval()
    logits, _ = network(torch.randn(1, input_channels(1), 32, 32))
    assert torch.sigmoid(logits).mean() < 0.1


def test_the_network_is_small():
    count = sum(p.numel() for p in ChangeNetwork(Architecture()).parameters())
    assert count < 3_000_000


def test_features_tell_slices_apart_and_not_their_position_in_the_batch():
    network = ChangeNetwork(Architecture(widths=(8, 16, 16, 24))).eval()
    image = torch.randn(3, input_channels(1), 32, 32)
    _, features = network(image)
    _, turned = network(image.flip(0))
    torch.testing.assert_close(features, turned.flip(0))
    assert (features[0] - features[1]).norm() / features[0].norm() > 0.01
