"""The pool of slice pairs: what there is to label, read slice by slice from memory-mapped files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.imaging.reading import read_mask
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.pairs.patches import PatchReader, window_in
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.pairs.slices import slices_of
from longitudinal_al.pairs.stack import CHANNELS, open_stack
from longitudinal_al.project.records import Pair, PairState, Split
from longitudinal_al.project.store import Project

MULTIPLE = 16
"""Sides of the network's input are multiples of this, so that every level of the network halves evenly."""


@dataclass(frozen=True)
class SlicePair:
    """One slice of a pair: the thing that is labelled.

    Attributes
    ----------
    pair, patient : str
        Whose slice it is.
    slice : int
        Index on the pair's grid, along the slice axis.
    position_mm : float
        Position along the slice axis, within the pair.
    difference_score : float
        Sum of robust z over the pieces of the difference.
    """

    pair: str
    patient: str
    slice: int
    position_mm: float
    difference_score: float


class PreparedPair:
    """A prepared pair: its record, and where its files are."""

    def __init__(self, pair: Pair, folder: Path, record: Prepared) -> None:
        self.pair = pair
        self.folder = folder
        self.record = record

    @property
    def grid_shape(self) -> tuple[int, int]:
        """Rows and columns of a slice of the pair's grid."""
        return self.record.frame.grid_rows, self.record.frame.grid_columns

    @property
    def reference_file(self) -> Path:
        """Where the reference lies on the pair's grid."""
        return self.folder / "reference.nii.gz"

    def reference_slices(self) -> np.ndarray:
        """Read the reference; uint8, (slices, rows, columns) of the pair's grid."""
        if not self.reference_file.is_file():
            raise NotReady(
                f"pair {self.pair.id} has no reference: add it with the column `reference`, then `prepare`"
            )
        return slices_of(read_mask(self.reference_file), self.record.slice_axis)

    def grid(self) -> sitk.Image:
        """Read the foreground, which carries the pair's grid."""
        return sitk.ReadImage(str(self.folder / "foreground.nii.gz"))


