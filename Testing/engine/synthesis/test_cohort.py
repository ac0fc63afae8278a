"""The cohort on disk: reproducible, complete, and with the truth where the scans really differ."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.errors import InvalidInput
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform
from longitudinal_al.imaging.registration import resample_to
from longitudinal_al.synthesis import cohort as cohort_module
from longitudinal_al.synthesis.cohort import COLUMNS, has_change, is_test, synthesize
from longitudinal_al.synthesis.lesions import REAL_CHANGES_A_PATIENT, REAL_TOTAL_VOLUME

SEED = next(seed for seed in range(100) if not has_change(seed, 2))
FILES = ("baseline.nii.gz", "followup.nii.gz", "reference.nii.gz", "true_transform.tfm")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Three patients, the third without change."""
    done = []
    table = synthesize(tmp_path_factory.mktemp("köhorte") / "c", 3, SEED, progress=done.append)
    assert done[0] == 0 and done[-1] == 1 and sorted(done) == done
    return table


@pytest.fixture(scope="module")
def rows(cohort):
    with cohort.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scans(cohort, row):
    """Baseline on the follow-up's grid, follow-up and change, as arrays."""
    followup = read_scan(cohort.parent / row["followup"])
    transform = read_transform(cohort.parent / row["reference_transform"])
    baseline = resample_to(read_scan(cohort.parent / row["baseline"]), followup, transform)
    change = read_mask(cohort.parent / row["reference"])
    return [sitk.GetArrayFromImage(image) for image in (baseline, followup, change)]


def test_table_names_every_file(cohort, rows):
    assert tuple(rows[0]) == COLUMNS
    assert [row["split"] for row in rows] == ["pool", "test", "pool"]
    assert len({row["patient"] for row in rows}) == 3
    for row in rows:
        assert [row[name].split("/")[1] for name in COLUMNS[2:6]] == list(FILES)
        assert all((cohort.parent / row[name]).is_file() for name in COLUMNS[2:6])


def test_a_patient_depends_on_seed_and_number_alone(cohort, tmp_path):
    again = synthesize(tmp_path / "again", 1, SEED)
    for file in FILES:
        first, second = (t.parent / "synthetic001" / file for t in (cohort, again))
        assert first.read_bytes() == second.read_bytes(), file
    others = [(cohort.parent / f"synthetic00{k}" / "followup.nii.gz").read_bytes() for k in (1, 2, 3)]
    assert len(set(others)) == 3


def test_visits_have_their_own_grids(cohort, rows):
    for row in rows:
        visits = [sitk.ReadImage(str(cohort.parent / row[name])) for name in ("baseline", "followup")]
        assert visits[0].GetSpacing() != visits[1].GetSpacing()
        for scan in visits:
            assert scan.GetPixelID() == sitk.sitkInt16
            pixel, rows_mm, thickness = scan.GetSpacing()
            assert 0.7 <= pixel == rows_mm <= 1.1 and 3 <= thickness <= 5
            assert 176 <= scan.GetSize()[0] <= 256 and 34 <= scan.GetSize()[2] <= 52
        assert (cohort.parent / row["followup"]).stat().st_size < 6e6


def test_the_transform_brings_the_baseline_onto_the_followup(cohort, rows):
    baseline, followup, _ = scans(cohort, rows[0])
    head = followup > 0.4 * np.percentile(followup, 95)
    aligned = np.corrcoef(baseline[head], followup[head])[0, 1]
    image = read_scan(cohort.parent / rows[0]["followup"])
    raw = resample_to(read_scan(cohort.parent / rows[0]["baseline"]), image, sitk.Transform())
    assert aligned > 0.75
    assert aligned > np.corrcoef(sitk.GetArrayFromImage(raw)[head], followup[head])[0, 1] + 0.2
    transform = read_transform(cohort.parent / rows[0]["reference_transform"])
    shift = math.dist(transform.TransformPoint((0.0, 0.0, 0.0)), (0, 0, 0))
    assert 0.5 < shift < 40


