"""Changes of the input that must not change the answer, and the way back onto the grid of the input.

What differs between the answers is doubt (test-time augmentation: Gaillochet, Desrosiers and Lombaert,
"TAAL: test-time augmentation for active learning in medical image segmentation", 2022). Two kinds fit slice
pairs: the mirror, and a registration that is one pixel off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch

from longitudinal_al.network.architecture import ChangeNetwork, network_input
from longitudinal_al.pairs.augmentation import BASELINE

Change = Callable[[torch.Tensor], torch.Tensor]


def mirrored(images: torch.Tensor) -> torch.Tensor:
    """Mirror left to right, as the training does."""
    return images.flip(-1)


def baseline_moved(stacks: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Shift the baseline against the follow-up, as a registration error would.

    The plain difference follows, as the network makes it from the two. The robust one stays: it is the
    smallest over such shifts anyway.

    Parameters
    ----------
    stacks : torch.Tensor
        (n, slices, channels, rows, columns), see `Pool.stacks`.
    rows, columns : int
        By how much, in pixels; what comes in at the edge is 0.
    """
    moved = stacks.clone()
    baseline = torch.roll(stacks[:, :, BASELINE], (rows, columns), dims=(-2, -1))
    for axis, step in ((-2, rows), (-1, columns)):
        if step:
            baseline.narrow(axis, 0 if step > 0 else baseline.shape[axis] + step, abs(step)).zero_()
    moved[:, :, BASELINE] = baseline
    return moved


def _unchanged(images: torch.Tensor) -> torch.Tensor:
    return images


VARIANTS: dict[str, tuple[Change, Change]] = {
    "mirrored": (mirrored, mirrored),
    "baseline a pixel down": (partial(baseline_moved, rows=1, columns=0), _unchanged),
    "baseline a pixel up": (partial(baseline_moved, rows=-1, columns=0), _unchanged),
    "baseline a pixel right": (partial(baseline_moved, rows=0, columns=1), _unchanged),
    "baseline a pixel left": (partial(baseline_moved, rows=0, columns=-1), _unchanged),
}
"""Name -> change of the stacks, and the way back for what is predicted."""


def predicted_variants(
    networks: Sequence[ChangeNetwork], stacks: torch.Tensor, foreground: torch.Tensor
) -> torch.Tensor:
    """Predict slice pairs under each of `VARIANTS`.

    Parameters
    ----------
    networks : sequence of ChangeNetwork
        Their mean probability is taken.
    stacks : torch.Tensor
        (n, slices, channels, rows, columns), see `Pool.stacks`.
    foreground : torch.Tensor
        bool, (n, rows, columns).

    Returns
    -------
    torch.Tensor
        float32, (variants, n, rows, columns): probability of change on the grid of the input, 0 outside of
        the foreground.
    """
    predicted = []
    for change, back in VARIANTS.values():
        image = network_input(change(stacks)).contiguous(memory_format=torch.channels_last)
        members = [torch.sigmoid(network(image)[0]).float() for network in networks]
        predicted.append(back(torch.stack(members).mean(0)))
    return torch.stack(predicted) * foreground
