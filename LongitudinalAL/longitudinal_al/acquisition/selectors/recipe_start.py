"""The recipe's first batch, before any label: large differences, and a tenth by chance."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Floats, Integers
from longitudinal_al.acquisition.neighbours import Choice, Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.clasp_pe import usable
from longitudinal_al.acquisition.selectors.mdal_diverse import diverse_order
from longitudinal_al.acquisition.selectors.recipe import AUDIT
from longitudinal_al.acquisition.selectors.strided import strided
from longitudinal_al.acquisition.selectors.typiclust import typical_order
from longitudinal_al.acquisition.shares import Stratum, descending, take_by_shares, trusted
from longitudinal_al.interruption import Interrupt


@canonical
def recipe_start(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    start: str = "off",
    audit: bool = True,
    spread: bool = True,
) -> list[int]:
    """Take slice pairs by the largest difference, and a tenth at random.

    One a patient first measured worse: where scans differ most there may be artefacts alone, and it takes
    several slices of a patient to meet a change. Half of the batch can be different kinds of slice pairs
    instead. In turns; pairs whose registration check failed come last. O(N log N), and with different kinds
    as ``mdal_diverse`` or ``typiclust``.

    Parameters
    ----------
    start
        Where different kinds come from: "mdal" (DiverseMD), "typiclust" (of the contrastive features),
        "strided" (every k-th of the pool), or "off": all by difference, which measured best.
    audit
        The random tenth.
    spread
        Spacing between slices; off, it is not minded.

    Raises
    ------
    NotReady
        The differences are missing, or the contrastive features.
    """
    difference = trusted(usable(candidates.needed("difference", "recipe_start")), candidates)
    choice = (neighbours if spread else Neighbours()).start(candidates, interrupt)
    orders = [descending(difference)]
    if start != "off":
        orders.append(_kinds(start, candidates, batch, choice, generator, interrupt))
    share = (1.0 - AUDIT * audit) / len(orders)
    strata = [Stratum(order, share) for order in orders]
    if audit:
        strata.append(Stratum(generator.permutation(len(candidates)), AUDIT))
    return take_by_shares(choice, strata, batch)


def _kinds(
    start: str,
    candidates: Candidates,
    batch: int,
    choice: Choice,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> Integers:
    """Return the order of the stratum that brings different kinds of slice pairs."""
    wanted = -(-batch // 2)
    if start == "strided":
        return np.array(strided(candidates, batch, Neighbours(), generator, interrupt), dtype=np.int64)
    if start == "typiclust":
        return typical_order(candidates, wanted, choice.open, generator, interrupt)
    value: Floats = trusted(candidates.ranking_score(), candidates)
    return diverse_order(candidates, value, wanted, choice.open, generator, interrupt)
