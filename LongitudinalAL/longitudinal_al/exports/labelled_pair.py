"""The labels of a pair as one volume on the pair's grid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import GeometryMismatch, NotReady
from longitudinal_al.pairs.pool import Pool, PreparedPair
from longitudinal_al.pairs.slices import volume_of
from longitudinal_al.project.records import Label
from longitudinal_al.project.store import Project


@dataclass(frozen=True)
class LabelledPair:
    """A pair that has labels.

    Attributes
    ----------
    prepared : PreparedPair
        The pair and its files.
    labels : SimpleITK.Image
        uint8 on the pair's grid: 0 = no change or not labelled, k = class k.
    labelled : SimpleITK.Image
        uint8 on the pair's grid: 1 on every pixel of a slice that has a label.
    """

    prepared: PreparedPair
    labels: sitk.Image
    labelled: sitk.Image


def labelled_pairs(project: Project) -> Iterator[LabelledPair]:
    """Yield the prepared pairs that have labels, one at a time.

    Raises
    ------
    NotReady
        When nothing is labelled, or a labelled pair is not prepared any more.
    GeometryMismatch
        When a label is not on the pair's grid, because the scan has been replaced.
    """
    by_pair: dict[str, list[Label]] = defaultdict(list)
    for label in project.labels():
        by_pair[label.pair].append(label)
    if not by_pair:
        raise NotReady(f"{project.folder}: nothing is labelled yet; label a few slice pairs first")
    pairs = Pool.open(project, split=None).pairs
    for name, labels in by_pair.items():
        if name not in pairs:
            raise NotReady(f"pair {name} has labels and is not prepared: run `longitudinal-al prepare` first")
        yield _labelled_pair(pairs[name], labels)


def _labelled_pair(prepared: PreparedPair, labels: list[Label]) -> LabelledPair:
    grid, axis = prepared.grid(), prepared.record.slice_axis
    shape = (grid.GetSize()[2 - axis], *prepared.grid_shape)
    drawn, labelled = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for label in labels:
        if label.mask.shape != shape[1:] or label.slice >= shape[0]:
            raise GeometryMismatch(
                f"label of pair {label.pair}, slice {label.slice}: {label.mask.shape} pixels, but the pair "
                f"has {shape[0]} slices of {shape[1:]}: has its follow-up been replaced?"
            )
        drawn[label.slice] = label.mask
        labelled[label.slice] = 1
    return LabelledPair(prepared, volume_of(drawn, axis, grid), volume_of(labelled, axis, grid))
