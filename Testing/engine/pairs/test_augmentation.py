from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.pairs.augmentation import (
    BASELINE,
    DIFFERENCE,
    FOLLOWUP,
    Augmentation,
    augment,
    change_contrast,
)

STILL = Augmentation(0, 0, 0, 0, 0, 0, 0, exchanged=0, curves=0)


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


def turned(images: torch.Tensor) -> list[torch.Tensor]:
    """Return the eight ways in which images can be mirrored and turned, as far as they keep their shape."""
    mirrored = [images, images.flip(-1), images.flip(-2), images.flip((-2, -1))]
    square = images.shape[-1] == images.shape[-2]
    return mirrored + [each.transpose(-1, -2) for each in mirrored if square]


@pytest.mark.parametrize(("columns", "allowed", "ways"), [(32, True, 8), (40, True, 4), (32, False, 2)])
def test_without_strength_only_mirrors_and_quarter_turns_are_left(columns, allowed, ways):
    stacks, masks = (images[..., :columns] for images in example(200))
    how = replace(STILL, turned=allowed)
    new, new_masks = augment(stacks, masks, how, torch.Generator().manual_seed(1))
    seen = set()
    for stack, mask, new_stack, new_mask in zip(stacks, masks, new, new_masks, strict=True):
        alike = [k for k, each in enumerate(turned(stack)) if torch.allclose(new_stack, each, atol=1e-4)]
        assert alike
        assert torch.equal(turned(mask)[alike[0]], new_mask)
        seen.add(alike[0])
    assert len(seen) == ways


def test_the_wanted_share_is_moved_and_the_rest_stays_sharp():
    stacks, masks = example(200)
    how = Augmentation(gain=0, offset=0, noise=0, difference_gain=0, moved=0.25, exchanged=0, curves=0)
    new, _ = augment(stacks, masks, how, torch.Generator().manual_seed(2))
    still = [any(torch.equal(a, each) for each in turned(b)) for a, b in zip(new, stacks, strict=True)]
    assert 0.65 < np.mean(still) < 0.85


def test_bent_contrast_keeps_the_order_and_the_difference():
    stacks = 3 * torch.randn(6, 3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    stacks[:, :, :, :4] = 0
    bent = change_contrast(stacks.clone(), replace(STILL, curves=0.5), torch.Generator().manual_seed(1))
    assert torch.equal(bent[:, :, DIFFERENCE], stacks[:, :, DIFFERENCE])
    assert not bent[:, :, :, :4].any()
    for example in range(6):
        for channel in (BASELINE, FOLLOWUP):
            old, new = (each[example, :, channel].flatten() for each in (stacks, bent))
            assert not torch.allclose(old, new, atol=0.1)
            assert (new[old.argsort()].diff() >= -1e-4).all()
    assert not torch.allclose(bent[0, 0, BASELINE], bent[1, 0, BASELINE])


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
    how = Augmentation(gain=0, offset=0, noise=0, difference_gain=0, exchanged=0, curves=0)
    new, new_masks = augment(stacks, masks, how, torch.Generator().manual_seed(5))
    bright = (new[:, 1, FOLLOWUP] > 3).float()
    overlap = 2 * (bright * (new_masks > 0.5)).sum() / (bright.sum() + (new_masks > 0.5).sum())
    assert overlap > 0.97


def test_baseline_is_misaligned_by_at_most_a_pixel():
    stacks, masks = example(30)
    how = Augmentation(0, 0, misalignment_pixels=1, gain=0, offset=0, noise=0, difference_gain=0, curves=0)
    new, _ = augment(stacks, masks, how, torch.Generator().manual_seed(6))
    weights = new[:, 1].clone() - 1
    centre = (weights.clamp(min=0) * torch.arange(40.0)).sum((-1, -2)) / weights.clamp(min=0).sum((-1, -2))
    apart = (centre[:, BASELINE] - centre[:, FOLLOWUP]).abs()
    assert apart.max() < 1.05
    assert apart.max() > 0.5


def test_times_change_their_contrast_independently():
    stacks, masks = example(30)
    how = Augmentation(0, 0, 0, gain=0.3, offset=0, noise=0, difference_gain=0, curves=0)
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
