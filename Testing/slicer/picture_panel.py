"""Draws the panel at work, on stand-ins for Slicer's own widgets: `picture_panel.py FOLDER`.

FOLDER gets `panel-stand-in.png`, and of each part `panel-project.png`, `panel-pairs.png` ...
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import stand_ins
from host import Host

PARTS = ("project", "pairs", "label", "learning", "results")
WIDTH = 500
"""Pixels; about what Slicer's module panel has."""


def filled(panel: Any) -> None:
    """Show what a project looks like after an hour of work, in the words that the program has for it."""
    from longitudinal_al.frontend.learning import advise
    from LongitudinalALLib.Sections.Rows import ChangeRow

    panel.setProjectOpen(True)
    panel.project.showProject("/home/anna/studies/ms-flair")
    panel.project.showStanding(
        "12 pairs, 540 slice pairs, 37 labelled, 1 pair to prepare, 1 pair failed, model of 14:32, "
        "F1 0.61 (0.53 to 0.69)"
    )
    panel.project.showAnnotator("Anna")
    panel.pairs.showPairs(pairs())
    panel.pairs.ui.pairsTable.selectRow(2)
    panel.pairs.ui.checkBox.setCollapsed(False)
    panel.pairs.showProgress("patient05", 0.42, 100)
    panel.label.showInHand("patient03", 31, "recipe, score 0.71")
    panel.label.showReason(
        "Patient 03: The model is uncertain here (3rd of 503 slice pairs), and it repeats little of what was "
        "asked; the largest difference of this patient; 12 mm from the nearest labelled slice."
    )
    panel.label.showPaintedSlices([30, 31])
    panel.learning.showState("Preparing the pairs.")
    panel.learning.setBusy(True)
    panel.learning.showCurve(rounds())
    panel.learning.showAdvice(advise(rounds(), 37)[1])
    panel.learning.showStrategies(["recipe", "entropy"])
    panel.learning.ui.advancedBox.setCollapsed(False)
    panel.learning.ui.pythonEdit.setText("/opt/gpu/bin/python")
    panel.learning.showPythonVerdict("Python 3.12.4 with torch 2.13.0.", True)
    panel.results.setPair("patient03")
    changes = [
        ChangeRow("patient03", "change", 412.0, (-23.4, 18.0, 41.2), 12.4, "accepted"),
        ChangeRow("patient03", "change", 96.0, (31.0, -44.5, 22.0), 6.1),
        ChangeRow("patient03", "change", 18.0, (12.0, 60.2, 35.0), 3.2, "rejected"),
    ]
    panel.results.showChanges(changes)
    panel.results.ui.changesTable.selectRow(1)


def pairs() -> list[Any]:
    """Return twelve pairs: one failed, one is not prepared yet."""
    from LongitudinalALLib.Sections.Rows import PairRow

    good = "the brains match (similarity 0.94; searching again moved it by 0.2 mm)"
    doubtful = "the follow-up covers only 81% of the head; changes elsewhere stay unseen"
    labelled = {1: 14, 2: 4, 3: 9, 6: 3, 7: 2, 8: 2, 9: 1, 10: 1, 11: 1, 12: 0}
    rows = {
        k: PairRow(f"patient{k:02d}", f"{k:02d}", "prepared", "good", good, 54, count)
        for k, count in labelled.items()
    }
    rows[3] = PairRow("patient03", "03", "prepared", "look", doubtful, 54, 9)
    hardly = "the two scans hardly overlap: the follow-up covers only 31% of the head"
    rows[4] = PairRow("patient04", "04", "failed", "failed", hardly)
    rows[5] = PairRow("patient05", "05", "added")
    return [rows[k] for k in sorted(rows)]


def rounds() -> list[Any]:
    """Return rounds as the engine reports them."""
    from longitudinal_al.frontend.learning import RoundFigures

    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    measured = ((0.21, None), (0.38, 0.86), (0.47, 0.91), (0.55, 0.93), (0.61, 0.95))
    return [
        RoundFigures(
            k,
            7 * k,
            now,
            60.0,
            patients=9,
            dice=dice,
            dice_low=dice - 0.08,
            dice_high=dice + 0.08,
            agreement=agreement,
        )
        for k, (dice, agreement) in enumerate(measured, start=1)
    ]


def draw(folder: Path) -> None:
    """Draw the panel, and each of its parts, into pictures."""
    from LongitudinalALLib.Panel import Panel

    host = Host()
    panel = Panel(host.scene)
    filled(panel)
    panel.widget.setFixedWidth(WIDTH)
    panel.widget.show()
    stand_ins.letQtRun()
    panel.widget.resize(WIDTH, panel.widget.layout().totalHeightForWidth(WIDTH))
    stand_ins.letQtRun()
    panel.widget.grab().save(str(folder / "panel-stand-in.png"))
    for name in PARTS:
        getattr(panel, name).widget.grab().save(str(folder / f"panel-{name}.png"))
    panel.cleanup()
    host.close()


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
