"""What a scanner makes of a head: position, thick slices, pixel size, blur, bias field and noise."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray
from scipy import fft
from torch.nn import functional

from longitudinal_al.synthesis.anatomy import Atlas
from longitudinal_al.synthesis.difficulty import TYPICAL, Difficulty
from longitudinal_al.synthesis.fields import Shape, enlarge, smooth_noise
from longitudinal_al.synthesis.head import Contrast
from longitudinal_al.synthesis.warp import Pose, Warp

_LATTICE = 4.0  # mm between the points at which the composed transform is worked out exactly


@dataclass(frozen=True)
class Protocol:
    """How one visit is scanned.

    Attributes
    ----------
    size
        Columns, rows, slices.
    spacing
        mm, (x, y, z); the slices touch each other.
    origin
        Scanner position of the first voxel in mm.
    contrast
        Brightness of the tissues.
    noise
        Standard deviation of the noise in each of the two channels, white matter being 1.
    blur
        Spatial frequency in cycles a pixel at which half of the signal is lost in the plane.
    bias
        Standard deviation of the logarithm of the bias field.
    gain, gamma
        Stored value = gain * brightness ** gamma.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    contrast: Contrast
    noise: float
    blur: float
    bias: float
    gain: float
    gamma: float

    @property
    def shape(self) -> Shape:
        """Voxels (z, y, x)."""
        return (self.size[2], self.size[1], self.size[0])


def draw_protocols(
    generator: np.random.Generator, difficulty: Difficulty = TYPICAL
) -> tuple[Protocol, Protocol]:
    """Draw the protocols of two visits: the grid always differs, the contrast much in some patients."""
    first, other = _draw_contrast(generator), _draw_contrast(generator)
    mix = 0.6 if generator.random() >= 1 - difficulty.other_protocol else 0.15
    second = Contrast(*((1 - mix) * a + mix * b for a, b in zip(astuple(first), astuple(other), strict=True)))
    second = replace(second, lesion=other.lesion)  # lesions fade and brighten with any change of protocol
    drawn = [_draw_protocol(generator, contrast) for contrast in (first, second)]
    first_visit, second_visit = (replace(one, noise=one.noise * difficulty.noise) for one in drawn)
    return first_visit, second_visit


def _draw_contrast(generator: np.random.Generator) -> Contrast:
    return Contrast(
        gm=generator.uniform(1.15, 1.3),
        csf=generator.uniform(0.12, 0.24),
        fat=generator.uniform(0.3, 0.8),
        soft=generator.uniform(0.22, 0.38),
        cap=generator.uniform(0.1, 0.3),
        lesion=generator.uniform(0.85, 1.2),
    )


def _draw_protocol(generator: np.random.Generator, contrast: Contrast) -> Protocol:
    pixel = generator.uniform(0.75, 1.05)
    columns, rows = (int(np.ceil(mm / pixel / 4) * 4) for mm in (188, 224))
    thickness = float(generator.choice([3.0, 3.0, 3.0, 3.3, 3.5, 4.0]))
    slices = int(np.clip(round(generator.uniform(146, 158) / thickness), 34, 52))
    top = generator.uniform(84, 92)
    middle = 12.0 + generator.uniform(-4, 4)
    return Protocol(
        size=(columns, rows, slices),
        spacing=(pixel, pixel, thickness),
        origin=(-pixel * (columns - 1) / 2, middle - pixel * (rows - 1) / 2, top - thickness * (slices - 1)),
        contrast=contrast,
        noise=generator.uniform(0.016, 0.028),
        blur=generator.uniform(0.38, 0.48),
        bias=generator.uniform(0.04, 0.1),
        gain=generator.uniform(220, 420),
        gamma=float(np.exp(generator.normal(0, 0.06))),
    )


def acquire(
    volumes: torch.Tensor, atlas: Atlas, warp: Warp, pose: Pose, protocol: Protocol, atrophy: float
) -> NDArray[np.float32]:
    """Average a head's volumes over the thick slices of a scan.

    Parameters
    ----------
    volumes
        (channels, z, y, x) on the atlas's grid.
    atlas, warp, pose, atrophy
        From scanner points to head points to the atlas.
    protocol
        The scan's grid.

    Returns
    -------
    ndarray
        (channels, slices, rows, columns) float32, without bias or noise.
    """
    parts = max(2, round(protocol.spacing[2]))
    slices, rows, columns = protocol.shape
    fine = (slices * parts, rows, columns)
    positions = _positions(atlas, warp, pose, protocol, parts, atrophy)
    grid = enlarge(positions, fine).permute(1, 2, 3, 0)[None]
    sampled = functional.grid_sample(volumes[None], grid, mode="bilinear", align_corners=True)[0]
    return sampled.reshape(len(volumes), slices, parts, rows, columns).mean(dim=2).numpy()


def _positions(
    atlas: Atlas, warp: Warp, pose: Pose, protocol: Protocol, parts: int, atrophy: float
) -> NDArray[np.float32]:
    """Where a coarse lattice over the scan lies in the atlas, (3, z, y, x), from -1 to 1 along each axis."""
    spacing = np.array(protocol.spacing)
    low = np.array(protocol.origin) - (0, 0, spacing[2] * (parts - 1) / (2 * parts))
    high = np.array(protocol.origin) + spacing * (np.array(protocol.size) - 1)
    high[2] += spacing[2] * (parts - 1) / (2 * parts)
    counts = np.ceil((high - low) / _LATTICE).astype(int) + 1
    axes = [np.linspace(a, b, n) for a, b, n in zip(low, high, counts, strict=True)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    places = warp.to_atlas(pose.to_head(points), atrophy) - atlas.origin
    relative = 2 * places / (np.array(atlas.shape[::-1]) - 1) - 1
    return relative.T.reshape(3, *z.shape).astype(np.float32)


def develop(
    signal: NDArray[np.float32], protocol: Protocol, generator: np.random.Generator
) -> NDArray[np.int16]:
    """Turn a noiseless signal (slices, rows, columns) into stored values: bias, blur, ringing, noise."""
    shaded = signal * _bias_field(protocol, generator)
    real = _limit_band(shaded + _noise(protocol, generator), protocol)
    magnitude = np.hypot(real, 0.8 * _noise(protocol, generator))
    stored = protocol.gain * np.power(magnitude, protocol.gamma)
    return stored.clip(0, 32000).astype(np.int16)


def _noise(protocol: Protocol, generator: np.random.Generator) -> NDArray[np.float32]:
    return np.float32(protocol.noise) * generator.standard_normal(protocol.shape, dtype=np.float32)


def _bias_field(protocol: Protocol, generator: np.random.Generator) -> NDArray[np.float32]:
    coarse = smooth_noise(generator, (8, 10, 9), 2.2)
    return np.exp(protocol.bias * enlarge(coarse, protocol.shape).numpy())


def _limit_band(image: NDArray[np.float32], protocol: Protocol) -> NDArray[np.float32]:
    """Fewer measured frequencies than pixels: slight blur in the plane, and ringing beside sharp edges."""
    spectrum = fft.rfft2(image)
    v = fft.fftfreq(image.shape[1])[:, None]
    h = fft.rfftfreq(image.shape[2])[None, :]
    kept = 1 / (1 + ((v**2 + h**2) / protocol.blur**2) ** 5)
    return fft.irfft2(spectrum * kept.astype(np.float32), s=image.shape[1:])


def to_image(array: NDArray[np.int16] | NDArray[np.uint8], protocol: Protocol) -> sitk.Image:
    """Put an array (slices, rows, columns) on the scan's grid."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(protocol.spacing)
    image.SetOrigin(protocol.origin)
    return image
