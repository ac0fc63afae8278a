"""4 Learning, pressed like a user would: what it sends, and what it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from section_host import Heard, isShown

from LongitudinalALLib.Sections.LearningSection import LearningSection


def test_settings_are_told_once_when_they_change() -> None:
    learning = LearningSection()
    learning.showSettings({"python": "", "brush": 3.0, "spacing": 5.0})
    heard = Heard(learning)
    learning.ui.pythonEdit.editingFinished.emit()  # the focus left it, nothing has changed
    learning.ui.pythonEdit.setText(" /opt/python ")
    learning.ui.pythonEdit.editingFinished.emit()
    learning.ui.pythonEdit.editingFinished.emit()
    learning.ui.brushBox.setValue(4.5)
    learning.ui.brushBox.editingFinished.emit()
    assert heard.take() == [
        ("settingsChanged", {"python": "/opt/python", "brush": 3.0, "spacing": 5.0}),
        ("settingsChanged", {"python": "/opt/python", "brush": 4.5, "spacing": 5.0}),
    ]


def test_a_strategy_is_chosen_by_the_user_only() -> None:
    learning = LearningSection()
    heard = Heard(learning)
    learning.showStrategies(["recipe", "entropy", "random"])
    learning.showStrategy("entropy")
    learning.showStrategies(["random", "entropy"])
    assert learning.ui.strategyBox.currentText() == "entropy"
    assert heard.take() == []
    learning.ui.strategyBox.setCurrentText("random")
    assert heard.take() == [("strategyChosen", "random")]


def test_the_worker_is_cancelled_and_restarted() -> None:
    learning = LearningSection()
    heard = Heard(learning)
    learning.ui.cancelButton.click()
    learning.setBusy(True)
    learning.ui.cancelButton.click()
    assert not isShown(learning.ui.restartButton)
    learning.setRestartable(True)
    learning.ui.restartButton.click()
    assert heard.take() == [("cancelRequested",), ("restartRequested",)]


def test_the_curve_is_drawn_in_slicers_own_plot_and_leaves_no_nodes(host: Any) -> None:
    from picture_panel import rounds

    from LongitudinalALLib.LearningCurve import LearningCurve

    before = host.scene.GetNumberOfNodes()
    curve = LearningCurve(host.scene)
    learning = LearningSection(curve)
    assert isShown(learning.ui.noCurveLabel)
    learning.showCurve(rounds())
    learning.showCurve(rounds())
    assert isShown(learning.ui.plotFrame)
    assert curve.widget.points() == [(7.0, 0.21), (14.0, 0.38), (21.0, 0.47), (28.0, 0.55), (35.0, 0.61)]
    assert host.scene.GetNumberOfNodes() == before + 6
    learning.showCurve([])
    assert host.scene.GetNumberOfNodes() == before
    learning.showCurve([replace(each, dice=None) for each in rounds()])  # too few patients for a check
    assert not isShown(learning.ui.plotFrame)
    assert host.scene.GetNumberOfNodes() == before
    learning.showCurve(rounds())
    host.scene.Clear(0)  # the user closes the scene
    learning.showCurve(rounds())
    learning.cleanup()
    assert not slicerPlots(host.scene)


def slicerPlots(scene: Any) -> list[str]:
    return [
        scene.GetNthNode(i).GetClassName()
        for i in range(scene.GetNumberOfNodes())
        if "Plot" in scene.GetNthNode(i).GetClassName()
    ]
