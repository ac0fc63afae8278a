"""Stand-ins for those of Slicer's Python modules that slicer-core does not have; no Qt.

`slicer.i18n` (Slicer `Base/Python/slicer/i18n.py`: `tr(text)`, `translate(context, text)`) gives every text
back as it is; the base classes of a scripted module and the wrapper of parameter nodes do as much as this
module needs.
"""

from __future__ import annotations

import json
import sys
import unittest
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

_HOW = "pip install -e '.[slicer-test]', and EGL for Qt and VTK"
slicer = pytest.importorskip("slicer", reason=f"slicer-core cannot be loaded: {_HOW}", exc_type=ImportError)


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


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Stands in for Slicer's base class of a module's test."""

    def delayDisplay(self, message: str, msec: int = 0) -> None:
        print(message)


def stand_in_module(name: str, **contents: Any) -> ModuleType:
    """Make a module of these contents."""
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def install() -> None:
    """Put the stand-ins where Slicer has the real ones; may be called again."""
    if "slicer.i18n" in sys.modules:
        return
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
        sys.modules[f"slicer.{name}"] = stand_in_module(f"slicer.{name}", **contents)
        setattr(slicer, name, sys.modules[f"slicer.{name}"])


install()
