from dataclasses import fields

import pytest
import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.errors import InvalidInput, NotReady


def test_a_score_is_shown_no_label_and_the_reference_only_when_it_is_given():
    own = {"members", "difference", "foreground"}
    needed = {"variants", "attention", "predicted_loss", "expected_misalignment"}
    assert {one.name for one in fields(Predictions)} == own | needed | {"reference"}
    assert all(one.default is None for one in fields(Predictions) if one.name not in own)


def test_the_mean_is_over_members_and_leaves_them_alone(make_predictions):
    members = torch.tensor([[[[0.0, 0.5]]], [[[1.0, 0.75]]]])
    before = members.clone()
    predictions = make_predictions(members)
    assert torch.equal(predictions.mean(), torch.tensor([[[0.5, 0.625]]]))
    assert torch.equal(members, before)
    assert len(predictions) == 1


def test_half_precision_is_scored_in_float32_and_what_leaves_0_to_1_is_cut(make_predictions):
    predictions = make_predictions(torch.tensor([[[-0.25, 1.5, 0.5]]], dtype=torch.bfloat16))
    assert predictions.mean().dtype == torch.float32
    assert torch.equal(predictions.mean(), torch.tensor([[[0.0, 1.0, 0.5]]]))


@pytest.mark.parametrize(
    ("members", "difference", "foreground", "words"),
    [
        (torch.zeros(2, 4, 4), torch.zeros(2, 4, 4), torch.ones(2, 4, 4, dtype=torch.bool), "members"),
        (torch.zeros(0, 2, 4, 4), torch.zeros(2, 4, 4), torch.ones(2, 4, 4, dtype=torch.bool), "one member"),
        (torch.zeros(1, 2, 4, 4), torch.zeros(2, 4, 5), torch.ones(2, 4, 4, dtype=torch.bool), "difference"),
        (torch.zeros(1, 2, 4, 4), torch.zeros(2, 4, 4), torch.ones(3, 4, 4, dtype=torch.bool), "foreground"),
        (torch.zeros(1, 2, 4, 4), torch.zeros(2, 4, 4), torch.ones(2, 4, 4), "bool"),
    ],
)
def test_shapes_that_do_not_belong_together_are_named(members, difference, foreground, words):
    with pytest.raises(InvalidInput, match=words):
        Predictions(members, difference, foreground)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("variants", torch.zeros(4, 2, 8, 9)),
        ("variants", torch.zeros(0, 2, 8, 8)),
        ("attention", torch.zeros(3, 8, 8)),
        ("predicted_loss", torch.zeros(3)),
        ("expected_misalignment", torch.zeros(2, 1)),
        ("reference", torch.zeros(2, 8, 8)),
    ],
)
def test_what_a_strategy_needs_beside_has_to_fit_too(name, value):
    pictures = torch.zeros(2, 8, 8)
    with pytest.raises(InvalidInput, match=name):
        Predictions(torch.zeros(1, 2, 8, 8), pictures, pictures.bool(), **{name: value})


def test_a_missing_field_is_named_together_with_the_score(make_predictions):
    with pytest.raises(NotReady, match="learning_loss needs the predicted loss"):
        make_predictions(torch.zeros(2, 8, 8)).needed("predicted_loss", "learning_loss")
