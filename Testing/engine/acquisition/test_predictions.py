from dataclasses import fields

import pytest
import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.errors import InvalidInput


def test_a_score_is_shown_no_label_and_no_reference():
    assert {one.name for one in fields(Predictions)} == {"members", "difference", "foreground"}


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
