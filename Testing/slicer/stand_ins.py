"""Stand-ins for the Qt side of Slicer, on PySide6, put where Slicer has the real ones.

`qt`, `ctk`, the `qMRML*` widgets, and Slicer's Python modules about them.

They are stand-ins, not the real classes: enough to load the .ui files, to build the panel, to press its
buttons, and to look at its picture. MRML is genuine where slicer-core is there (see host.py).
"""

from __future__ import annotations

import os
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer_python
import stand_in_widgets  # these two first: they skip where slicer-core or PySide6 is missing
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

slicer, STAND_INS = stand_in_widgets.slicer, stand_in_widgets.STAND_INS


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
    sys.modules["ctk"] = slicer_python.stand_in_module("ctk", **ctkClasses)
    for each in STAND_INS:
        if each.__name__.startswith("qMRML"):
            setattr(slicer, each.__name__, each)
    slicer.util.childWidgetVariables = childWidgetVariables
    slicer.util.mainWindow = lambda: _mainWindow()


_windows: list[Any] = []


def _mainWindow() -> Any:
    if not _windows:
        _windows.append(QtWidgets.QMainWindow())
    return _windows[0]


install()
