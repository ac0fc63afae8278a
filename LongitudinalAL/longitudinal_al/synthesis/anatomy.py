"""The average head that every synthetic patient is a variation of: tissue maps, shells and ventricles.

The tissues come from the MNI ICBM 152 maps that nilearn ships inside its package (Fonov et al., 2011). What
these lack (skull, scalp, eyes, the base of the skull) is built around them with distances. Space: millimetres
in ITK's convention (x to the left, y to the back, z up); arrays are (z, y, x) with 1 mm voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from longitudinal_al.synthesis.fields import Shape, enlarge

# The head in MNI millimetres: a margin for skull and scalp, and room below the brain for the skull's base.
_LOW = np.array([-92, -128, -88])
_HIGH = np.array([92, 97, 104])
_EYES = ((-33.0, 66.0, -36.0), (33.0, 66.0, -36.0))  # MNI x, y, z
_AIR = ((0.0, 44.0, -24.0), (-50.0, -16.0, -32.0), (50.0, -16.0, -32.0))
_AIR_REACH = 14.0  # mm


@dataclass(frozen=True)
class Atlas:
    """The average head.

    Attributes
    ----------
    origin
        Position of voxel (0, 0, 0) in mm, (x, y, z).
    gm, wm, csf
        Shares of grey matter, white matter and cerebrospinal fluid inside the skull, (z, y, x) float32.
    outside
        Distance in mm to the inside of the skull, 0 within.
    depth
        Distance in mm to the outer surface of the head, negative in the air.
    eyes
        Distance in mm to the nearer eye's centre.
    to_ventricle
        Distance in mm to the lateral and third ventricles, 0 within.
    flowing
        How much fluid moves, from 0 to 1: most in the ventricles and in the cisterns around the brain stem.
    near_air
        Closeness, from 0 to 1, to the air of the sinuses and ears, which bends the field.
    shell, rim
        Flat indices of the voxels between brain and air, and of those within a centimetre of the ventricles.
    """

    origin: NDArray[np.float64]
    gm: torch.Tensor
    wm: torch.Tensor
    csf: torch.Tensor
    outside: torch.Tensor
    depth: torch.Tensor
    eyes: torch.Tensor
    to_ventricle: torch.Tensor
    flowing: torch.Tensor
    near_air: torch.Tensor
    shell: torch.Tensor
    rim: torch.Tensor

    @property
    def shape(self) -> Shape:
        """Voxels (z, y, x)."""
        return (self.gm.shape[0], self.gm.shape[1], self.gm.shape[2])

    def index(self, mni: tuple[float, float, float]) -> NDArray[np.float64]:
        """Voxel position (z, y, x) of a point in MNI millimetres."""
        x, y, z = (np.array(mni) * (-1, -1, 1)) - self.origin
        return np.array([z, y, x])


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """Build the average head once a process (a few seconds)."""
    gm, wm, brain = (_cropped(loaded) for loaded in _templates())
    inside = _inside_of_skull(brain)
    csf = np.clip(ndimage.gaussian_filter(inside, 0.6) - gm - wm, 0, 1)
    skull = _coarse(inside) > 0.5
    head = _head(skull)
    shape = gm.shape
    depth = enlarge(ndimage.gaussian_filter(_distance(head) - _distance(~head), 1.0), shape)
    outside = enlarge(ndimage.gaussian_filter(_distance(~skull), 0.7), shape)
    to_ventricle = enlarge(_distance(~_ventricles(csf, brain)), shape)
    return Atlas(
        origin=np.array([-_HIGH[0], -_HIGH[1], _LOW[2]], dtype=float),
        gm=torch.from_numpy(gm),
        wm=torch.from_numpy(wm),
        csf=torch.from_numpy(csf.astype(np.float32)),
        outside=outside,
        depth=depth,
        eyes=torch.from_numpy(_distance_to_eyes(shape)),
        to_ventricle=to_ventricle,
        flowing=torch.from_numpy(_flowing(csf, to_ventricle.numpy())),
        near_air=torch.from_numpy(_near_air(shape)),
        shell=_flat((outside > 0) & (depth > -2)),
        rim=_flat((to_ventricle > 0) & (to_ventricle < 10)),
    )


def _flat(mask: torch.Tensor) -> torch.Tensor:
    return torch.nonzero(mask.reshape(-1))[:, 0]


def _templates() -> list[NDArray[np.float32]]:
    from nilearn import datasets  # here, as it takes seconds, and experiments need it only to make a cohort

    kinds = (
        datasets.load_mni152_gm_template,
        datasets.load_mni152_wm_template,
        datasets.load_mni152_brain_mask,
    )
    return [np.asarray(load(resolution=1).get_fdata(), dtype=np.float32) for load in kinds]


def _cropped(template: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut the template (x, y, z; right, front, up) to the head's box, as (z, y, x) of ITK's axes."""
    first = np.array([-98, -134, -72])
    last = first + np.array(template.shape) - 1
    grown = np.pad(template, [(0, 0), (0, 0), (max(0, first[2] - _LOW[2]), 0)])
    start = np.maximum(_LOW - first, 0)
    stop = grown.shape - np.maximum(last - _HIGH, 0)
    cut = grown[start[0] : stop[0], start[1] : stop[1], start[2] : stop[2]]
    return np.ascontiguousarray(cut.transpose(2, 1, 0)[:, ::-1, ::-1])


