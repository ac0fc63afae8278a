"""Stand-ins for `ctk*` and `qMRML*` widgets, on PySide6: they can be loaded, pressed, and drawn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

_HOW = "pip install -e '.[slicer-test]', and EGL for Qt and VTK"
pytest.importorskip("PySide6.QtWidgets", reason=f"PySide6 cannot be loaded: {_HOW}", exc_type=ImportError)
slicer = pytest.importorskip("slicer", reason=f"slicer-core cannot be loaded: {_HOW}", exc_type=ImportError)
import slicer.util  # noqa: E402, F811
from PySide6 import QtCore, QtGui, QtWidgets  # noqa: E402

HEADER = 24
"""Pixels of a collapsible button's header."""


class ctkCollapsibleButton(QtWidgets.QWidget):
    """Stands in for ctkCollapsibleButton: a header that folds what is below it."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, HEADER, 0, 0)

    def getText(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        self._text = text
        self.update()

    def isCollapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        self.setMaximumHeight(HEADER if collapsed else 16777215)
        self.update()
        self.contentsCollapsed.emit(collapsed)

    def mousePressEvent(self, event: Any) -> None:
        if event.position().y() < HEADER:
            self.setCollapsed(not self._collapsed)

    def paintEvent(self, _event: Any) -> None:
        painter = QtGui.QPainter(self)
        header = QtCore.QRect(0, 0, self.width(), HEADER - 2)
        painter.fillRect(header, self.palette().button())
        painter.setPen(self.palette().mid().color())
        painter.drawRect(header.adjusted(0, 0, -1, -1))
        painter.setPen(self.palette().buttonText().color())
        arrow = "\u25b8" if self._collapsed else "\u25be"
        painter.drawText(
            header.adjusted(8, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow}  {self._text}"
        )

    text = QtCore.Property(str, getText, setText)
    collapsed = QtCore.Property(bool, isCollapsed, setCollapsed)


class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """Stands in for ctkCollapsibleGroupBox: a group box whose tick unfolds it."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.toggled.connect(lambda isOn: self.setMaximumHeight(16777215 if isOn else HEADER))

    def isCollapsed(self) -> bool:
        return not self.isChecked()

    def setCollapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = QtCore.Property(bool, isCollapsed, setCollapsed)


class qMRMLNodeComboBox(QtWidgets.QComboBox):
    """Stands in for qMRMLNodeComboBox: lists the nodes of a scene by class."""

    currentNodeChanged = QtCore.Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._types: list[str] = []
        self._scene: Any = None
        self.setEnabled(False)
        self.addItem("None", "")

    def getNodeTypes(self) -> list[str]:
        return self._types

    def setNodeTypes(self, types: list[str]) -> None:
        self._types = list(types)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.setEnabled(scene is not None)
        self.refresh()

    def refresh(self) -> None:
        """List the nodes anew; the real one does it by itself."""
        self.clear()
        self.addItem("None", "")
        for kind in self._types if self._scene is not None else []:
            for node in slicer.util.getNodesByClass(kind, self._scene):
                self.addItem(node.GetName(), node.GetID())

    def getCurrentNodeID(self) -> str:
        return str(self.currentData() or "")

    def setCurrentNodeID(self, id_: str) -> None:
        self.refresh()
        self.setCurrentIndex(max(self.findData(id_), 0))
        self.currentNodeChanged.emit(self._scene.GetNodeByID(id_) if self._scene and id_ else None)

    def _yes(self) -> bool:
        return True

    def _ignore(self, _value: bool) -> None:
        return

    nodeTypes = QtCore.Property("QStringList", getNodeTypes, setNodeTypes)
    currentNodeID = QtCore.Property(str, getCurrentNodeID, setCurrentNodeID)
    addEnabled = QtCore.Property(bool, _yes, _ignore)
    removeEnabled = QtCore.Property(bool, _yes, _ignore)
    noneEnabled = QtCore.Property(bool, _yes, _ignore)


class qMRMLSegmentEditorWidget(QtWidgets.QLabel):
    """Stands in for qMRMLSegmentEditorWidget: writes down what it is told, in order."""

    alive = 0

    def __init__(self, parent: Any = None) -> None:
        super().__init__("Segment Editor (stand-in)", parent)
        self.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        self.setFrameShape(QtWidgets.QFrame.Shape.Box)
        self.setMinimumHeight(150)
        self.calls: list[tuple[Any, ...]] = []
        self.effect = SimpleNamespace(parameters={})
        self.effect.setCommonParameter = self.effect.parameters.__setitem__

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("set", "install", "uninstall", "remove")):
            return lambda *values: self.calls.append((name, *values))
        raise AttributeError(name)

    def activeEffect(self) -> Any:
        active = [call for call in self.calls if call[0] == "setActiveEffectByName"]
        return self.effect if active and active[-1][1] else None

    def told(self) -> list[str]:
        """Return the names of what it was told."""
        return [call[0] for call in self.calls]


class qMRMLPlotWidget(QtWidgets.QFrame):
    """Stands in for qMRMLPlotWidget: draws the first series of the chart of its view node."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QtWidgets.QFrame.Shape.Box)
        self._scene = self._viewNode = None

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene

    def setMRMLPlotViewNode(self, node: Any) -> None:
        self._viewNode = node

    def points(self) -> list[tuple[float, float]]:
        """Return the points that are plotted."""
        chart = self._viewNode.GetPlotChartNode() if self._viewNode else None
        series = chart.GetNthPlotSeriesNode(0) if chart else None
        table = series.GetTableNode().GetTable() if series else None
        if table is None:
            return []
        x, y = (table.GetColumnByName(name()) for name in (series.GetXColumnName, series.GetYColumnName))
        return [(x.GetValue(i), y.GetValue(i)) for i in range(table.GetNumberOfRows())]

    def paintEvent(self, event: Any) -> None:
        super().paintEvent(event)
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect().adjusted(1, 1, -1, -1), QtGui.QColor("white"))
        points = self.points()
        painter.drawText(8, 16, "Plot view (stand-in)")
        if len(points) < 2:
            return
        left, right = points[0][0], points[-1][0]
        width, height = self.width() - 40, self.height() - 50
        at = [
            QtCore.QPointF(20 + width * (x - left) / (right - left), 30 + height * (1 - y)) for x, y in points
        ]
        painter.setPen(QtGui.QPen(QtGui.QColor("#2176ae"), 2))
        painter.drawPolyline(at)
        for point in at:
            painter.drawEllipse(point, 3, 3)


STAND_INS = (
    ctkCollapsibleButton,
    ctkCollapsibleGroupBox,
    qMRMLNodeComboBox,
    qMRMLSegmentEditorWidget,
    qMRMLPlotWidget,
)
