"""How much more varied examples have to be where few patients are known.

The scans of many patients differ in protocol, and show lesions beside lesions. Those of one or two do not: a
network that learns on them takes their contrast for the law, and finds next to nothing in the next patient,
who was scanned another way. With few patients more is made up, and less often looked at: see
docs/decisions/few-patients.md.
"""

from __future__ import annotations

from dataclasses import replace

from longitudinal_al.pairs.painted_lesions import Painting
from longitudinal_al.pairs.pool import Pool

DOUBLINGS = 2
"""From one patient on: with four, nothing has to be added."""
ON_BRIGHT, BRIGHTNESS_ALONE = 0.4, 0.3
"""Shares of the painted changes where a single patient is known, see `Painting`."""
LOOKED_AWAY = 2 / 3
"""Part of the pretraining that is left out where a single patient is known."""


def missing_variety(pool: Pool) -> float:
    """Return how much variety a pool lacks: 1 with one patient, half with two or three, 0 with four."""
    patients = max(pool.patients, 1)
    return max(0.0, 1 - (patients.bit_length() - 1) / DOUBLINGS)


def varied(painting: Painting, missing: float) -> Painting:
    """Return how to paint where so much is missing: also on bright tissue, and in brightness alone."""
    return replace(
        painting,
        on_bright=max(painting.on_bright, ON_BRIGHT * missing),
        brightness_alone=max(painting.brightness_alone, BRIGHTNESS_ALONE * missing),
    )


def fewer_steps(steps: int, missing: float) -> int:
    """Return how long to pretrain where so much is missing; else the few patients are learned by heart."""
    return max(1, round(steps * (1 - LOOKED_AWAY * missing))) if steps else 0
