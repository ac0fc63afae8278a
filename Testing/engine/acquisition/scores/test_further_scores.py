"""Hand-made cases with known answers for the scores beyond the probability family."""

import math

import pytest
import torch

from longitudinal_al.acquisition.scores.augmentation_variance import augmentation_variance
from longitudinal_al.acquisition.scores.change_entropy import change_entropy
from longitudinal_al.acquisition.scores.ensemble_variance import ensemble_variance
from longitudinal_al.acquisition.scores.learning_loss import learning_loss
from longitudinal_al.acquisition.scores.predicted_change import predicted_change
from longitudinal_al.acquisition.scores.selective_uncertainty import selective_uncertainty
from longitudinal_al.acquisition.scores.sure_change import sure_change
from longitudinal_al.acquisition.scores.vote_entropy import vote_entropy


def flat(*probabilities: float, side: int = 16) -> torch.Tensor:
    """Return members of one slice pair each with one probability throughout."""
    return torch.tensor(probabilities).view(-1, 1, 1, 1).expand(-1, 1, side, side).clone()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ((0.4, 0.1, 0.49), 0.0),
        ((0.5, 0.9, 1.0), 0.0),
        ((0.9, 0.1, 0.2), 0.636514),
        ((0.51, 0.49), math.log(2)),
    ],
)
def test_vote_entropy_counts_sides_only(make_predictions, members, expected):
    assert vote_entropy(make_predictions(flat(*members))).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("members", "expected"), [((0.5, 0.5, 0.5), 0.0), ((0.0, 1.0), 0.25), ((0.2, 0.4, 0.9), 0.0866667)]
)
def test_ensemble_variance_is_that_of_the_members(make_predictions, members, expected):
    assert ensemble_variance(make_predictions(flat(*members))).item() == pytest.approx(expected, abs=1e-6)


def test_augmentation_variance_joins_the_prediction_itself(make_predictions):
    steady = make_predictions(flat(0.3), variants=flat(0.3, 0.3))
    assert augmentation_variance(steady).item() == pytest.approx(0.0, abs=1e-7)
    moved = make_predictions(flat(0.0), variants=flat(0.0, 0.0, 1.0))
    assert augmentation_variance(moved).item() == pytest.approx(3 / 16)


def test_learning_loss_keeps_the_order_of_the_predicted_losses_and_is_never_unusable(make_predictions):
    predicted = torch.tensor([-1.0, -30.0, 0.0, 5.0])
    found = learning_loss(make_predictions(torch.zeros(4, 8, 8), predicted_loss=predicted))
    assert found.argsort().tolist() == predicted.argsort().tolist()
    assert (found > 0).all()


def test_selective_uncertainty_leaves_thin_doubt_out(make_predictions):
    thin, lesion = torch.full((32, 32), 0.24), torch.zeros(32, 32)
    lesion[4:12, 4:12] = 0.9
    found = selective_uncertainty(make_predictions(torch.stack([thin, lesion])))
    assert found[0] == 0.0
    assert found[1].item() == pytest.approx(0.325083, abs=1e-6)


def test_change_entropy_leans_to_change_and_is_largest_at_0_70(make_predictions):
    chances = torch.linspace(0, 1, 101)
    pictures = chances.view(-1, 1, 1).expand(-1, 16, 16)
    found = change_entropy(make_predictions(pictures))
    assert chances[found.argmax()].item() == pytest.approx(0.70)
    assert found.max().item() == pytest.approx(0.4276, abs=1e-3)
    assert found[90] > 5 * found[10]


def test_predicted_change_is_the_expected_number_of_pixels_in_the_foreground(make_predictions):
    inside = torch.zeros(1, 16, 16, dtype=torch.bool)
    inside[0, :4, :5] = True
    found = predicted_change(make_predictions(torch.full((1, 16, 16), 0.25), foreground=inside))
    assert found.item() == pytest.approx(5.0)


def test_sure_change_sets_expected_pixels_against_doubt_in_the_foreground(make_predictions):
    inside = torch.ones(3, 16, 16, dtype=torch.bool)
    inside[2, :, :8] = False
    pictures = torch.zeros(3, 16, 16)
    pictures[0, :4, :5] = 1.0  # a lesion with a clear edge
    pictures[1, :10, :4] = 0.5  # as much expected change, all of it in doubt
    pictures[2, :4, :5] = 1.0  # outside
    found = sure_change(make_predictions(pictures, foreground=inside))
    assert found.tolist() == pytest.approx([20.0, 20.0 / (1.0 + 40 * math.log(2)), 0.0])
