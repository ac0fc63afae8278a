"""From a map of pixels to one number a slice pair, within the foreground.

A sum over the slice lets haze win: p = 0.001 over 65,000 pixels has the entropy 0.0079 * 65,000 = 514, a
lesion of 100 pixels at p = 0.5 only 69. Both aggregations here ask how much there is *somewhere*, not in all.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import avg_pool2d, pad

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.errors import UnknownName

TOP_PIXELS = 64
PATCH_PIXELS = 8
DEFAULT = "best_patch"


def top_k(pixels: torch.Tensor, count: int = TOP_PIXELS) -> torch.Tensor:
    """Return the mean of the ``count`` largest pixels of each slice pair, wherever they lie.

    Parameters
    ----------
    pixels
        (n, rows, columns), at least 0, and 0 outside the foreground.
    count
        In pixels. A slice with fewer pixels is averaged over those it has.
    """
    flat = pixels.flatten(1)
    return flat.topk(min(count, flat.shape[1]), dim=1, sorted=False).values.mean(dim=1)


def best_patch(pixels: torch.Tensor, side: int = PATCH_PIXELS) -> torch.Tensor:
    """Return the largest mean over a square patch of each slice pair; patches overlap by half.

    Parameters
    ----------
    pixels
        (n, rows, columns), at least 0, and 0 outside the foreground: a patch that leaves the foreground or
        the slice counts what lies outside as 0, so a sliver of foreground cannot win by being small.
    side
        In pixels, even.
    """
    half = side // 2
    rows, columns = pixels.shape[1:]
    if rows % half or columns % half:
        pixels = pad(pixels, (0, -columns % half, 0, -rows % half))
    quarters = avg_pool2d(pixels[:, None], half)
    return avg_pool2d(quarters, 2, stride=1, padding=1).amax(dim=(1, 2, 3))


AGGREGATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"top_k": top_k, "best_patch": best_patch}


def aggregate(pixels: torch.Tensor, foreground: torch.Tensor, aggregation: str = DEFAULT) -> torch.Tensor:
    """Return one number a slice pair from a map of pixels; ``pixels`` is overwritten outside the foreground.

    Parameters
    ----------
    pixels
        (n, rows, columns) float32, at least 0; consumed.
    foreground
        (n, rows, columns) bool.
    aggregation
        A key of ``AGGREGATIONS``.

    Returns
    -------
    torch.Tensor
        (n,) float32; ``UNUSABLE`` where a pixel of the foreground is NaN, whatever the others are.
    """
    if aggregation not in AGGREGATIONS:
        raise UnknownName("aggregation", aggregation, AGGREGATIONS)
    if pixels.shape[0] == 0:
        return pixels.new_zeros(0)
    pixels.masked_fill_(~foreground, 0.0)
    return AGGREGATIONS[aggregation](pixels).nan_to_num_(nan=UNUSABLE)
