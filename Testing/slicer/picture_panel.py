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
    """Show what a project looks like after an hour of work."""
    from LongitudinalALLib.Sections.Rows import ChangeRow, PairRow

    panel.setProjectOpen(True)
    panel.project.showProject("/home/anna/studies/ms-flair")
    panel.project.showStanding(
        "12 pairs, 540 slice pairs, 37 labelled, model of 14:32, F1 0.61 (0.53 to 0.69)"
    )
    panel.project.showAnnotator("Anna")
    rows = [
        PairRow("patient01", "01", "prepared", "good", "similarity 0.94, overlap 0.97", 53, 14),
        PairRow("patient03", "03", "prepared", "look", "the scans overlap by 81 %: look at it", 66, 9),
        PairRow("patient04", "04", "failed", "failed", "the follow-up has one slice only", 0, 0),
        PairRow("patient05", "05", "added"),
    ]
    panel.pairs.showPairs(rows)
    panel.pairs.ui.pairsTable.selectRow(1)
    panel.pairs.ui.checkBox.setCollapsed(False)
    panel.pairs.showProgress("registering patient05", 0.42, 100)
    panel.label.showInHand("patient03", 31, "hybrid, score 0.71")
    panel.label.showReason("Uncertain here, and the largest difference of this patient; 3rd of 12 patients.")
    panel.label.showPaintedSlices([30, 31])
    panel.learning.showState("Learning from 37 labels.")
    panel.learning.setBusy(True)
    panel.learning.showCurve(rounds())
    panel.learning.showAdvice("Go on: predictions over the pool still change (agreement 0.93 and then 0.95).")
    panel.learning.showStrategies(["hybrid", "entropy"])
    panel.learning.ui.advancedBox.setCollapsed(False)
    panel.learning.showPythonVerdict("Python 3.12.4 with torch 2.13.0.", True)
    panel.results.setPair("patient03")
    changes = [
        ChangeRow("patient03", "change", 412.0, (-23.4, 18.0, 41.2), 12.4, "accepted"),
        ChangeRow("patient03", "change", 96.0, (31.0, -44.5, 22.0), 6.1),
        ChangeRow("patient03", "change", 18.0, (12.0, 60.2, 35.0), 3.2, "rejected"),
    ]
    panel.results.showChanges(changes)
    panel.results.ui.changesTable.selectRow(1)


def rounds() -> list[Any]:
    """Return rounds as the engine reports them."""
    from longitudinal_al.frontend.learning import RoundFigures

    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    dice = [0.21, 0.38, 0.47, 0.55, 0.61]
    return [
        RoundFigures(
            i + 1, 8 * (i + 1), now, 60.0, dice=each, dice_low=each - 0.08, dice_high=each + 0.08, patients=6
        )
        for i, each in enumerate(dice)
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
