"""A prepared pair's slices as the network sees them, memory-mapped: nothing is loaded before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.pairs.frame import Frame
from longitudinal_al.project.files import write_atomically

CHANNELS = ("baseline", "followup", "difference")
"""What the stack holds of each slice, as float16 robust z; `FOREGROUND` lies beside it."""

CLIP = {"baseline": (-6.0, 10.0), "followup": (-6.0, 10.0), "difference": (-200.0, 200.0)}
"""Robust z beyond these limits says nothing more, and would overflow or dominate the training."""

STACK_FILE = "stack.npy"
FOREGROUND_FILE = "stack-foreground.npy"


def write_stack(
    folder: Path,
    frame: Frame,
    volumes: Mapping[str, np.ndarray],
    foreground: np.ndarray,
    slices: Iterable[int],
    interrupt: Interrupt = never,
) -> None:
    """Cut the given slices of the volumes to the network's frame and write them.

    Parameters
    ----------
    folder : Path
        The pair's folder.
    frame : Frame
        The network's window on the slices.
    volumes : mapping of str to numpy.ndarray
        For each of `CHANNELS`, float (slices, rows, columns), robust z.
    foreground : numpy.ndarray
        Boolean (slices, rows, columns).
    slices : iterable of int
        The slices of the grid to keep, in order.
    interrupt : callable
        Called at every slice.
    """
    chosen = list(slices)
    stack = np.zeros((len(chosen), len(CHANNELS), frame.rows, frame.columns), np.float16)
    inside = np.zeros((len(chosen), frame.rows, frame.columns), bool)
    for row, index in enumerate(chosen):
        interrupt()
        for channel, name in enumerate(CHANNELS):
            stack[row, channel] = np.clip(frame.to_network(volumes[name][index]), *CLIP[name])
        inside[row] = frame.mask_to_network(foreground[index])
    write_atomically(folder / STACK_FILE, lambda path: np.save(path, stack, allow_pickle=False))
    write_atomically(folder / FOREGROUND_FILE, lambda path: np.save(path, inside, allow_pickle=False))


def open_stack(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Open a pair's slices without reading them.

    Returns
    -------
    stack : numpy.memmap
        float16, (slices, channels, rows, columns).
    foreground : numpy.memmap
        bool, (slices, rows, columns).

    Raises
    ------
    NotReady
        When a file is missing or damaged; preparing again makes it anew.
    """
    try:
        stack = np.load(folder / STACK_FILE, mmap_mode="r", allow_pickle=False)
        foreground = np.load(folder / FOREGROUND_FILE, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(folder) from error
    rows_and_columns = stack.shape[2:]
    if (stack.dtype, foreground.dtype) != (np.float16, np.bool_) or stack.shape[1:2] != (len(CHANNELS),):
        raise _damaged(folder)  # a changed head may still fit the file's length
    if foreground.shape != (len(stack), *rows_and_columns):
        raise _damaged(folder)
    return stack, foreground


def _damaged(folder: Path) -> NotReady:
    return NotReady(f"the slices in {folder} are missing or damaged: run `prepare` again")
