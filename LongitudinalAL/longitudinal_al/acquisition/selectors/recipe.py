"""The product's own recipe: expected change, doubt, and a tenth by chance, spread over the patients."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.clasp_pe import beta_of, usable
from longitudinal_al.acquisition.selectors.power import power_order
from longitudinal_al.acquisition.shares import Stratum, descending, take_by_shares, trusted
from longitudinal_al.interruption import Interrupt

AUDIT = 0.1
A_PATIENT = 2
FIRST_BETA, LAST_BETA = 1.0, 100.0


@canonical
def recipe(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    change: bool = True,
    audit: bool = True,
    spread: bool = True,
    noise: bool = False,
) -> list[int]:
    """Take a stratum of predicted change, one of plain doubt, and a random audit tenth, in turns.

    Predicted change is ranked by p * H, doubt by H; pairs whose registration check failed come last in both.
    The audit is what finds changes that neither the difference nor the model sees. Slices of a pair keep the
    spacing that is asked for (5 mm everywhere), and no patient gives more than two until every patient was
    visited. O(N log N) time, O(N) memory. Its first batch is ``recipe_start``'s.

    Parameters
    ----------
    change
        The stratum of predicted change; off, its share goes to plain doubt.
    audit
        The random tenth; off, its share goes to the others.
    spread
        Spacing and patients; off, neither is minded.
    noise
        Draw both strata with noise that fades over the rounds, as ClaSP PE does.

    Raises
    ------
    NotReady
        The score for predicted change is missing.
    """
    doubt = trusted(candidates.ranking_score(), candidates)
    values = [doubt]
    if change:
        values.insert(0, trusted(usable(candidates.needed("change_score", "recipe")), candidates))
    beta = beta_of(candidates.round, candidates.rounds, FIRST_BETA, LAST_BETA)
    share = (1.0 - AUDIT * audit) / len(values)
    strata = [
        Stratum(power_order(each, beta, generator) if noise else descending(each), share) for each in values
    ]
    if audit:
        strata.append(Stratum(generator.permutation(len(candidates)), AUDIT))
    choice = _spread_out(neighbours, spread).start(candidates, interrupt)
    return take_by_shares(choice, strata, batch)


def _spread_out(neighbours: Neighbours, spread: bool) -> Neighbours:
    """Return the distances to keep: those asked for and two a patient, or none at all."""
    if not spread:
        return Neighbours()
    return Neighbours(neighbours.spacing_mm, neighbours.per_patient or A_PATIENT)
