"""Smooth random fields: the texture, the warps and the unevenness of a synthetic head are made of them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch.nn import functional

Shape = tuple[int, int, int]


def smooth_noise(generator: np.random.Generator, shape: Shape, sigma: float) -> NDArray[np.float32]:
    """Gaussian noise of unit variance, smoothed by `sigma` voxels: a random field without a direction."""
    noise = generator.standard_normal(shape, dtype=np.float32)
    smooth = ndimage.gaussian_filter(noise, sigma, mode="wrap", truncate=3.0)
    return (smooth - smooth.mean()) / max(float(smooth.std()), 1e-6)


def enlarge(volume: NDArray[np.float32] | torch.Tensor, shape: Shape) -> torch.Tensor:
    """Trilinear interpolation of (channels, z, y, x) or (z, y, x) to `shape`, corners on corners."""
    tensor = torch.as_tensor(volume)
    channels = tensor if tensor.ndim == 4 else tensor[None]
    large = functional.interpolate(channels[None], size=shape, mode="trilinear", align_corners=True)[0]
    return large if tensor.ndim == 4 else large[0]


def random_field(generator: np.random.Generator, shape: Shape, scale: float) -> torch.Tensor:
    """Random field of unit variance at full size, drawn on a coarse lattice because it is smooth anyway.

    Parameters
    ----------
    generator
        Source of chance.
    shape
        Voxels (z, y, x).
    scale
        Standard deviation in voxels of the Gaussian that smooths it; about a quarter of a wavelength.
    """
    step = max(scale / 1.5, 1.5)
    coarse = tuple(int(np.ceil(n / step)) + 2 for n in shape)
    return enlarge(smooth_noise(generator, (coarse[0], coarse[1], coarse[2]), scale / step), shape)
