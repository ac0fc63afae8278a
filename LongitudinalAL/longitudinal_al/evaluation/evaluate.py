"""All measures of one predicted mask of change against its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.evaluation.dice import dice
from longitudinal_al.evaluation.lesions import count_lesions
from longitudinal_al.evaluation.surface import hd95


@dataclass(frozen=True)
class Evaluation:
    """
    The measures of one prediction; None where a measure is not defined.

    | case                                | dice | hd95_mm | sensitivity | precision | f1   |
    | ----------------------------------- | ---- | ------- | ----------- | --------- | ---- |
    | change in both                      | 0–1  | mm      | 0–1         | 0–1       | 0–1  |
    | change in the reference only        | 0    | None    | 0           | None      | 0    |
    | change in the prediction only       | None | None    | None        | 0         | None |
    | change in neither                   | None | None    | None        | None      | None |

    Sensitivity, precision and F1 look at lesions of more than 3 mm3: a mask that has only smaller components
    counts for them as one without change.
    """

    dice: float | None
    hd95_mm: float | None
    lesion_sensitivity: float | None
    lesion_precision: float | None
    lesion_f1: float | None
    reference_lesions: int
    predicted_lesions: int
    false_lesions: int
    false_volume_mm3: float

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the measures by name, as the command `evaluate` prints them."""
        return asdict(self)


def evaluate(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> Evaluation:
    """
    Measure a predicted mask of change against its reference.

    Parameters
    ----------
    prediction, reference : numpy.ndarray, shape (slices, rows, columns)
        Masks on the same grid: bool, or whole numbers, where everything but 0 is change.
    spacing_mm : sequence of three floats
        Size of a voxel along (slices, rows, columns).

    Raises
    ------
    GeometryMismatch
        If the shapes or the number of spacings differ.
    InvalidInput
        If a mask holds anything but whole numbers, such as probabilities, or the spacing is not positive.
    """
    if prediction.shape != reference.shape:
        raise GeometryMismatch(
            f"prediction has shape {prediction.shape}, reference {reference.shape}: "
            "bring both onto one grid before evaluating"
        )
    _check_spacing(spacing_mm, reference.ndim)
    predicted = _as_mask(prediction, "prediction")
    expected = _as_mask(reference, "reference")
    lesions = count_lesions(predicted, expected, spacing_mm)
    return Evaluation(
        dice=dice(predicted, expected),
        hd95_mm=hd95(predicted, expected, spacing_mm),
        lesion_sensitivity=lesions.sensitivity,
        lesion_precision=lesions.precision,
        lesion_f1=lesions.f1,
        reference_lesions=len(lesions.reference_detected),
        predicted_lesions=len(lesions.predicted_detected),
        false_lesions=lesions.false_lesions,
        false_volume_mm3=lesions.false_volume_mm3,
    )


def _as_mask(values: np.ndarray, name: str) -> np.ndarray:
    if values.dtype.kind == "f" and not np.array_equal(values, np.round(values)):
        raise InvalidInput(f"the {name} holds values between whole numbers or NaN: threshold it first")
    return values != 0


def _check_spacing(spacing_mm: Sequence[float], dimensions: int) -> None:
    if len(spacing_mm) != dimensions:
        raise GeometryMismatch(
            f"the masks have {dimensions} axes, the spacing {len(spacing_mm)}: give one each"
        )
    if not all(0 < size < float("inf") for size in spacing_mm):
        raise InvalidInput(f"spacing {tuple(spacing_mm)} mm: every voxel size must be above zero")