class Pool:
    """The slice pairs of a project's prepared pairs.

    Parameters
    ----------
    prepared : sequence of PreparedPair
        The pairs whose slices belong to the pool.
    size : tuple of int, optional
        Rows and columns of the network's input; by default large enough for every pair.
    """

    def __init__(self, prepared: Sequence[PreparedPair], size: tuple[int, int] | None = None) -> None:
        self.pairs = {pair.pair.id: pair for pair in prepared}
        self.entries = [entry for pair in prepared for entry in _entries(pair)]
        self.size = size or _input_size(prepared)
        self.index = {(entry.pair, entry.slice): row for row, entry in enumerate(self.entries)}

    @classmethod
    def open(cls, project: Project, split: Split | None = Split.POOL, interrupt: Interrupt = never) -> Pool:
        """Open the pool of a project, or the slice pairs of its test pairs; `interrupt` is called at each.

        Raises
        ------
        NotReady
            When no pair is prepared, or a prepared pair's files are gone.
        """
        every = []
        for pair in project.pairs():
            interrupt()
            if pair.state is PairState.PREPARED:
                every.append(_open_pair(project, pair))
        if not every:
            raise NotReady(f"{project.folder}: no pair is prepared yet; run `longitudinal-al prepare` first")
        wanted = [pair for pair in every if split is None or pair.pair.split is split]
        return cls(wanted, _input_size(every))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def patients(self) -> int:
        """Of how many patients these slice pairs are."""
        return len({pair.pair.patient for pair in self.pairs.values()})

    def find(self, pair: str, slice_index: int) -> int:
        """Return the row of a slice pair.

        Raises
        ------
        InvalidInput
            When there is no such pair or slice in the pool.
        """
        if pair not in self.pairs:
            raise InvalidInput(
                f"pair {pair!r} is not in the pool: the prepared pairs are {', '.join(self.pairs)}"
            )
        row = self.index.get((pair, slice_index))
        if row is None:
            slices = self.pairs[pair].record.slices
            raise InvalidInput(
                f"pair {pair}, slice {slice_index}: not in the pool (slices {slices[0]} to {slices[-1]} are)"
            )
        return row

    def stacks(self, rows: Sequence[int], neighbours: int = 0) -> np.ndarray:
        """Read the channels of slice pairs, with their neighbours above and below.

        Parameters
        ----------
        rows : sequence of int
            Rows of the pool.
        neighbours : int
            How many slices on either side come along; beyond the first and the last slice the end repeats.

        Returns
        -------
        numpy.ndarray
            float16, (n, 1 + 2 neighbours, channels, rows, columns), the slice itself in the middle, 0
            outside of the pair's window.
        """
        steps = range(-neighbours, neighbours + 1)
        images = np.zeros((len(rows), len(steps), len(CHANNELS), *self.size), np.float16)
        for outs, places, (stack, _) in self._by_pair(images, rows):
            for out, place in zip(outs, places, strict=True):
                for where, step in zip(out, steps, strict=True):
                    _paste(where, stack[min(max(place + step, 0), len(stack) - 1)])
        return images

    def contents(self) -> list[list[Any]]:
        """Return what tells this pool from another, for JSON: pairs, what they are made of, slices."""
        return [[name, pair.record.key, pair.record.slices] for name, pair in self.pairs.items()]

    def patch_reader(self, neighbours: int) -> PatchReader:
        """Return what reads windows of slices, for training."""
        return PatchReader(self.size, self._locate, neighbours)

    def _locate(self, row: int) -> tuple[Path, int]:
        """Return a slice pair's folder, and its place in the stack there."""
        entry = self.entries[row]
        prepared = self.pairs[entry.pair]
        return prepared.folder, entry.slice - prepared.record.first_slice

    def foreground(self, rows: Sequence[int]) -> np.ndarray:
        """Read the foreground of slice pairs; boolean, (n, rows, columns)."""
        inside = np.zeros((len(rows), *self.size), bool)
        for outs, places, (_, foreground) in self._by_pair(inside, rows):
            for out, place in zip(outs, places, strict=True):
                _paste(out, foreground[place])
        return inside

    def voxel_mm(self, row: int) -> tuple[float, float, float]:
        """Return the size of a voxel of the network's input: across slices, along rows and columns; mm."""
        record = self.pairs[self.entries[row].pair].record
        across, row_mm, column_mm = record.spacing_mm
        return across, row_mm * record.frame.row_step, column_mm * record.frame.column_step

    def mask_to_network(self, row: int, mask: np.ndarray) -> np.ndarray:
        """Take a mask on the pair's grid, (rows, columns), to the network's input; boolean."""
        out = np.zeros(self.size, bool)
        _paste(out, self.pairs[self.entries[row].pair].record.frame.mask_to_network(mask))
        return out

    def to_grid(self, row: int, image: np.ndarray) -> np.ndarray:
        """Take a network-sized image back to the pair's grid; float32, (grid rows, grid columns)."""
        frame = self.pairs[self.entries[row].pair].record.frame
        return frame.to_grid(image[window_in(self.size, (frame.rows, frame.columns))])

    def _by_pair(
        self, images: np.ndarray, rows: Sequence[int]
    ) -> Iterator[tuple[list[np.ndarray], list[int], tuple[np.ndarray, np.ndarray]]]:
        """Yield, pair by pair, the images to fill, their places in the stack, and the stack.

        The files are mapped for one pair at a time: what is mapped counts as memory of the process.
        """
        wanted: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            wanted.setdefault(self.entries[row].pair, []).append(number)
        for name, numbers in wanted.items():
            prepared = self.pairs[name]
            first = prepared.record.first_slice
            places = [self.entries[rows[number]].slice - first for number in numbers]
            yield [images[number] for number in numbers], places, open_stack(prepared.folder)


def _open_pair(project: Project, pair: Pair) -> PreparedPair:
    folder = project.pair_folder(pair.id)
    record = Prepared.read(folder)
    if record is None or not record.is_whole(folder):
        raise NotReady(
            f"{folder}: the prepared files are missing or damaged; run `longitudinal-al prepare` again"
        )
    return PreparedPair(pair, folder, record)


def _entries(prepared: PreparedPair) -> list[SlicePair]:
    record, pair = prepared.record, prepared.pair
    thickness = record.spacing_mm[0]
    both = zip(record.slices, record.difference_score, strict=True)
    return [SlicePair(pair.id, pair.patient, index, index * thickness, score) for index, score in both]


def _input_size(prepared: Sequence[PreparedPair]) -> tuple[int, int]:
    rows = max((pair.record.frame.rows for pair in prepared), default=MULTIPLE)
    columns = max((pair.record.frame.columns for pair in prepared), default=MULTIPLE)
    return -(-rows // MULTIPLE) * MULTIPLE, -(-columns // MULTIPLE) * MULTIPLE


def _paste(out: np.ndarray, image: np.ndarray) -> None:
    out[(..., *window_in(out.shape[-2:], image.shape[-2:]))] = image
