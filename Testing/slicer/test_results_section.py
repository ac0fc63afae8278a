"""5 Results, pressed like a user would: what it sends, and what it shows."""

from __future__ import annotations

import pytest
from section_host import Heard

from LongitudinalALLib.Sections.ResultsSection import EXPORTS, ResultsSection
from LongitudinalALLib.Sections.Rows import ChangeRow

CHANGES = [
    ChangeRow("p1", "new", 412.4, (-23.4, 18.0, 41.2), 12.44, "accepted"),
    ChangeRow("p1", "gone", 96.0, (31.0, -44.5, 22.0), 6.1),
]


@pytest.fixture
def results() -> ResultsSection:
    section = ResultsSection(ask=lambda _title: "/out")
    section.showChanges(CHANGES)
    return section


def test_changes_are_listed_and_decided(results: ResultsSection) -> None:
    table = results.ui.changesTable
    assert [[table.item(i, j).text() for j in range(6)] for i in range(2)] == [
        ["p1", "new", "412 mm³", "12.4 mm", "-23, 18, 41", "accepted"],
        ["p1", "gone", "96 mm³", "6.1 mm", "31, -44, 22", "open"],
    ]
    heard = Heard(results)
    results.ui.acceptButton.click()
    assert heard.take() == []
    table.selectRow(1)
    for name in ("acceptButton", "correctButton", "rejectButton"):
        getattr(results.ui, name).click()
    assert heard.take() == [
        ("changeChosen", 1),
        ("acceptRequested", 1),
        ("correctRequested", 1),
        ("rejectRequested", 1),
    ]
    results.showChanges(CHANGES[:1])
    assert results.chosenChange() is None or results.chosenChange() == 0


def test_one_pair_or_all_are_predicted(results: ResultsSection) -> None:
    heard = Heard(results)
    results.ui.predictPairButton.click()
    results.ui.predictAllButton.click()
    results.setPair("p1")
    results.ui.predictPairButton.click()
    results.setBusy(True)
    results.ui.predictAllButton.click()
    assert heard.take() == [("predictRequested", None), ("predictRequested", "p1")]


@pytest.mark.parametrize("what", EXPORTS)
def test_everything_can_be_exported(results: ResultsSection, what: str) -> None:
    heard = Heard(results)
    results.ui.exportBox.setCurrentIndex(list(EXPORTS).index(what))
    results.ui.exportButton.click()
    assert heard.take() == [("exportRequested", what, "/out")]
