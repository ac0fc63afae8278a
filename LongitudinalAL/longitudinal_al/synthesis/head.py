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
        Share of the normal bright caps and rims along the ventricles.
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
        brain = self.wm * (1 + contrast.cap * self.caps) + contrast.gm * self.gm
        brain = brain * self.texture + contrast.csf * self.csf
        return brain + contrast.fat * self.fat + contrast.soft * self.soft


def draw_head(atlas: Atlas, generator: np.random.Generator) -> Head:
    """Make the atlas's head one patient's own."""
    gm, wm, csf = _sharp_tissues(atlas, generator)
    coarse_texture = random_field(generator, atlas.shape, 9.0)
    fine_texture = random_field(generator, atlas.shape, 1.6)
    fat, soft = _shells(atlas, generator)
    return Head(
        gm=gm,
        wm=wm,
        csf=csf,
        texture=1 + 0.025 * coarse_texture + 0.022 * fine_texture,
        caps=_caps(atlas, generator),
        fat=fat,
        soft=soft,
    )


def _sharp_tissues(atlas: Atlas, generator: np.random.Generator) -> tuple[torch.Tensor, ...]:
    """Undo the blur of the average of many heads, with sulci wider in one place and narrower in another."""
    fluid = np.exp(generator.normal(0.35, 0.25))
    wider = fluid * torch.exp(0.35 * random_field(generator, atlas.shape, 10.0))
    powers = [atlas.gm.pow(1.6), atlas.wm.pow(1.6), (atlas.csf * wider).pow(2.2)]
    total = sum(powers[1:], powers[0])
    inside = (atlas.gm + atlas.wm + atlas.csf).clamp(0, 1)
    scale = inside / total.clamp(min=1e-4)
    return tuple(power * scale for power in powers)


def _caps(atlas: Atlas, generator: np.random.Generator) -> torch.Tensor:
    """Bright rims of a millimetre or two along the ventricles, thicker in a few places (horns)."""
    uneven = torch.sigmoid(2.5 * random_field(generator, atlas.shape, 5.0) - 1.5)
    near = atlas.to_ventricle
    return 0.6 * torch.exp(-near / 1.2) + uneven * torch.exp(-((near / 4.0) ** 2))


def _shells(atlas: Atlas, generator: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Skull, scalp, base of the skull and eyes, as a part that follows fat and a part that follows muscle."""
    skull = generator.uniform(4.5, 6.5) + 1.0 * random_field(generator, atlas.shape, 12.0)
    blobs = random_field(generator, atlas.shape, 3.0)
    streaks = random_field(generator, atlas.shape, 1.8)
    out, depth = atlas.outside, atlas.depth + 0.6 * random_field(generator, atlas.shape, 8.0)
    fat, soft = torch.zeros(atlas.shape), torch.zeros(atlas.shape)
    beyond = (out > skull) & (depth > 0)
    marrow = (out > 0.35 * skull) & (out < 0.7 * skull) & (out > 0)
    fat[marrow] = 0.22
    fat_layer = beyond & (depth > 1.3) & (depth < 4.0)
    fat[fat_layer] = 1.0
    deeper = beyond & (depth >= 4.0)
    soft[deeper] = 1.0
    soft[beyond & (depth <= 1.3)] = 1.1
    bone = deeper & (blobs > 0.5)
    soft[bone] = 0.15
    fat[deeper & (streaks > 1.0)] = 0.6
    air = deeper & (blobs < -1.1) & (depth > 12)
    soft[air] = 0.0
    fat[air] = 0.0
    _put_eyes(atlas, fat, soft)
    uneven = 1 + 0.18 * streaks
    soft[(out > 0.2) & (out < 1.2) & (depth > 0)] = 0.35  # dura
    return fat * uneven, soft * uneven


def _put_eyes(atlas: Atlas, fat: torch.Tensor, soft: torch.Tensor) -> None:
    orbit = (atlas.eyes < 19) & (atlas.outside > 1.5) & (atlas.depth > 2)
    fat[orbit], soft[orbit] = 0.75, 0.0
    wall = atlas.eyes < 12.6
    fat[wall], soft[wall] = 0.0, 1.2
    soft[atlas.eyes < 11.4] = 0.3
