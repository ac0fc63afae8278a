"""Difficulties: the same patient with more or less to find, and more or less that hides it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import UnknownName
from longitudinal_al.imaging.registration import resample_to
from longitudinal_al.synthesis.cohort import draw_patient
from longitudinal_al.synthesis.difficulty import DIFFICULTIES, difficulty


@pytest.fixture(scope="module")
def measured():
    """One patient at each difficulty: volume of change in mm3, and how much the unchanged head differs."""
    return {name: measure(draw_patient(1, 0, each)) for name, each in DIFFICULTIES.items()}


def measure(patient):
    change = sitk.GetArrayFromImage(patient.reference) > 0
    baseline = resample_to(patient.baseline, patient.followup, patient.transform)
    first, second = (sitk.GetArrayFromImage(image).astype(float) for image in (baseline, patient.followup))
    head = second > np.percentile(second, 60)
    scaled = [image / np.median(image[head]) for image in (first, second)]
    unrest = np.abs(scaled[1] - scaled[0])[head & ~change].mean()
    return change.sum() * np.prod(patient.reference.GetSpacing()), unrest


def test_harder_cohorts_have_less_change_under_more_unrest(measured):
    volumes, unrest = zip(*(measured[name] for name in ("clear", "typical", "hard")), strict=True)
    assert volumes[0] > 1.5 * volumes[1] > 1.5 * 1.2 * volumes[2] > 0
    assert unrest[0] < unrest[1] < unrest[2]


def test_unknown_difficulty_names_the_known():
    with pytest.raises(UnknownName, match="typical"):
        difficulty("impossible")
