"""One patient's head: the atlas's tissues made individual, and the shells around them.

Everything here is the same at both visits; what the scanner makes of it (`Contrast`) is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from longitudinal_al.synthesis.anatomy import Atlas
from longitudinal_al.synthesis.fields import random_field


@dataclass(frozen=True)
class Contrast:
    """Brightness of the tissues at one visit, white matter being 1.

    Attributes
    ----------
    gm, csf, fat, soft
        Grey matter, cerebrospinal fluid, fat (dark where it was suppressed), muscle and skin.
    cap
        Extra brightness of the caps and rims along the ventricles.
    lesion
        Factor on the lesions' brightness over white matter.
    """

    gm: float
    csf: float
    fat: float
    soft: float
    cap: float
    lesion: float


@dataclass(frozen=True)
class Head:
    """One patient's tissues on the atlas's grid, (z, y, x) float32 each.

    Attributes
    ----------
    gm, wm, csf
        Shares of the tissues inside the skull.
    texture
        Unevenness of the tissues' brightness, around 1.
    caps
        White matter's share of the normal bright caps and rims along the ventricles.
    fat, soft
        Brightness of the shells outside the skull that follow fat and that follow muscle.
    """

    gm: torch.Tensor
    wm: torch.Tensor
    csf: torch.Tensor
    texture: torch.Tensor
    caps: torch.Tensor
    fat: torch.Tensor
    soft: torch.Tensor

    def image(self, contrast: Contrast) -> torch.Tensor:
        """Brightness of the head without lesions, (z, y, x) float32."""
        image = self.wm + contrast.gm * self.gm
        image.add_(self.caps, alpha=contrast.cap).mul_(self.texture)
        image.add_(self.csf, alpha=contrast.csf)
        return image.add_(self.fat, alpha=contrast.fat).add_(self.soft, alpha=contrast.soft)


@dataclass(frozen=True)
class _Unevenness:
    """Random fields; each serves inside and outside the skull, where its uses do not meet."""

    broad: torch.Tensor
    middle: torch.Tensor
    blobs: torch.Tensor
    fine: torch.Tensor


def draw_head(atlas: Atlas, generator: np.random.Generator) -> Head:
    """Make the atlas's head one patient's own."""
    uneven = _Unevenness(*(random_field(generator, atlas.shape, scale) for scale in (10.0, 8.0, 3.5, 1.6)))
    gm, wm, csf = _sharp_tissues(atlas, uneven, fluid=np.exp(generator.normal(0.6, 0.25)))
    fat, soft = _shells(atlas, uneven, skull_mm=generator.uniform(5.0, 7.0))
    texture = 1 + 0.022 * uneven.fine
    texture.add_(uneven.middle, alpha=0.025)
    return Head(gm, wm, csf, texture, _caps(atlas, uneven).mul_(wm), fat, soft)


def _sharp_tissues(atlas: Atlas, uneven: _Unevenness, fluid: float) -> tuple[torch.Tensor, ...]:
    """Undo the blur of the average of many heads, with sulci wider in one place and narrower in another."""
    wider = (0.35 * uneven.broad).exp_().mul_(fluid)
    powers = atlas.gm.pow(1.6), atlas.wm.pow(1.6), (atlas.csf * wider).pow_(2.2)
    inside = (atlas.gm + atlas.wm).add_(atlas.csf).clamp_(0, 1)
    scale = inside.div_((powers[0] + powers[1]).add_(powers[2]).clamp_(min=1e-4))
    return tuple(power.mul_(scale) for power in powers)


def _caps(atlas: Atlas, uneven: _Unevenness) -> torch.Tensor:
    """Bright rims of a millimetre or two along the ventricles, thicker in a few places (horns)."""
    caps = torch.zeros(atlas.shape)
    near = torch.take(atlas.to_ventricle, atlas.rim)
    thick = torch.sigmoid(2.5 * torch.take(uneven.blobs, atlas.rim) - 1.5)
    caps.view(-1)[atlas.rim] = 0.6 * torch.exp(-near / 1.2) + thick * torch.exp(-((near / 4.0) ** 2))
    return caps


def _shells(atlas: Atlas, uneven: _Unevenness, skull_mm: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Skull, scalp, base of the skull and eyes, as a part that follows fat and a part that follows muscle."""
    fat, soft = torch.zeros(atlas.shape), torch.zeros(atlas.shape)
    out, depth, eyes, broad, middle, blobs, streaks = (
        torch.take(field, atlas.shell)
        for field in (
            atlas.outside,
            atlas.depth,
            atlas.eyes,
            uneven.broad,
            uneven.middle,
            uneven.blobs,
            uneven.fine,
        )
    )
    layers = _layers(out / (skull_mm + broad), depth + 0.4 * middle, blobs, streaks)
    layers[1][(out > 0.2) & (out < 1.2) & (depth > 0)] = 0.35  # dura
    _put_eyes(eyes, (out > 1.5) & (depth > 2), *layers)
    fat.view(-1)[atlas.shell], soft.view(-1)[atlas.shell] = layers
    return fat, soft


def _layers(
    skull: torch.Tensor, depth: torch.Tensor, blobs: torch.Tensor, streaks: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Brightness of fat and of muscle, from the place in the skull (0 to 1) and the depth under the skin."""
    beyond = (skull > 1) & (depth > 0)
    fat = 0.22 * ((skull > 0.35) & (skull < 0.7))  # marrow
    fat[beyond & (depth > 1.3) & (depth < 4.0)] = 1.0
    soft = 1.0 * beyond
    soft[beyond & (depth > 1.3) & (depth < 4.0)] = 0.0
    deeper = beyond & (depth >= 4.0)
    soft[deeper & (blobs > 0.5)] = 0.15  # bone
    fat[deeper & (streaks > 1.0)] = 0.6
    air = deeper & (blobs < -1.1) & (depth > 12)
    soft[air], fat[air] = 0.0, 0.0
    rough = 1 + 0.18 * streaks
    return fat * rough, soft * rough


def _put_eyes(eyes: torch.Tensor, orbit: torch.Tensor, fat: torch.Tensor, soft: torch.Tensor) -> None:
    """Put orbits of fat with dark eyes into the shells in place; `eyes` is the distance to their centre."""
    socket = orbit & (eyes < 19)
    fat[socket], soft[socket] = 0.75, 0.0
    wall = eyes < 12.6
    fat[wall], soft[wall] = 0.0, 1.2
    soft[eyes < 11.4] = 0.3
