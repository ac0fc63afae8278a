"""
Lesion by lesion: which lesions were found, and which predicted ones are false, as MSSEG-2 counts.

The rule (Commowick et al., "Objective evaluation of multiple sclerosis lesion segmentation using a data
management and processing infrastructure", Scientific Reports 2018, taken over by the MSSEG-2 challenge on
new lesions): a lesion of one mask is detected by the other mask when both hold:

1. the overlap exceeds 10 % of the lesion;
2. the lesions of the other mask that overlap it, taken from the largest overlap until they cover 65 % of the
   overlap, each lie by at most 70 % outside the first mask. (A single blob over the whole brain detects
   nothing.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, sparse

SMALLEST_LESION_MM3 = 3.0
OVERLAP_PERCENT = 10
COVER_PERCENT = 65
OUTSIDE_PERCENT = 70
# Spacings come from headers in single precision: twelve voxels of 0.25 mm3 are 3 mm3, whatever the last
# digit says.
ROUNDING = 1e-5


@dataclass(frozen=True)
class LesionCounts:
    """
    Lesions of a predicted and a reference mask, and which of them the other mask detects.

    Attributes
    ----------
    reference_detected : numpy.ndarray of bool, shape (reference lesions,)
        Which reference lesions the prediction detects.
    predicted_detected : numpy.ndarray of bool, shape (predicted lesions,)
        Which predicted lesions are true by the same test the other way round.
    predicted_volumes_mm3 : numpy.ndarray of float, shape (predicted lesions,)
        Volume of each predicted lesion.
    """

    reference_detected: np.ndarray
    predicted_detected: np.ndarray
    predicted_volumes_mm3: np.ndarray

    @property
    def sensitivity(self) -> float | None:
        """Share of the reference lesions that are detected; None where there is none."""
        return _share(self.reference_detected)

    @property
    def precision(self) -> float | None:
        """Share of the predicted lesions that are true; None where there is none."""
        return _share(self.predicted_detected)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; None without reference lesions, 0 when nothing was found."""
        if self.sensitivity is None:
            return None
        if not self.sensitivity or not self.precision:
            return 0.0
        return 2.0 * self.sensitivity * self.precision / (self.sensitivity + self.precision)

    @property
    def false_lesions(self) -> int:
        """Number of predicted lesions that are not true; all of them on a pair without change."""
        return int(np.count_nonzero(~self.predicted_detected))

    @property
    def false_volume_mm3(self) -> float:
        """Volume in mm3 of the false lesions."""
        return float(self.predicted_volumes_mm3[~self.predicted_detected].sum())


def count_lesions(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> LesionCounts:
    """
    Match the lesions of two masks by the rule of MSSEG-2.

    Components of at most 3 mm3 are taken out of both masks first, and count as outside.

    Parameters
    ----------
    prediction, reference : numpy.ndarray of bool
        Masks of the same shape.
    spacing_mm : sequence of float
        Size of a voxel along each axis of the arrays.
    """
    predicted_labels, predicted_sizes = label_lesions(prediction, spacing_mm)
    reference_labels, reference_sizes = label_lesions(reference, spacing_mm)
    overlaps = _overlaps(reference_labels, predicted_labels, len(reference_sizes), len(predicted_sizes))
    voxel_mm3 = math.prod(spacing_mm)
    return LesionCounts(
        reference_detected=_detected(overlaps, reference_sizes, predicted_sizes),
        predicted_detected=_detected(overlaps.T.tocsr(), predicted_sizes, reference_sizes),
        predicted_volumes_mm3=predicted_sizes * voxel_mm3,
    )


def label_lesions(
    mask: np.ndarray, spacing_mm: Sequence[float], smallest_mm3: float = SMALLEST_LESION_MM3
) -> tuple[np.ndarray, np.ndarray]:
    """
    Give each face-connected component of a mask that is larger than `smallest_mm3` a number.

    Returns
    -------
    labels : numpy.ndarray of int32
        0 outside, 1 to n in the lesions.
    sizes : numpy.ndarray of int, shape (n,)
        Number of voxels of each lesion.
    """
    labels, components = ndimage.label(mask)
    sizes = np.bincount(labels[mask], minlength=components + 1)
    kept = sizes * math.prod(spacing_mm) > smallest_mm3 * (1 + ROUNDING)
    kept[0] = False
    renumbered = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return renumbered[labels], sizes[kept]


def _overlaps(rows: np.ndarray, columns: np.ndarray, row_count: int, column_count: int) -> sparse.csr_matrix:
    """
    Return the number of shared voxels of each pair of lesions, shape (row lesions, column lesions).

    Sparse, since an early model may predict tens of thousands of specks.
    """
    both = (rows > 0) & (columns > 0)
    pairs = (rows[both] - 1, columns[both] - 1)
    return sparse.coo_matrix((np.ones(len(pairs[0]), dtype=int), pairs), (row_count, column_count)).tocsr()


def _detected(overlaps: sparse.csr_matrix, sizes: np.ndarray, other_sizes: np.ndarray) -> np.ndarray:
    """
    Test each lesion of one mask against the lesions of the other.

    Whole numbers throughout, so that a lesion at exactly 10, 65 or 70 % falls on the side that the rule says.

    Parameters
    ----------
    overlaps : scipy.sparse.csr_matrix of int, shape (n, m)
    sizes : numpy.ndarray of int, shape (n,)
    other_sizes : numpy.ndarray of int, shape (m,)

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
    """
    total = np.asarray(overlaps.sum(axis=1)).ravel()
    outside = other_sizes - np.asarray(overlaps.sum(axis=0)).ravel()
    mostly_outside = 100 * outside > OUTSIDE_PERCENT * other_sizes
    detected = 100 * total > OVERLAP_PERCENT * sizes
    for lesion in np.flatnonzero(detected):
        row = slice(overlaps.indptr[lesion], overlaps.indptr[lesion + 1])
        others, shared = overlaps.indices[row], overlaps.data[row]
        # Among equal overlaps the one that lies less outside goes first: the answer then depends on no order.
        order = np.lexsort((outside[others] / other_sizes[others], -shared))
        covered_before = np.cumsum(shared[order]) - shared[order]
        needed = others[order][100 * covered_before < COVER_PERCENT * total[lesion]]
        detected[lesion] = not mostly_outside[needed].any()
    return detected


def _share(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if len(flags) else None
