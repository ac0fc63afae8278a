"""Explainability-guided selection: doubt, and whether the network looks where the change is."""

from __future__ import annotations

import math

import torch

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.aggregation import DEFAULT, aggregate
from longitudinal_al.acquisition.scores.pixelwise import binary_entropy
from longitudinal_al.errors import UnknownName

LARGE_Z = 4.0
"""|z| above which a difference counts as one, as in the difference score."""
VARIANTS = ("deployable", "fitted", "oracle")


def attention_misalignment(
    predictions: Predictions, weight: float = 0.3, variant: str = "deployable", aggregation: str = DEFAULT
) -> torch.Tensor:
    """Return weight * H / log 2 + (1 - weight) * (1 - Dice(attention, region)), (n,) in [0, 1].

    H is the entropy's best patch, divided by the largest it can be, so that both terms lie in [0, 1] and the
    weight means something. The attention is Grad-CAM, soft. The paper reads the expert's region on unlabelled
    samples, which no user can do; here the region is

    - *deployable*: |z| > 4 inside the foreground, joined with the predicted change;
    - *fitted*: none; the misalignment is what a regression on the labelled slice pairs expects;
    - *oracle*: the reference. An upper bound, in simulations only.

    Where there is neither region nor predicted change there is nothing to be aligned with: misalignment 0.
    O(1) a pixel; Grad-CAM here needs no way back. Use it once the network finds change at all. Paper:
    "Learning to select like humans: explainable active learning for medical imaging" (arXiv 2602.13308).

    Parameters
    ----------
    weight
        Of the uncertainty, lambda in the paper, in [0, 1].
    variant
        One of ``VARIANTS``.

    Raises
    ------
    NotReady
        The attention, the expected misalignment or the reference is missing.
    UnknownName
        There is no such variant.
    """
    doubt = aggregate(binary_entropy(predictions.mean()), predictions.foreground, aggregation)
    misaligned = misalignment_of(predictions, variant)
    joined = weight * doubt / math.log(2) + (1 - weight) * misaligned
    return torch.where((doubt == UNUSABLE) | ~misaligned.isfinite(), UNUSABLE, joined)


def misalignment_of(predictions: Predictions, variant: str) -> torch.Tensor:
    """Return the misalignment of each slice pair by one of the ``VARIANTS``, (n,) in [0, 1]; NaN stays."""
    name = "attention_misalignment"
    if variant not in VARIANTS:
        raise UnknownName(f"variant of {name}", variant, VARIANTS)
    if variant == "fitted":
        return predictions.needed("expected_misalignment", f"{name}:variant=fitted").float().clamp(0.0, 1.0)
    attention = predictions.needed("attention", name)
    predicted = (predictions.mean() >= 0.5) & predictions.foreground
    if variant == "oracle":
        region = predictions.needed("reference", f"{name}:variant=oracle (an upper bound for simulations)")
    else:
        region = (predictions.difference.abs() > LARGE_Z) & predictions.foreground | predicted
    return misalignment(attention, region, predicted)


def misalignment(attention: torch.Tensor, region: torch.Tensor, predicted: torch.Tensor) -> torch.Tensor:
    """Return 1 - soft Dice of attention and region, (n,); 0 where region and predicted change are both empty.

    Parameters
    ----------
    attention
        (n, rows, columns) in [0, 1].
    region, predicted
        (n, rows, columns) bool.
    """
    shared = (attention * region).flatten(1).sum(1)
    both = attention.flatten(1).sum(1) + region.flatten(1).sum(1)
    misaligned = 1.0 - 2.0 * shared / both.clamp_min(1e-6)
    return torch.where(region.flatten(1).any(1) | predicted.flatten(1).any(1), misaligned, misaligned * 0.0)
