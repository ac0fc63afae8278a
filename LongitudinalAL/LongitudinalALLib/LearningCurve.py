"""The learning curve in Slicer's own plot view: cross-validated Dice over the number of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

COLUMNS = ("Labels", "Dice", "from", "to")
SERIES = (("Dice", 0.13, 0.46, 0.68, 2.5), ("from", 0.6, 0.7, 0.8, 1.0), ("to", 0.6, 0.7, 0.8, 1.0))
"""Column that is plotted, its colour, and the width of its line."""


class LearningCurve:
    """A plot widget with its own nodes, which are removed with it.

    Contract: Slicer `Libs/MRML/Widgets/qMRMLPlotWidget.h` (`setMRMLScene`, `setMRMLPlotViewNode`),
    `Libs/MRML/Core/vtkMRMLPlotSeriesNode.h`, `vtkMRMLPlotChartNode.h`, `vtkMRMLPlotViewNode.h`.

    Parameters
    ----------
    scene : vtkMRMLScene
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._nodes: list[Any] = []
        self.widget: Any = slicer.qMRMLPlotWidget()
        self.widget.setMRMLScene(scene)

    def show(self, rounds: Sequence[Any]) -> None:
        """Draw the rounds (`RoundFigures`) that have a cross-validated Dice; none: take the nodes away."""
        self._removeNodes()
        measured = [each for each in rounds if each.dice is not None]
        if len(measured) < 2:
            return
        table = self._add("vtkMRMLTableNode", _("Learning curve"))
        _fill(table.GetTable(), measured)
        chart = self._add("vtkMRMLPlotChartNode", _("Learning curve"))
        for column, red, green, blue, width in SERIES:
            chart.AddAndObservePlotSeriesNodeID(
                self._series(table, column, (red, green, blue), width).GetID()
            )
        chart.SetXAxisTitle(_("Labelled slice pairs"))
        chart.SetYAxisTitle(_("Dice, cross-validated by patient"))
        chart.SetLegendVisibility(False)
        view = self._add("vtkMRMLPlotViewNode", _("Learning curve"))
        view.SetPlotChartNodeID(chart.GetID())
        self.widget.setMRMLPlotViewNode(view)
        self.widget.update()

    def cleanup(self) -> None:
        """Delete the widget and remove its nodes."""
        self._removeNodes()
        if self.widget is not None:
            self.widget.setMRMLScene(None)
            self.widget.setParent(None)
            self.widget.deleteLater()
            self.widget = None

    def _series(self, table: Any, column: str, colour: tuple[float, float, float], width: float) -> Any:
        series = self._add("vtkMRMLPlotSeriesNode", column)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(COLUMNS[0])
        series.SetYColumnName(column)
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
        series.SetColor(*colour)
        series.SetLineWidth(width)
        return series

    def _add(self, className: str, name: str) -> Any:
        """Add a node that is neither listed nor saved."""
        node = self._scene.CreateNodeByClass(className)
        node.UnRegister(None)
        node.SetName(name)
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        self._nodes.append(self._scene.AddNode(node))
        return self._nodes[-1]

    def _removeNodes(self) -> None:
        if self.widget is not None:
            self.widget.setMRMLPlotViewNode(None)
        for node in reversed(self._nodes):
            if node.GetScene() is not None:
                self._scene.RemoveNode(node)
        self._nodes.clear()


def _fill(table: Any, rounds: Sequence[Any]) -> None:
    columns = [vtk.vtkDoubleArray() for _name in COLUMNS]
    for column, name in zip(columns, COLUMNS, strict=True):
        column.SetName(name)
    for each in rounds:
        low = each.dice if each.dice_low is None else each.dice_low
        high = each.dice if each.dice_high is None else each.dice_high
        for column, value in zip(columns, (each.labels, each.dice, low, high), strict=True):
            column.InsertNextValue(value)
    for column in columns:
        table.AddColumn(column)
