"""Real pairs that are read backwards: the masks keep their places in the head."""

from __future__ import annotations

from dataclasses import replace

import pytest
import SimpleITK as sitk

from longitudinal_al.evaluation.dice import dice
from longitudinal_al.experiments.cohorts import exchanged
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform
from longitudinal_al.pairs.given_masks import RegisteredScans, carry_mask, read_given_mask
from longitudinal_al.project.table import read_pairs_table


def carried_backwards(pair, true, folder):
    """Return the reference of a pair read backwards, carried onto the grid of the baseline."""
    back = exchanged(pair, folder / "exchanged")
    scans = RegisteredScans(read_scan(back.baseline), read_scan(back.followup), true.GetInverse())
    return carry_mask(read_given_mask(back.reference, back.reference_transform, "reference"), scans)


def in_a_space_of_its_own(pair, folder):
    """Return a pair whose reference lies in a space that is neither scan's, as atlas spaces do."""
    mask = read_mask(pair.reference)
    elsewhere = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.3, -0.2, 0.1, (31.0, -22.0, 45.0))
    grid = sitk.Image([120, 120, 90], sitk.sitkUInt8)
    grid.SetSpacing((2.0, 2.0, 2.0))
    grid.SetOrigin((-150.0, -130.0, -130.0))
    moved = sitk.Resample(mask, grid, elsewhere, sitk.sitkNearestNeighbor, 0)
    assert sitk.GetArrayViewFromImage(moved).any()
    sitk.WriteImage(moved, str(folder / "moved.nii.gz"))
    to_baseline = sitk.CompositeTransform([read_transform(pair.baseline.parent / "true.tfm"), elsewhere])
    to_baseline.FlattenTransform()
    sitk.WriteTransform(to_baseline, str(folder / "to_baseline.tfm"))
    return replace(pair, reference=folder / "moved.nii.gz", reference_transform=folder / "to_baseline.tfm")


def on_the_grid_of_the_baseline(pair, folder):
    """Return a pair whose reference was drawn on the baseline, whose grid has another size here."""
    scan = read_scan(pair.baseline)
    scan = sitk.ConstantPad(scan, (2, 0, 0), (0, 0, 0))
    true = read_transform(pair.baseline.parent / "true.tfm")
    mask = sitk.Resample(read_mask(pair.reference), scan, true.GetInverse(), sitk.sitkNearestNeighbor)
    for name, image in (("scan", scan), ("mask", mask)):
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    return replace(pair, baseline=folder / "scan.nii.gz", reference=folder / "mask.nii.gz")


def as_it_is(pair, folder):
    """Return a pair whose reference lies on the follow-up's grid, which the baseline shares."""
    return pair


@pytest.mark.parametrize("place", [in_a_space_of_its_own, on_the_grid_of_the_baseline, as_it_is])
def test_the_reference_of_a_pair_read_backwards_marks_the_same_place(place, small_cohort, tmp_path):
    pair = read_pairs_table(small_cohort.table)[0]
    true = read_transform(pair.baseline.parent / "true.tfm")
    placed = place(pair, tmp_path)
    grid = read_scan(placed.baseline)
    expected = sitk.Resample(read_mask(pair.reference), grid, true.GetInverse(), sitk.sitkNearestNeighbor)
    found = carried_backwards(placed, true, tmp_path)
    arrays = [sitk.GetArrayFromImage(mask) > 0 for mask in (found, expected)]
    assert dice(*arrays) > 0.8


def test_a_foreground_keeps_its_place_too(small_cohort, tmp_path):
    pair = in_a_space_of_its_own(read_pairs_table(small_cohort.table)[0], tmp_path)
    pair = replace(pair, foreground=pair.reference, foreground_transform=pair.reference_transform)
    back = exchanged(pair, tmp_path / "exchanged")
    points = [(10.0, 20.0, -5.0), (-31.0, 4.0, 12.0)]
    by_name = [read_transform(path) for path in (back.reference_transform, back.foreground_transform)]
    for point in points:
        assert by_name[0].TransformPoint(point) == by_name[1].TransformPoint(point)