def _coarse(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Every second voxel: distances are smooth, and eight times cheaper there."""
    return volume[::2, ::2, ::2]


def _distance(outside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Distance in mm of the true voxels of a 2 mm grid to the nearest false one."""
    return (2.0 * ndimage.distance_transform_edt(outside)).astype(np.float32)


def _inside_of_skull(brain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Close the brain's outline, and give it the millimetre or two of fluid around the brain."""
    mask = _coarse(brain) > 0.5
    padded = np.pad(mask, 12)
    grown = ndimage.distance_transform_edt(~padded) <= 7.5
    closed = (ndimage.distance_transform_edt(grown) > 6.6)[12:-12, 12:-12, 12:-12]
    soft = ndimage.gaussian_filter((closed | mask).astype(np.float32), 0.8)
    return (enlarge(soft, (brain.shape[0], brain.shape[1], brain.shape[2])).numpy() > 0.5).astype(np.float32)


def _head(skull: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Outline of the head: the skull's, carried down to the neck and forward to the face, plus the scalp."""
    rows = _LOW[2] + 2.0 * np.arange(skull.shape[0])
    shadow = np.logical_or.accumulate(skull[::-1], axis=0)[::-1].copy()
    for k in np.flatnonzero(rows < -30):
        shrink = int(np.clip((-30 - rows[k]) / 14, 0, 5))
        if shrink:
            shadow[k] = ndimage.binary_erosion(shadow[k], iterations=shrink)
    shadow |= _face(skull.shape)
    return ndimage.distance_transform_edt(~shadow) <= 12.5 / 2


def _face(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    z, y, x = _millimetres(shape, 2.0)
    return ((x / 52) ** 2 + ((y - 38) / 44) ** 2 + ((z + 62) / 52) ** 2 <= 1) & (z < -12)


def _millimetres(shape: tuple[int, ...], step: float) -> tuple[NDArray[np.float32], ...]:
    """MNI positions (z, y, x) of the voxels of the head's box, as three arrays that broadcast."""
    z = _LOW[2] + step * np.arange(shape[0], dtype=np.float32)[:, None, None]
    y = _HIGH[1] - step * np.arange(shape[1], dtype=np.float32)[None, :, None]
    x = _HIGH[0] - step * np.arange(shape[2], dtype=np.float32)[None, None, :]
    return z, y, x


def _distance_to_eyes(shape: tuple[int, ...]) -> NDArray[np.float32]:
    z, y, x = _millimetres(shape, 1.0)
    distances = [np.sqrt((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) for a, b, c in _EYES]
    return np.minimum(*distances)


def _near_air(shape: tuple[int, ...]) -> NDArray[np.float32]:
    z, y, x = _millimetres(shape, 1.0)
    squared = [(x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 for a, b, c in _AIR]
    return np.exp(-np.minimum.reduce(squared) / (2 * _AIR_REACH**2)).astype(np.float32)


def _flowing(csf: NDArray[np.float32], to_ventricle: NDArray[np.float32]) -> NDArray[np.float32]:
    z, _, x = _millimetres(csf.shape, 1.0)
    cistern = (np.abs(x) < 22) & (z < 0)
    return (csf * np.maximum(np.where(to_ventricle < 2, 0.9, 0.3), cistern)).astype(np.float32)


def _ventricles(csf: NDArray[np.float32], brain: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Lateral and third ventricles on the 2 mm grid: the fluid deep in the middle of the brain."""
    z, y, x = _millimetres(_coarse(csf).shape, 2.0)
    box = (np.abs(x) < 46) & (y > -62) & (y < 42) & (z > -16) & (z < 34)
    deep = ndimage.distance_transform_edt(_coarse(brain) > 0.5) * 2 > 22
    box &= (np.abs(x) > 5) | ((y > -22) & (y < 12) & (z < 20))  # the middle is the third ventricle's alone
    parts, _ = ndimage.label((_coarse(csf) > 0.4) & deep & box)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.isin(parts, np.flatnonzero(sizes > 40))
