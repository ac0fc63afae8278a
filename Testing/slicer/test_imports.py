"""What the Slicer side loads, seen from a process of its own."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[2] / "LongitudinalAL"
ALLOWED = {"slicer", "qt", "ctk", "vtk", "vtkmodules", "numpy", "LongitudinalALLib", "longitudinal_al"}
"""Beside the standard library; `vtkmodules` is where vtk's classes are."""
HEAVY_ENGINE = {
    "rounds",
    "evaluation",
    "synthesis",
    "network",
    "acquisition",
    "pairs",
    "imaging",
    "experiments",
    "live",
}


def loadedBy(code: str) -> set[str]:
    """Run code in a fresh Python, on stand-ins, and return the names of the modules that it added."""
    paths = [str(Path(__file__).parent), str(MODULE)]
    script = (
        f"import sys, json\nsys.path[:0] = {paths!r}\nimport stand_ins\nbefore = set(sys.modules)\n{code}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


def foreign(loaded: set[str]) -> set[str]:
    """Return what is neither of the standard library, nor of Slicer, nor the module's own."""
    return {name.split(".")[0] for name in loaded} - ALLOWED - set(sys.stdlib_module_names)


@pytest.fixture(scope="module", autouse=True)
def _needs() -> None:
    pytest.importorskip("stand_ins")


def test_importing_the_module_loads_nothing_of_its_library() -> None:
    loaded = loadedBy("import LongitudinalAL")
    assert "LongitudinalAL" in loaded
    assert not {name for name in loaded if name.split(".")[0] in {"LongitudinalALLib", "longitudinal_al"}}
    assert foreign(loaded) == {"LongitudinalAL"}


def test_slicers_four_classes_reach_nothing_but_the_library() -> None:
    tree = ast.parse((MODULE / "LongitudinalAL.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outer = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert outer == {"slicer", "LongitudinalALLib", "SampleData"}


def test_the_whole_slicer_side_loads_no_torch_and_no_images() -> None:
    names = [
        path.relative_to(MODULE).with_suffix("").as_posix()
        for path in (MODULE / "LongitudinalALLib").rglob("*.py")
    ]
    modules = [name.replace("/", ".").removesuffix(".__init__") for name in names]
    loaded = loadedBy(
        "import importlib\nfor name in " + json.dumps(sorted(modules)) + ": importlib.import_module(name)"
    )
    assert "LongitudinalALLib.Wiring" in loaded
    assert "longitudinal_al.frontend.conversation" in loaded
    assert not foreign(loaded)
    engine = {name.split(".")[1] for name in loaded if name.startswith("longitudinal_al.")}
    assert not engine & HEAVY_ENGINE


def test_nothing_happens_on_import() -> None:
    code = "import subprocess\nsubprocess.Popen = None\nimport LongitudinalAL, LongitudinalALLib.Wiring"
    assert "LongitudinalALLib.Wiring" in loadedBy(code)
