"""How the head that predicts the network's own loss learns to: Yoo and Kweon, "Learning Loss", CVPR 2019."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.loss_terms import Step

MARGIN = 1.0
"""The paper's: losses in the wrong order, or predicted nearer to each other than this, are corrected."""


def with_loss_head(network: ChangeNetwork) -> ChangeNetwork:
    """Return a network that predicts its own loss: the same one if it does, else a copy with a new head."""
    if network.loss_head is not None:
        return network
    grown = ChangeNetwork(replace(network.architecture, predicts_loss=True))
    grown.load_state_dict(network.state_dict(), strict=False)
    return grown.train(network.training)


def predicted_loss_term(seen: Step) -> torch.Tensor:
    """Return how wrongly the head orders the examples of a step by their loss, see `ranking_loss`."""
    head = seen.network.loss_head
    assert head is not None
    losses = patch_losses(seen.reading.logits, seen.masks)
    return ranking_loss(head([*seen.reading.levels, seen.reading.activations]), losses)


def patch_losses(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of each example, (n,): the loss that is predicted.

    Parameters
    ----------
    logits, masks : torch.Tensor
        (n, rows, columns); where a mask is NaN, nothing is counted.
    """
    known = ~torch.isnan(masks)
    with torch.no_grad():
        each = binary_cross_entropy_with_logits(logits.float(), masks.nan_to_num(0.0), reduction="none")
        return (each * known).sum((1, 2)) / known.sum((1, 2)).clamp_min(1)


def ranking_loss(predicted: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
    """Return how wrongly predicted losses are ordered: mean of max(0, margin - sign(l_i - l_j)(p_i - p_j)).

    As published each example is compared with one other; here with all, as a batch is sorted by its centres.

    Parameters
    ----------
    predicted, losses : torch.Tensor
        (n,).
    """
    first, second = torch.triu_indices(len(losses), len(losses), offset=1, device=losses.device)
    order = torch.sign(losses[first] - losses[second])
    wrong = torch.relu(MARGIN - order * (predicted[first] - predicted[second]).float())
    return wrong.sum() / max(len(wrong), 1)
