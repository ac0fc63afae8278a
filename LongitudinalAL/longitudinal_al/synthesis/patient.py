"""One synthetic patient, from the seed to two scans and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch

from longitudinal_al.synthesis.anatomy import Atlas
from longitudinal_al.synthesis.difficulty import TYPICAL, Difficulty
from longitudinal_al.synthesis.distractors import (
    draw_dark_dots,
    draw_vessels,
    paint_choroid,
    paint_field_errors,
    paint_flow,
    paint_ghosts,
    paint_tubes,
)
from longitudinal_al.synthesis.fields import random_field
from longitudinal_al.synthesis.head import Head, draw_head
from longitudinal_al.synthesis.lesions import LesionMaps, draw_fates, draw_lesions, paint_lesions
from longitudinal_al.synthesis.scanner import Protocol, acquire, develop, draw_protocols, to_image
from longitudinal_al.synthesis.warp import Warp, draw_pose, rigid_between

_VESSELS, _DARK_DOTS = 50, 30


@dataclass(frozen=True)
class Patient:
    """Two scans, the mask of change on the follow-up's grid, and the follow-up's way to the baseline."""

    baseline: sitk.Image
    followup: sitk.Image
    reference: sitk.Image
    transform: sitk.Transform


def make_patient(
    atlas: Atlas, generator: np.random.Generator, *, changing: bool, difficulty: Difficulty = TYPICAL
) -> Patient:
    """Draw a patient.

    Parameters
    ----------
    atlas
        The average head.
    generator
        Source of chance; the patient depends on nothing else.
    changing
        Whether any lesion changes between the visits.
    difficulty
        How large the changes are, and what else differs between the visits.
    """
    head = draw_head(atlas, generator)
    lesions = draw_lesions(head, atlas, generator, draw_fates(generator, changing, difficulty), difficulty)
    maps = paint_lesions(head, lesions, random_field(generator, atlas.shape, 2.2))
    warp = Warp(atlas, generator, difficulty.drift)
    poses = [draw_pose(generator) for _ in range(2)]
    protocols = draw_protocols(generator, difficulty)
    atrophy = generator.uniform(*difficulty.atrophy)
    volumes = _visit_volumes(head, atlas, maps, protocols, generator, difficulty.artefacts)
    first = acquire(volumes[0][None], atlas, warp, poses[0], protocols[0], 0.0)
    second = acquire(torch.stack([volumes[1], maps.changed()]), atlas, warp, poses[1], protocols[1], atrophy)
    return Patient(
        baseline=to_image(develop(first[0], protocols[0], generator), protocols[0]),
        followup=to_image(develop(second[0], protocols[1], generator), protocols[1]),
        reference=to_image((second[1] >= 0.5).astype(np.uint8), protocols[1]),
        transform=_rigid_transform(*rigid_between(poses[0], poses[1])),
    )


def _visit_volumes(
    head: Head,
    atlas: Atlas,
    maps: LesionMaps,
    protocols: tuple[Protocol, Protocol],
    generator: np.random.Generator,
    artefacts: bool,
) -> list[torch.Tensor]:
    """Brightness of the head at each visit, with lesions and with what else differs between the visits."""
    vessels = draw_vessels(head, atlas, generator, _VESSELS)
    dots = draw_dark_dots(head, atlas, generator, _DARK_DOTS)
    volumes = []
    for share, protocol in zip((maps.before, maps.after), protocols, strict=True):
        image = head.image(protocol.contrast)
        uneven = random_field(generator, atlas.shape, 4.5)
        image.mul_(1 + 0.012 * uneven)
        image.lerp_(1 + protocol.contrast.lesion * maps.contrast, share)
        if artefacts:
            paint_flow(image, atlas, uneven, generator)
            paint_field_errors(image, atlas, uneven, generator)
            paint_ghosts(image, atlas, generator)
        paint_choroid(image, head, atlas, generator)
        paint_tubes(image, vessels, generator.uniform(0.0, 1.0, len(vessels)))
        paint_tubes(image, dots, np.full(len(dots), 0.9))
        volumes.append(image)
    return volumes


def _rigid_transform(matrix: np.ndarray, shift: np.ndarray) -> sitk.Transform:
    transform = sitk.VersorRigid3DTransform()
    transform.SetMatrix(matrix.ravel().tolist(), 1e-6)
    transform.SetTranslation(shift.tolist())
    return transform
