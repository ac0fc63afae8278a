"""The first slice pairs that each strategy asked for, as small images for the report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.curves import Results
from longitudinal_al.pairs.pool import Pool


@dataclass(frozen=True)
class AskedSlice:
    """
    One slice pair that a strategy asked for.

    Attributes
    ----------
    pair : str
    slice : int
        Index on the pair's grid.
    baseline, followup, difference : numpy.ndarray of float, shape (rows, columns)
        Robust z.
    reference : numpy.ndarray of bool, shape (rows, columns), or None
        Where the change is, if that is known.
    """

    pair: str
    slice: int
    baseline: np.ndarray
    followup: np.ndarray
    difference: np.ndarray
    reference: np.ndarray | None


def first_asked(results: Results, pool: Pool, count: int = 6) -> dict[str, list[AskedSlice]]:
    """
    Read the first slice pairs that each strategy asked for with its first seed.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`, with `asked` in its entries.
    pool : Pool
        The pool of the experiment.
    count : int
        How many a strategy.
    """
    asked: dict[str, list[tuple[str, int]]] = {}
    first_seed: dict[str, int] = {}
    for entry in results["results"]:
        if entry["seed"] == first_seed.setdefault(entry["strategy"], entry["seed"]):
            asked.setdefault(entry["strategy"], []).extend(
                (one["pair"], one["slice"]) for one in entry.get("asked") or []
            )
    return {
        name: [_read(pool, pair, index) for pair, index in slices[:count]] for name, slices in asked.items()
    }


def _read(pool: Pool, pair: str, index: int) -> AskedSlice:
    row = pool.find(pair, index)
    baseline, followup, difference = pool.stacks([row])[0, 0].astype(np.float32)
    try:
        reference = pool.mask_to_network(row, pool.pairs[pair].reference_slices()[index])
    except NotReady:
        reference = None
    return AskedSlice(pair, index, baseline, followup, difference, reference)
