"""Few patients: how much variety a pool lacks, and what is done about it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from longitudinal_al.pairs.painted_lesions import Painting
from longitudinal_al.pairs.variety import (
    BRIGHTNESS_ALONE,
    ON_BRIGHT,
    fewer_steps,
    missing_variety,
    varied,
)


@pytest.mark.parametrize(
    ("patients", "missing"),
    [(0, 1.0), (1, 1.0), (2, 0.5), (3, 0.5), (4, 0.0), (40, 0.0)],
)
def test_variety_is_counted_in_patients(patients: int, missing: float) -> None:
    assert missing_variety(SimpleNamespace(patients=patients)) == pytest.approx(missing)


def test_where_nothing_is_missing_all_stays_as_it_is() -> None:
    assert varied(Painting(), 0.0) == Painting()
    assert fewer_steps(1500, 0.0) == 1500


def test_a_single_patient_is_painted_more_variously_and_looked_at_less() -> None:
    painting = varied(Painting(), 1.0)
    assert (painting.on_bright, painting.brightness_alone) == (ON_BRIGHT, BRIGHTNESS_ALONE)
    assert varied(Painting(on_bright=0.9), 1.0).on_bright == 0.9
    assert fewer_steps(1500, 1.0) == 500
    assert fewer_steps(1, 1.0) == 1
    assert fewer_steps(0, 1.0) == 0
