"""How long the simulated annotator would have taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from longitudinal_al.evaluation.annotation_cost import CostModel, work_of
from longitudinal_al.pairs.pool import Pool


def simulated_seconds(
    model: CostModel, pool: Pool, masks: Mapping[int, np.ndarray], rows: Sequence[int]
) -> float:
    """Return the seconds that labelling some rows of a pool takes.

    Parameters
    ----------
    model : CostModel
        How long what takes; its name belongs beside the figure.
    pool : Pool
        Where the rows are.
    masks : mapping of int to numpy.ndarray
        What is drawn on each row.
    rows : sequence of int
        All rows so far, in the order in which they are labelled.
    """
    pairs = [pool.entries[row].pair for row in rows]
    spacings = [pool.pairs[pair].record.spacing_mm for pair in pairs]
    areas = [row_mm * column_mm for _, row_mm, column_mm in spacings]
    return float(model.seconds(work_of([masks[row] for row in rows], areas, pairs)).sum())
