import math

import pytest
import torch

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.scores.aggregation import AGGREGATIONS
from longitudinal_al.acquisition.scores.bald import bald
from longitudinal_al.acquisition.scores.difference_entropy import difference_entropy
from longitudinal_al.acquisition.scores.dropout_entropy import dropout_entropy
from longitudinal_al.acquisition.scores.entropy import entropy
from longitudinal_al.acquisition.scores.least_confidence import least_confidence
from longitudinal_al.acquisition.scores.margin import margin
from longitudinal_al.errors import NotReady

ONE_PREDICTION = [entropy, difference_entropy, least_confidence, margin]
SEVERAL = [dropout_entropy, bald]
ALL = ONE_PREDICTION + SEVERAL


@pytest.fixture
def haze_and_lesion():
    """Return two slices: faint haze everywhere, and a lesion of 100 pixels on nothing."""
    change = torch.zeros(2, 256, 256)
    change[0] = 0.001
    change[1, 101:111, 57:67] = 0.5
    return change


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("score", ALL)
def test_haze_scores_far_below_a_lesion(score, aggregation, haze_and_lesion, make_predictions):
    members = torch.stack([haze_and_lesion * 0.5, haze_and_lesion * 1.5])
    predictions = make_predictions(members, difference=torch.full((2, 256, 256), 8.0))
    haze, lesion = score(predictions, aggregation)
    assert 0 < haze < 0.05 * lesion


def test_the_sum_as_published_prefers_the_haze(haze_and_lesion):
    published = -torch.xlogy(haze_and_lesion, haze_and_lesion).sum(dim=(1, 2))
    assert published[0].item() == pytest.approx(452.7, abs=0.5)
    assert published[1].item() == pytest.approx(34.7, abs=0.5)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (entropy, [0.0, 0.325083, math.log(2), 0.325083, 0.0]),
        (least_confidence, [0.0, 0.1, 0.5, 0.1, 0.0]),
        (margin, [0.0, 0.2, 1.0, 0.2, 0.0]),
    ],
)
def test_known_values_of_slices_with_one_probability(score, expected, make_predictions):
    change = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0]).view(5, 1, 1).expand(5, 32, 32)
    assert torch.allclose(score(make_predictions(change)), torch.tensor(expected), atol=1e-6)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_with_the_same_aggregation_margin_is_twice_the_least_confidence(aggregation, make_predictions):
    predictions = make_predictions(torch.rand((8, 64, 64), generator=torch.Generator().manual_seed(1)))
    twice = 2 * least_confidence(predictions, aggregation)
    assert torch.allclose(margin(predictions, aggregation), twice, atol=1e-6)


def test_by_default_margin_and_least_confidence_differ(make_predictions):
    scattered, compact = torch.zeros(64, 64), torch.zeros(64, 64)
    scattered[::8, ::8] = 0.5
    compact[8:16, 8:16] = 0.4
    predictions = make_predictions(torch.stack([scattered, compact]))
    assert margin(predictions).argmax() == 0
    assert least_confidence(predictions).argmax() == 1


def test_difference_entropy_weighs_with_the_size_of_the_difference_up_to_8(make_predictions):
    difference = torch.tensor([0.0, 2.0, -4.0, 8.0, -80.0]).view(5, 1, 1).expand(5, 32, 32)
    found = difference_entropy(make_predictions(torch.full((5, 32, 32), 0.5), difference))
    assert torch.allclose(found / math.log(2), torch.tensor([0.0, 0.25, 0.5, 1.0, 1.0]), atol=1e-6)


def test_dropout_entropy_is_the_entropy_of_the_mean(make_predictions):
    members = torch.stack([torch.zeros(1, 16, 16), torch.ones(1, 16, 16)])
    assert dropout_entropy(make_predictions(members)).item() == pytest.approx(math.log(2))


def test_bald_is_0_where_members_agree_and_log_2_where_they_contradict(make_predictions):
    same = torch.rand((1, 32, 32), generator=torch.Generator().manual_seed(2))
    assert bald(make_predictions(same.expand(5, 1, 32, 32))).item() == pytest.approx(0.0, abs=1e-6)
    contradict = torch.stack([torch.zeros(1, 16, 16), torch.ones(1, 16, 16)])
    assert bald(make_predictions(contradict)).item() == pytest.approx(math.log(2))


def test_bald_of_known_members(make_predictions):
    members = torch.tensor([0.2, 0.6]).view(2, 1, 1, 1).expand(2, 1, 16, 16)
    expected = 0.673012 - (0.500402 + 0.673012) / 2
    assert bald(make_predictions(members)).item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("score", SEVERAL)
def test_one_prediction_is_not_enough_for_disagreement(score, make_predictions):
    with pytest.raises(NotReady, match="ensemble"):
        score(make_predictions(torch.zeros(2, 8, 8)))


@pytest.mark.parametrize("score", ALL)
def test_nan_gets_the_lowest_score_of_all(score, make_predictions):
    members = torch.zeros(2, 3, 16, 16)
    members[1, 1, 4, 4] = float("nan")
    found = score(make_predictions(members))
    assert found.tolist() == [0.0, UNUSABLE, 0.0]


def test_a_nan_in_the_difference_is_unusable_too(make_predictions):
    difference = torch.zeros(2, 16, 16)
    difference[0, 0, 0] = float("nan")
    assert difference_entropy(make_predictions(torch.zeros(2, 16, 16), difference)).tolist() == [
        UNUSABLE,
        0.0,
    ]


@pytest.mark.parametrize("score", ALL)
def test_the_same_however_the_pool_is_streamed(score, make_predictions):
    generator = torch.Generator().manual_seed(3)
    members = torch.rand((3, 10, 40, 36), generator=generator)
    difference = 5 * torch.randn((10, 40, 36), generator=generator)
    foreground = torch.rand((10, 40, 36), generator=generator) < 0.6
    before = members.clone(), difference.clone(), foreground.clone()
    whole = score(make_predictions(members, difference, foreground))
    parts = [
        score(make_predictions(members[:, part], difference[part], foreground[part]))
        for part in (slice(0, 7), slice(7, 10))
    ]
    assert whole.dtype == torch.float32
    assert torch.equal(whole, torch.cat(parts))
    assert all(torch.equal(a, b) for a, b in zip(before, (members, difference, foreground), strict=True))


@pytest.mark.parametrize("score", ALL)
def test_no_slice_pairs_no_scores(score, make_predictions):
    assert score(make_predictions(torch.zeros(2, 0, 8, 8))).shape == (0,)
