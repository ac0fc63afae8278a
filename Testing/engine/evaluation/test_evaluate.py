"""All measures together: real masks, the cases where one is not defined, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.evaluation.evaluate import evaluate

SPACING = (3.0, 1.0, 1.0)
KEYS = [
    "dice",
    "hd95_mm",
    "lesion_sensitivity",
    "lesion_precision",
    "lesion_f1",
    "reference_lesions",
    "predicted_lesions",
    "false_lesions",
    "false_volume_mm3",
]


def box(start: int, end: int) -> np.ndarray:
    mask = np.zeros((6, 20, 20), dtype=np.uint8)
    mask[2:4, 5:8, start:end] = 1
    return mask


def test_names_are_the_contract_and_go_into_json() -> None:
    measures = evaluate(box(4, 8), box(5, 8), SPACING).as_dict()
    assert list(measures) == KEYS
    assert json.loads(json.dumps(measures)) == measures
    assert measures["dice"] == pytest.approx(2 * 18 / (24 + 18))
    assert measures["hd95_mm"] == 1.0
    assert (measures["reference_lesions"], measures["predicted_lesions"]) == (1, 1)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        (box(5, 8), box(5, 8), [1.0, 0.0, 1.0, 1.0, 1.0, 1, 1, 0, 0.0]),
        (box(0, 0), box(5, 8), [0.0, None, 0.0, None, 0.0, 1, 0, 0, 0.0]),
        (box(5, 8), box(0, 0), [None, None, None, 0.0, None, 0, 1, 1, 54.0]),
        (box(0, 0), box(0, 0), [None, None, None, None, None, 0, 0, 0, 0.0]),
    ],
    ids=["perfect", "all missed", "all false", "no change, none predicted"],
)
def test_defined_and_undefined_measures(
    prediction: np.ndarray, reference: np.ndarray, expected: list[float | None]
) -> None:
    assert list(evaluate(prediction, reference, SPACING).as_dict().values()) == expected


def test_real_change_masks_against_themselves_moved_by_a_voxel(open_ms: Path) -> None:
    for patient, lesions in (("patient01", 14), ("patient03", 48)):
        image = sitk.ReadImage(str(open_ms / patient / "gt.nii.gz"))
        reference = sitk.GetArrayFromImage(image)
        spacing = image.GetSpacing()[::-1]
        perfect = evaluate(reference, reference, spacing)
        assert (perfect.dice, perfect.hd95_mm, perfect.lesion_f1) == (1.0, 0.0, 1.0)
        assert perfect.reference_lesions == lesions
        moved = evaluate(np.roll(reference, 1, axis=2), reference, spacing)
        assert 0.7 < moved.dice < 0.9
        assert moved.hd95_mm == pytest.approx(spacing[2], rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (2, 6, 6)), arrays(bool, (2, 6, 6)), st.tuples(*[st.integers(0, 3)] * 3))
def test_nothing_depends_on_where_the_masks_lie(
    prediction: np.ndarray, reference: np.ndarray, steps: tuple[int, int, int]
) -> None:
    padding = [(step, 3 - step) for step in steps]
    here = evaluate(np.pad(prediction, 3), np.pad(reference, 3), SPACING).as_dict()
    there = evaluate(np.pad(prediction, padding), np.pad(reference, padding), SPACING).as_dict()
    assert here == pytest.approx(there)


def test_masks_on_different_grids_are_refused() -> None:
    with pytest.raises(GeometryMismatch, match=r"\(6, 20, 20\).*\(6, 20, 19\)"):
        evaluate(box(5, 8), box(5, 8)[..., 1:], SPACING)
    with pytest.raises(GeometryMismatch, match="3 axes, the spacing 2"):
        evaluate(box(5, 8), box(5, 8), (1.0, 1.0))


@pytest.mark.parametrize("bad", [0.4, np.nan])
def test_probabilities_and_nan_are_refused(bad: float) -> None:
    probabilities = box(5, 8).astype(np.float32)
    probabilities[0, 0, 0] = bad
    with pytest.raises(InvalidInput, match=r"prediction.*threshold"):
        evaluate(probabilities, box(5, 8), SPACING)


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan")])
def test_impossible_spacing_is_refused(size: float) -> None:
    with pytest.raises(InvalidInput, match="above zero"):
        evaluate(box(5, 8), box(5, 8), (size, 1.0, 1.0))
