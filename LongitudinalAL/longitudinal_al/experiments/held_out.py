"""How well networks do on the test pairs of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.evaluation.dice import dice
from longitudinal_al.evaluation.lesions import count_lesions
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.committee import Committee, weights_of
from longitudinal_al.network.sure_pieces import pair_probability, sure_pieces
from longitudinal_al.pairs.pool import Pool, PreparedPair
from longitudinal_al.project.records import Split
from longitudinal_al.project.store import Project

Figures = dict[str, float | None]
HELD_OUT = ("dice", "lesion_f1", "false_lesions", "false_volume_mm3")
"""What is measured of a pair: the first two where it has change, the others where it has none."""
Seen = dict[str, np.ndarray]
"""Probability of change in each test pair, float16, (slices, rows, columns)."""


@dataclass(frozen=True)
class HeldOut:
    """Means over the patients for whom a measure is defined, and each patient's own.

    Attributes
    ----------
    dice, lesion_f1 : float or None
        Of pairs with change.
    false_lesions, false_volume_mm3 : float or None
        Lesions that are predicted in a pair without change, and their volume.
    per_patient : dict of str to dict
        The same for each patient.
    """

    dice: float | None
    lesion_f1: float | None
    false_lesions: float | None
    false_volume_mm3: float | None
    per_patient: dict[str, Figures]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures, for JSON."""
        return {**{name: getattr(self, name) for name in HELD_OUT}, "per_patient": self.per_patient}


class TestPairs:
    """The test pairs of a project with their references, read once.

    Raises
    ------
    NotReady
        When there are no prepared test pairs, or one has no reference.
    """

    __test__ = False  # the name says "test", but pytest has nothing to collect here

    def __init__(self, project: Project) -> None:
        self.pool = Pool.open(project, Split.TEST)
        if not self.pool.entries:
            raise NotReady(
                f"{project.folder}: no prepared pair is set aside for testing; give some pairs `test` in the "
                "column `split`, with their references, and prepare them"
            )
        self.references = {name: pair.reference_slices() > 0 for name, pair in self.pool.pairs.items()}

    def measure(self, committee: Committee) -> HeldOut:
        """Predict every test pair and compare it with its reference, on the pair's own grid."""
        return self.compare(
            {
                name: sure_pieces(pair_probability(committee, self.pool, name, len(one)))
                for name, one in self.references.items()
            }
        )

    def look(self, network: ChangeNetwork) -> Seen:
        """Return what a network sees in every test pair, to be measured together with what others see."""
        alone = Committee.of([network])
        return {
            name: pair_probability(alone, self.pool, name, len(one)).astype(np.float16)
            for name, one in self.references.items()
        }

    def measure_together(self, seen: Sequence[Seen], labels: Sequence[float]) -> HeldOut:
        """Measure as `measure` does, from what each network of a committee sees and has learned."""
        weights = np.array(weights_of(labels), np.float32)
        masks = {}
        for name in self.references:
            probabilities = np.stack([each[name] for each in seen]).astype(np.float32)
            masks[name] = sure_pieces(np.tensordot(weights, probabilities, axes=1))
        return self.compare(masks)

    def compare(self, predicted: Mapping[str, np.ndarray]) -> HeldOut:
        """Compare a mask of each test pair, boolean (slices, rows, columns), with its reference."""
        by_patient: dict[str, list[Figures]] = {}
        for name, mask in predicted.items():
            pair = self.pool.pairs[name]
            by_patient.setdefault(pair.pair.patient, []).append(self._measure_pair(pair, mask))
        each = {patient: _mean(figures) for patient, figures in by_patient.items()}
        return HeldOut(**_mean(list(each.values())), per_patient=each)

    def _measure_pair(self, pair: PreparedPair, mask: np.ndarray) -> Figures:
        reference = self.references[pair.pair.id]
        lesions = count_lesions(mask, reference, pair.record.spacing_mm)
        if reference.any():
            return {"dice": dice(mask, reference), "lesion_f1": lesions.f1}
        return {"false_lesions": lesions.false_lesions, "false_volume_mm3": lesions.false_volume_mm3}


def _mean(each: Sequence[Figures]) -> Figures:
    """Return the mean of each measure over those for whom it is defined."""
    means: Figures = {}
    for measure in HELD_OUT:
        defined = [value for figures in each if (value := figures.get(measure)) is not None]
        means[measure] = float(np.mean(defined)) if defined else None
    return means