def test_the_reference_lies_where_the_scans_differ(cohort, rows):
    for row in rows[:2]:
        baseline, followup, change = scans(cohort, row)
        brain = ndimage.binary_erosion(followup > 0.5 * np.percentile(followup, 95), iterations=2)
        difference = robust_z(followup, brain) - robust_z(baseline, brain)
        spread = 1.4826 * np.median(np.abs(difference[brain] - np.median(difference[brain])))
        assert np.median(np.abs(difference[change > 0])) > 1.5 * spread
        ring = ndimage.binary_dilation(change, np.ones((1, 9, 9))) & ~ndimage.binary_dilation(
            change, np.ones((1, 5, 5))
        )
        assert np.median(np.abs(difference[change > 0])) > 2 * np.median(np.abs(difference[ring]))


def robust_z(image, inside):
    middle = np.median(image[inside])
    return (image - middle) / (1.4826 * np.median(np.abs(image[inside] - middle)))


def test_changes_are_as_many_and_as_large_as_real_ones(cohort, rows):
    for row in rows[:2]:
        reference = sitk.ReadImage(str(cohort.parent / row["reference"]))
        change = sitk.GetArrayFromImage(reference)
        _, count = ndimage.label(change, np.ones((3, 3, 3)))
        assert REAL_CHANGES_A_PATIENT[0] / 2 <= count <= REAL_CHANGES_A_PATIENT[1]
        volume = change.sum() * np.prod(reference.GetSpacing())
        assert REAL_TOTAL_VOLUME[0] / 2 <= volume <= REAL_TOTAL_VOLUME[1]
        assert 0.05 < change.any(axis=(1, 2)).mean() < 0.7
        assert set(np.unique(change)) == {0, 1}


def test_one_patient_of_seven_has_no_change(cohort, rows):
    assert not scans(cohort, rows[2])[2].any()
    assert sum(not has_change(3, number) for number in range(70)) == 10
    assert all(has_change(seed, number) for seed in range(20) for number in (0, 1))


@pytest.mark.parametrize(("fraction", "expected"), [(1 / 3, 7), (0.0, 0), (1.0, 22), (0.5, 11)])
def test_the_split_is_by_patient_and_spread_evenly(fraction, expected):
    tests = [number for number in range(22) if is_test(number, fraction)]
    assert len(tests) == expected
    assert len(set(np.diff(tests))) <= 2


@pytest.mark.parametrize(
    ("patients", "seed", "fraction", "words"),
    [(0, 0, 0.3, "at least 1"), (2, -1, 0.3, "seed"), (2, 0, 1.5, "from 0 to 1")],
)
def test_bad_numbers_are_named(tmp_path, patients, seed, fraction, words):
    with pytest.raises(InvalidInput, match=words):
        synthesize(tmp_path / "new", patients, seed, test_fraction=fraction)
    assert not (tmp_path / "new").exists()


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(InvalidInput, match="holds something already"):
        synthesize(tmp_path, 1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interrupted_call_is_made_good_by_the_same_call(cohort, tmp_path, monkeypatch):
    def interrupted(share: float) -> None:
        if share > 0:
            raise KeyboardInterrupt

    place = tmp_path / "new"
    with pytest.raises(KeyboardInterrupt):
        synthesize(place, 1, 7, progress=interrupted)
    assert any(place.iterdir()) and not (place / "pairs.csv").exists()
    with pytest.raises(InvalidInput, match=r"begun and not finished \(1 patients, seed 7"):
        synthesize(place, 1, 8)
    with monkeypatch.context() as finished:  # the patient is, and is not made again
        finished.delattr(cohort_module, "draw_patient")
        table = synthesize(place, 1, 7)
    assert sorted(path.name for path in place.iterdir()) == ["pairs.csv", "synthetic001"]
    with pytest.raises(InvalidInput, match="holds something already"):
        synthesize(table.parent, 1, 7)
