"""Changes of the input and the way back."""

from __future__ import annotations

import pytest
import torch

from longitudinal_al.network.architecture import Architecture, ChangeNetwork, network_input
from longitudinal_al.network.input_variants import VARIANTS, baseline_moved, mirrored, predicted_variants
from longitudinal_al.network.prediction import predict


def test_only_the_baseline_moves_and_nothing_comes_in_from_the_other_side():
    stacks = torch.arange(2 * 3 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 3, 4, 5) + 1
    moved = baseline_moved(stacks, 1, 0)
    assert torch.equal(moved[:, :, 1:], stacks[:, :, 1:])
    assert torch.equal(moved[:, :, 0, 1:], stacks[:, :, 0, :-1])
    assert not moved[:, :, 0, 0].any()
    back = baseline_moved(stacks, 0, -1)
    assert torch.equal(back[:, :, 0, :, :-1], stacks[:, :, 0, :, 1:])
    assert not back[:, :, 0, :, -1].any()


@pytest.fixture(scope="module")
def network() -> ChangeNetwork:
    torch.manual_seed(0)
    network = ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()
    with torch.no_grad():
        network.head.bias += 4
    return network


def test_predictions_lie_on_the_grid_of_the_input(network, training_pool):
    stacks = torch.from_numpy(training_pool.stacks([1, 2], 1)).float()
    foreground = torch.from_numpy(training_pool.foreground([1, 2]))
    with torch.no_grad():
        found = predicted_variants([network], stacks, foreground)
        image = network_input(stacks.flip(-1))
        expected = mirrored(torch.sigmoid(network(image)[0])) * foreground
    assert found.shape == (len(VARIANTS), 2, *training_pool.size)
    torch.testing.assert_close(found[list(VARIANTS).index("mirrored")], expected)
    assert not found[..., :4].any()  # outside of the foreground


def test_a_registration_is_a_pixel_off_in_each_direction(network, training_pool):
    stacks = torch.from_numpy(training_pool.stacks([1, 2], 1)).float()
    foreground = torch.from_numpy(training_pool.foreground([1, 2]))
    moves = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}
    assert set(VARIANTS) == {"mirrored", *(f"baseline a pixel {where}" for where in moves)}
    with torch.no_grad():
        found = predicted_variants([network], stacks, foreground)
        for where, (rows, columns) in moves.items():
            image = network_input(baseline_moved(stacks, rows, columns))
            expected = torch.sigmoid(network(image)[0]) * foreground
            torch.testing.assert_close(found[list(VARIANTS).index(f"baseline a pixel {where}")], expected)


def test_they_differ_from_each_other_and_come_with_the_prediction(network, training_pool):
    (batch,) = predict([network], training_pool, [0, 1, 2], extras=("variants",))
    variants = batch.extras["variants"]
    assert variants.shape[1:] == batch.members.shape[1:]
    assert variants.dtype == torch.float32
    for first in range(len(VARIANTS)):
        for second in range(first):
            assert (variants[first] - variants[second]).abs().max() > 1e-3


def test_an_ensemble_answers_with_its_mean(network, training_pool):
    torch.manual_seed(3)
    other = ChangeNetwork(network.architecture).eval()
    stacks = torch.from_numpy(training_pool.stacks([1], 1)).float()
    foreground = torch.from_numpy(training_pool.foreground([1]))
    with torch.no_grad():
        both = predicted_variants([network, other], stacks, foreground)
        each = [predicted_variants([one], stacks, foreground) for one in (network, other)]
    torch.testing.assert_close(both, (each[0] + each[1]) / 2)
