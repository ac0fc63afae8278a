from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.pairs.augmentation import BASELINE, DIFFERENCE, FOLLOWUP, Augmentation, augment

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, exchanged=0)


def example(n: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(40.0), indexing="ij")
    ball = ((rows - 15) ** 2 + (columns - 22) ** 2 < 36).float()
    picture = 1 + 4 * ball
    return picture.expand(n, 3, 3, 32, 40).clone(), ball.expand(n, 32, 40).clone()


def test_same_seed_gives_the_same_examples():
    stacks, masks = example()
    first = augment(stacks, masks, Augmentation(), torch.Generator().manual_seed(3))
    second = augment(stacks, masks, Augmentation(), torch.Generator().manual_seed(3))
    other = augment(stacks, masks, Augmentation(), torch.Generator().manual_seed(4))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[0], other[0])


def test_input_is_left_alone():
    stacks, masks = example()
    before = stacks.clone()
    augment(stacks, masks, Augmentation(), torch.Generator().manual_seed(3))
    assert torch.equal(stacks, before)


def test_without_strength_only_mirrors_are_left():
    stacks, masks = example(40)
    new, new_masks = augment(stacks, masks, STILL, torch.Generator().manual_seed(1))
    same = [torch.allclose(a, b, atol=1e-4) for a, b in zip(new, stacks, strict=True)]
    mirrored = [torch.allclose(a, b.flip(-1), atol=1e-4) for a, b in zip(new, stacks, strict=True)]
    assert all(a or b for a, b in zip(same, mirrored, strict=True))
    assert 8 < sum(same) < 32
    assert torch.allclose(new_masks.sum(), masks.sum(), rtol=1e-3)


def test_the_wanted_share_is_moved_and_the_rest_stays_sharp():
    stacks, masks = example(200)
    how = Augmentation(gain=0, offset=0, noise=0, difference_gain=0, moved=0.25, exchanged=0)
    new, _ = augment(stacks, masks, how, torch.Generator().manual_seed(2))
    still = [torch.equal(a, b) or torch.equal(a, b.flip(-1)) for a, b in zip(new, stacks, strict=True)]
    assert 0.65 < np.mean(still) < 0.85


def test_exchanged_times_turn_the_difference_round():
    stacks, masks = example(200)
    stacks[:, :, BASELINE] += 1
    how = replace(STILL, exchanged=0.3)
    new, new_masks = augment(stacks, masks, how, torch.Generator().manual_seed(7))
    turned = (new[:, 1, DIFFERENCE] < 0).any(-1).any(-1)
    assert 0.2 < turned.float().mean() < 0.4
    brighter = new[:, 1, BASELINE].sum((-1, -2)) > new[:, 1, FOLLOWUP].sum((-1, -2))
    assert torch.equal(brighter, ~turned)
    assert torch.allclose(new[turned][:, :, DIFFERENCE].sum(), -stacks[turned][:, :, DIFFERENCE].sum())
    assert torch.allclose(new_masks.sum(), masks.sum())


def test_mask_moves_with_the_followup():
    stacks, masks = example(16)
    how = Augmentation(gain=0, offset=0, noise=0, difference_gain=0, exchanged=0)
    new, new_masks = augment(stacks, masks, how, torch.Generator().manual_seed(5))
    bright = (new[:, 1, FOLLOWUP] > 3).float()
    overlap = 2 * (bright * (new_masks > 0.5)).sum() / (bright.sum() + (new_masks > 0.5).sum())
    assert overlap > 0.97


def test_baseline_is_misaligned_by_at_most_a_pixel():
    stacks, masks = example(30)
    how = Augmentation(0, 0, misalignment_pixels=1, gain=0, offset=0, noise=0, difference_gain=0)
    new, _ = augment(stacks, masks, how, torch.Generator().manual_seed(6))
    weights = new[:, 1].clone() - 1
    centre = (weights.clamp(min=0) * torch.arange(40.0)).sum((-1, -2)) / weights.clamp(min=0).sum((-1, -2))
    apart = (centre[:, BASELINE] - centre[:, FOLLOWUP]).abs()
    assert apart.max() < 1.05
    assert apart.max() > 0.5


def test_times_change_their_contrast_independently():
    stacks, masks = example(30)
    how = Augmentation(0, 0, 0, gain=0.3, offset=0, noise=0, difference_gain=0)
    new, _ = augment(stacks, masks, how, torch.Generator().manual_seed(7))
    gains = new[:, 1, :, 0, 0].numpy()
    assert abs(np.corrcoef(gains[:, BASELINE], gains[:, FOLLOWUP])[0, 1]) < 0.5
    assert gains[:, BASELINE].std() > 0.05


def test_outside_stays_zero():
    stacks, masks = example(4)
    stacks[..., :10] = 0
    how = Augmentation(0, 0, 0)
    new, _ = augment(stacks, masks, how, torch.Generator().manual_seed(8))
    zeros = (new == 0).all(dim=2).float().mean()
    assert zeros == pytest.approx(0.25, abs=0.01)
