"""Stand-ins for the Qt side of Slicer, on PySide6: `qt`, `ctk`, the `qMRML*` widgets, and Slicer's Python
modules about them.

They are stand-ins, not the real classes: enough to load the .ui files, to build the panel, to press its
buttons, and to look at its picture. MRML is genuine where slicer-core is there (see host.py).
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

_HOW = "pip install -e '.[slicer-test]', and EGL for Qt and VTK"
pytest.importorskip("PySide6.QtWidgets", reason=f"PySide6 cannot be loaded: {_HOW}", exc_type=ImportError)
slicer = pytest.importorskip("slicer", reason=f"slicer-core cannot be loaded: {_HOW}", exc_type=ImportError)
import slicer.util  # noqa: E402, F811
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets  # noqa: E402

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


class QUiLoader(QtUiTools.QUiLoader):
    """Qt's own loader, which knows the stand-ins."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        for each in STAND_INS:
            self.registerCustomWidget(each)


class _Qt(ModuleType):
    """Stands in for Slicer's `qt`, which has all of Qt in one module."""

    QUiLoader = QUiLoader

    def __getattr__(self, name: str) -> Any:
        for part in (QtCore, QtGui, QtWidgets):
            if hasattr(part, name):
                return getattr(part, name)
        raise AttributeError(f"qt has no {name}")


def childWidgetVariables(widget: Any) -> Any:
    """Stand in for `slicer.util.childWidgetVariables`, which asks for PythonQt's `name`."""
    named = {each.objectName(): each for each in widget.findChildren(QtWidgets.QWidget) if each.objectName()}
    return SimpleNamespace(**named)


# Slicer's Python modules that slicer-core does not have


@dataclass(frozen=True)
class WithinRange:
    """Stands in for the annotation of the parameter node wrapper."""

    minimum: float
    maximum: float


def parameterNodeWrapper(wrapped: type) -> type:
    """Stand in for Slicer's decorator: each annotated name is a parameter of a genuine MRML node, as JSON."""

    def property_(name: str, default: Any) -> property:
        def read(self: Any) -> Any:
            text = self.parameterNode.GetParameter(name)
            return json.loads(text) if text else default

        def write(self: Any, value: Any) -> None:
            self.parameterNode.SetParameter(name, json.dumps(value))

        return property(read, write)

    def __init__(self: Any, parameterNode: Any) -> None:
        self.parameterNode = parameterNode

    for name in wrapped.__annotations__:
        setattr(wrapped, name, property_(name, getattr(wrapped, name)))
    wrapped.__init__ = __init__
    return wrapped


class ScriptedLoadableModule:
    """Stands in for Slicer's base class of a module."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    """Stands in for Slicer's base class of a module's widget."""

    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.layout = parent.layout()

    def setup(self) -> None:
        """Slicer puts its developer's section here."""

    def resourcePath(self, name: str) -> str:
        from LongitudinalALLib.Sections.Section import UI_FOLDER

        return (UI_FOLDER.parent / name).as_posix()


class ScriptedLoadableModuleLogic:
    """Stands in for Slicer's base class of a module's logic."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
            node.SetSingletonTag(self.moduleName)
            node.SetModuleName(self.moduleName)
        return node


class ScriptedLoadableModuleTest:
    """Stands in for Slicer's base class of a module's test."""

    def delayDisplay(self, message: str, msec: int = 0) -> None:
        print(message)


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


@contextmanager
def _noErrorDisplay(*_arguments: Any, **_named: Any) -> Any:
    yield


def application() -> Any:
    """Return the Qt application of this process, made at the first call, without a display."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])


def letQtRun() -> None:
    """Have Qt do what is waiting; `QApplication.processEvents` of PySide6 6.12 wears out Python's None."""
    application()
    QtCore.QEventLoop().processEvents()


def install() -> None:
    """Put the stand-ins where Slicer has the real ones; may be called again."""
    application()
    if "qt" in sys.modules:
        return
    sys.modules["qt"] = _Qt("qt")
    ctkClasses = {each.__name__: each for each in STAND_INS if each.__name__.startswith("ctk")}
    sys.modules["ctk"] = _module("ctk", **ctkClasses)
    for each in STAND_INS:
        if each.__name__.startswith("qMRML"):
            setattr(slicer, each.__name__, each)
    bases = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    modules = {
        "i18n": {"tr": lambda text: text, "translate": lambda _context, text: text},
        "parameterNodeWrapper": {"parameterNodeWrapper": parameterNodeWrapper, "WithinRange": WithinRange},
        "ScriptedLoadableModule": {
            **{base.__name__: base for base in bases},
            "__all__": [base.__name__ for base in bases],
        },
    }
    for name, contents in modules.items():
        sys.modules[f"slicer.{name}"] = _module(f"slicer.{name}", **contents)
        setattr(slicer, name, sys.modules[f"slicer.{name}"])
    slicer.util.childWidgetVariables = childWidgetVariables
    slicer.util.mainWindow = lambda: _mainWindow()


_windows: list[Any] = []


def _mainWindow() -> Any:
    if not _windows:
        _windows.append(QtWidgets.QMainWindow())
    return _windows[0]


install()
