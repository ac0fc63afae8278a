"""The check: good for the same head, failed for another head or a wrong transform, look for the doubtful."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.imaging.poses import pose_about, pose_of_transform, rotation, transform_of_pose
from longitudinal_al.imaging.registration import register
from longitudinal_al.imaging.registration_check import check_registration
from longitudinal_al.project.records import Verdict


@pytest.fixture(scope="module")
def transform_of(real_pair):
    """Return a function that gives the registration of a real pair, found once."""
    found: dict[str, sitk.Transform] = {}

    def give(patient: str) -> sitk.Transform:
        if patient not in found:
            pair = real_pair(patient)
            found[patient] = register(pair.baseline, pair.followup).transform
        return found[patient]

    return give


def wrong(transform: sitk.Transform, centre: np.ndarray, turn_degrees: float, shift_mm: float, axis: int):
    """Return a transform that is off by a turn about an axis of the head and a shift along the next."""
    turn = rotation(np.deg2rad(turn_degrees) * np.eye(3)[axis])
    off = pose_about(turn, centre, centre + shift_mm * np.eye(3)[(axis + 1) % 3])
    return transform_of_pose(off @ pose_of_transform(transform), centre)


@pytest.mark.parametrize("patient", ["01", "03"])
def test_a_right_transform_is_good(real_pair, transform_of, patient: str) -> None:
    pair = real_pair(patient)
    check = check_registration(pair.baseline, pair.followup, transform_of(patient))
    assert check.verdict is Verdict.GOOD, check.reason
    assert 0.75 < check.similarity < 0.98
    assert check.overlap > 0.9
    assert check.figures["offset_mm"] < 0.5
    assert f"{check.similarity:.2f}" in check.reason
    assert "searching again moved it by" in check.reason  # which is no claim of accuracy
    assert "0.0 mm" not in check.reason


@pytest.mark.parametrize("patient", ["01", "03"])
def test_a_wrong_transform_fails(real_pair, transform_of, patient: str) -> None:
    pair = real_pair(patient)
    for number, (turn_degrees, shift_mm) in enumerate([(0, 4.5), (0, 12), (0, 60), (6, 0), (20, 0), (6, 8)]):
        off = wrong(transform_of(patient), pair.in_baseline.mean(0), turn_degrees, shift_mm, number % 3)
        check = check_registration(pair.baseline, pair.followup, off)
        assert check.verdict is Verdict.FAILED, (turn_degrees, shift_mm, check)


def test_a_slightly_wrong_transform_is_told_in_mm(real_pair, transform_of) -> None:
    pair = real_pair("01")
    for shift_mm, verdict in ((2.0, Verdict.LOOK), (4.0, Verdict.FAILED)):
        off = wrong(transform_of("01"), pair.in_baseline.mean(0), 0, shift_mm, 0)
        check = check_registration(pair.baseline, pair.followup, off)
        assert check.verdict is verdict
        assert check.figures["offset_mm"] == pytest.approx(shift_mm, abs=0.5)
    assert check.reason == "the transform is off by about 4 mm: register again"


def test_two_patients_fail(real_pair) -> None:
    baseline, followup = real_pair("01").baseline, real_pair("03").followup
    check = check_registration(baseline, followup, register(baseline, followup).transform)
    assert check.verdict is Verdict.FAILED
    assert "two different patients?" in check.reason
    assert check.overlap > 0.9  # the heads do lie on each other


def test_the_same_scan_twice_is_noticed(real_pair, moved) -> None:
    scan = real_pair("03").followup
    exported = moved(
        sitk.Cast(scan * 2.5, sitk.sitkFloat32),
        pose_about(rotation(np.full(3, 0.1)), np.ones(3), np.full(3, 9.0)),
    )
    check = check_registration(scan, exported, register(scan, exported).transform)
    assert check.verdict is Verdict.LOOK
    assert "same scan twice" in check.reason


def test_half_a_head_is_looked_at(real_pair) -> None:
    pair = real_pair("01")
    half = pair.followup[pair.followup.GetSize()[0] // 2 :]
    for baseline, followup, which in ((pair.baseline, half, "follow-up"), (half, pair.baseline, "baseline")):
        check = check_registration(baseline, followup, register(baseline, followup).transform)
        assert check.verdict is Verdict.LOOK
        assert 0.4 < check.overlap < 0.6
        assert f"the {which} covers only {check.overlap:.0%} of the head" in check.reason


def test_scans_apart_fail_without_a_number_that_is_none(real_pair) -> None:
    pair = real_pair("01")
    far = sitk.TranslationTransform(3, (900.0, 0.0, 0.0))
    flat = sitk.Image(20, 20, 8, sitk.sitkFloat32)
    for check in (
        check_registration(pair.baseline, pair.followup, far),
        check_registration(pair.baseline, flat, sitk.Transform()),
        check_registration(flat, flat, sitk.Transform()),
    ):
        assert check.verdict is Verdict.FAILED
        assert np.all(np.isfinite(list(check.figures.values())))


def test_figures_decide_and_cannot_be_changed(real_pair, transform_of) -> None:
    pair = real_pair("01")
    check = check_registration(pair.baseline, pair.followup, transform_of("01"))
    assert check.figures["similarity"] == check.similarity
    assert check.figures["overlap"] == check.overlap
    with pytest.raises(AttributeError):
        check.verdict = Verdict.FAILED
    assert replace(check, reason="other").reason == "other"
