"""What all sections have in common: signals, and the setters that they promise."""

from __future__ import annotations

import re
from typing import Any

import pytest
import stand_ins

from LongitudinalALLib.Sections.LabelSection import LabelSection
from LongitudinalALLib.Sections.LearningSection import LearningSection
from LongitudinalALLib.Sections.PairsSection import PairsSection
from LongitudinalALLib.Sections.ProjectSection import ProjectSection
from LongitudinalALLib.Sections.ResultsSection import ResultsSection
from LongitudinalALLib.Signal import Signal


def test_a_signal_tells_in_order_and_counts_its_values() -> None:
    signal, said = Signal("a", "b"), []
    signal.connect(lambda *values: said.append(("first", values)))
    second = lambda *values: said.append(("second", values))  # noqa: E731
    signal.connect(second)
    signal.emit(1, 2)
    signal.disconnect(second)
    signal.disconnect(second)
    signal.emit(3, 4)
    assert said == [("first", (1, 2)), ("second", (1, 2)), ("first", (3, 4))]
    with pytest.raises(TypeError):
        signal.emit(1)


@pytest.mark.parametrize(
    "make", [ProjectSection, PairsSection, LabelSection, LearningSection, ResultsSection]
)
def test_every_signal_and_setter_that_is_promised_is_there(make: Any) -> None:
    section = make()
    promised = (make.__doc__ or "").split("Signals")[1].split("Parameters")[0].split("Attributes")[0]
    names = set(re.findall(r"\b(\w+)\(", promised))
    assert len(names) > 3
    assert not {name for name in names if not hasattr(section, name)}
    section.cleanup()
    section.cleanup()
    stand_ins.letQtRun()
