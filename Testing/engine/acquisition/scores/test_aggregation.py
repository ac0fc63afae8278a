import pytest
import torch

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.scores.aggregation import (
    AGGREGATIONS,
    aggregate,
    best_patch,
    top_k,
)
from longitudinal_al.errors import UnknownName


def everywhere(pixels):
    return torch.ones_like(pixels, dtype=torch.bool)


def test_top_k_is_the_mean_of_the_largest_pixels():
    pixels = torch.arange(100.0).view(1, 10, 10)
    assert top_k(pixels, 4).item() == (99 + 98 + 97 + 96) / 4
    assert top_k(pixels, 1000).item() == 49.5


def test_best_patch_finds_a_patch_that_fills_it_and_halves_with_half_a_patch():
    pixels = torch.zeros(2, 64, 64)
    pixels[0, 16:24, 20:28] = 1.0
    pixels[1, 16:24, 20:24] = 1.0
    assert best_patch(pixels, 8).tolist() == [1.0, 0.5]


def test_best_patch_sees_the_last_rows_of_sizes_that_the_patch_does_not_divide():
    pixels = torch.zeros(1, 13, 11)
    pixels[0, 12, 10] = 1.0
    assert best_patch(pixels, 8).item() == pytest.approx(1 / 64)


def test_scattered_pixels_lose_against_a_compact_patch_of_as_many():
    scattered, compact = torch.zeros(1, 256, 256), torch.zeros(1, 256, 256)
    scattered[0, ::32, ::32] = 0.69
    compact[0, 40:48, 80:88] = 0.69
    assert top_k(scattered) == top_k(compact)
    assert best_patch(compact) > 10 * best_patch(scattered)


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_outside_the_foreground_nothing_counts_not_even_nan(name):
    pixels = torch.full((1, 32, 32), 0.1)
    pixels[0, :16] = float("nan")
    foreground = everywhere(pixels)
    foreground[0, :16] = False
    assert aggregate(pixels, foreground, name).item() == pytest.approx(0.1)


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_an_empty_foreground_scores_nothing(name):
    pixels = torch.ones(2, 32, 32)
    assert aggregate(pixels, torch.zeros_like(pixels, dtype=torch.bool), name).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_one_nan_in_the_foreground_makes_the_slice_pair_unusable_and_only_this_one(name):
    pixels = torch.full((3, 64, 64), 0.5)
    pixels[1, 63, 63] = float("nan")
    found = aggregate(pixels, everywhere(pixels), name)
    assert found[1] == UNUSABLE
    assert torch.allclose(found[[0, 2]], torch.tensor(0.5))


def test_no_slice_pairs_and_an_unknown_name():
    assert aggregate(torch.zeros(0, 8, 8), torch.zeros(0, 8, 8, dtype=torch.bool)).shape == (0,)
    with pytest.raises(UnknownName, match="best_patch, top_k"):
        aggregate(torch.zeros(1, 8, 8), torch.ones(1, 8, 8, dtype=torch.bool), "sum")
