"""Registration against the published transforms, from far away, and with parts of the head missing."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import UnknownName
from longitudinal_al.imaging.poses import (
    apply_pose,
    pose_about,
    pose_of_transform,
    rotation,
    transform_of_pose,
)
from longitudinal_al.imaging.registration import register, resample_to

FAR = rotation(np.deg2rad([15.0, -18.0, 17.0])), np.array([25.0, -20.0, 23.0])  # 29 degrees, 39 mm
VERY_FAR = rotation(np.deg2rad([28.0, -30.0, 25.0])), np.array([40.0, -45.0, 40.0])  # 48 degrees, 72 mm
LIMITS_MM = {"01": 0.15, "03": 0.5}  # asked for: 0.30 and 1.1


def far_move(pair, far=FAR) -> np.ndarray:
    """Return the move that puts the follow-up's header far from the true position."""
    solution = np.linalg.lstsq(np.c_[pair.in_followup, np.ones(len(pair.in_followup))], pair.in_baseline)[0]
    left, _, right = np.linalg.svd(solution[:3].T)
    centre = pair.in_followup.mean(0)
    true = pose_about(left @ right, centre, pair.in_baseline.mean(0))
    middle = pair.in_baseline.mean(0)
    return pose_about(far[0], middle, middle + far[1]) @ true


@pytest.mark.parametrize("patient", ["01", "03"])
def test_rigid_meets_the_published_transforms(real_pair, patient: str) -> None:
    pair = real_pair(patient)
    shares: list[float] = []
    found = register(pair.baseline, pair.followup, progress=shares.append)
    assert pair.error_mm(found.transform) <= LIMITS_MM[patient]
    linear = pose_of_transform(found.transform)[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-9)
    assert found.model == "rigid"
    assert found.seconds > 0
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("patient", ["01", "03"])
def test_affine_is_not_worse(real_pair, patient: str) -> None:
    pair = real_pair(patient)
    found = register(pair.baseline, pair.followup, "affine")
    assert pair.error_mm(found.transform) <= LIMITS_MM[patient]
    scales = np.linalg.svd(pose_of_transform(found.transform)[:3, :3], compute_uv=False)
    assert np.all(np.abs(scales - 1) < 0.03)


@pytest.mark.parametrize("patient", ["01", "03"])
def test_a_start_far_away_makes_no_difference(real_pair, moved, patient: str) -> None:
    pair = real_pair(patient)
    move = far_move(pair)
    found = register(pair.baseline, moved(pair.followup, move), seed=3)
    assert pair.error_of_moved_mm(found.transform, move) <= LIMITS_MM[patient]


@pytest.mark.parametrize("part", ["lower", "left", "front"])
def test_half_a_head_is_found_from_far_away(real_pair, moved, part: str) -> None:
    pair = real_pair("01")
    columns, rows, slices = (size // 2 for size in pair.followup.GetSize())
    cut = {
        "lower": pair.followup[:, :, :slices],
        "left": pair.followup[columns:],
        "front": pair.followup[:, :rows],
    }
    move = far_move(pair, VERY_FAR)
    found = register(pair.baseline, moved(cut[part], move))
    assert pair.error_of_moved_mm(found.transform, move) < 0.3


def test_thick_slices_and_another_contrast(real_pair) -> None:
    pair = real_pair("01")
    thick = sitk.BinShrink(pair.followup, [1, 1, 2])  # 6 mm
    bright = sitk.Sqrt(sitk.Cast(thick, sitk.sitkFloat32)) * 7 - 100  # a bent scale, with negative air
    bias = sitk.GetImageFromArray(np.linspace(0.5, 1.5, 320)[None, None] * np.ones(bright.GetSize()[::-1]))
    bias.CopyInformation(bright)
    found = register(pair.baseline, bright * sitk.Cast(bias, sitk.sitkFloat32))
    assert pair.error_mm(found.transform) < 0.5


def test_same_seed_same_numbers(real_pair) -> None:
    pair = real_pair("03")
    first, second = (register(pair.baseline, pair.followup, seed=7) for _ in range(2))
    assert first.transform.GetParameters() == second.transform.GetParameters()
    assert first.transform.GetFixedParameters() == second.transform.GetFixedParameters()


def test_an_implausible_affine_is_refused(real_pair) -> None:
    pair = real_pair("01")
    stretched = sitk.Image(pair.followup)
    stretched.SetSpacing(
        [step * scale for step, scale in zip(stretched.GetSpacing(), (1.0, 1.15, 1.0), strict=True)]
    )
    assert register(pair.baseline, stretched, "affine").model == "rigid"


def test_tiny_and_empty_scans_give_an_answer() -> None:
    tiny = sitk.GetImageFromArray(np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    flat = sitk.Image(20, 20, 8, sitk.sitkFloat32)
    for baseline, followup in ((tiny, tiny), (flat, tiny), (flat, flat)):
        found = register(baseline, followup, "affine")
        assert np.all(np.isfinite(found.transform.TransformPoint((1.0, 2.0, 3.0))))


def test_unknown_names_are_refused() -> None:
    scan = sitk.Image(8, 8, 8, sitk.sitkFloat32)
    with pytest.raises(UnknownName, match="affine, rigid"):
        register(scan, scan, "elastic")
    with pytest.raises(UnknownName, match="cubic, linear, nearest"):
        resample_to(scan, scan, sitk.Transform(), interpolator="sinc")


def test_resampling_brings_the_baseline_onto_the_followup() -> None:
    baseline = sitk.Image(20, 20, 20, sitk.sitkUInt8)
    baseline[12, 11, 10] = 1
    grid = sitk.Image(10, 10, 10, sitk.sitkFloat32)
    shift = sitk.TranslationTransform(3, (8.0, 7.0, 6.0))  # follow-up (4, 4, 4) is baseline (12, 11, 10)
    brought = resample_to(baseline, grid, shift, interpolator="nearest")
    assert brought[4, 4, 4] == 1
    assert brought.GetPixelID() == sitk.sitkUInt8
    assert brought.GetSize() == grid.GetSize()
    away = resample_to(baseline, grid, sitk.TranslationTransform(3, (90.0, 0.0, 0.0)), default=5)
    assert set(np.unique(sitk.GetArrayViewFromImage(away))) == {5}


def test_poses_and_transforms_are_the_same_map(generator: np.random.Generator) -> None:
    pose = pose_about(rotation(generator.normal(size=3)), generator.normal(size=3), generator.normal(size=3))
    transform = transform_of_pose(pose, np.array([10.0, 20.0, 30.0]))
    np.testing.assert_allclose(pose_of_transform(transform), pose, atol=1e-9)
    point = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(
        transform.TransformPoint(point[0].tolist()), apply_pose(pose, point)[0], atol=1e-9
    )
