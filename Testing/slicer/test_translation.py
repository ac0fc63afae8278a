"""Every word that the code shows is handed to translators: `_("...")`, as Slicer's language packs find it."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "LongitudinalAL" / "LongitudinalALLib"
SHOWN = [
    *sorted((LIBRARY / "Sections").glob("*.py")),
    *sorted((LIBRARY / "Logic").glob("*.py")),
    *(LIBRARY / f"{name}.py" for name in ("Panel", "LearningCurve", "Requirements", "SampleScans")),
    *sorted(LIBRARY.glob("Interpreter*.py")),
]
UI = sorted((LIBRARY.parent / "Resources" / "UI").glob("*.ui"))
SENTENCE = re.compile(r"[a-z]{2,} [a-z]")
"""Two words in a row; names of parts, files and signals have none."""
PROGRAM = "\nimport "
"""What another Python is given to run begins so."""
NOT_SHOWN = {
    "Binary labelmap",  # a name of Slicer's
    "earlier labels",  # name of an overlay in the scene
}


def texts(path: Path) -> tuple[list[str], list[str]]:
    """Return the sentences of a file that are marked, and those that are not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    marked, documents = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            marked |= {id(each) for argument in node.args for each in ast.walk(argument)}
        if isinstance(node, ast.Expr):
            documents |= {id(each) for each in ast.walk(node.value) if isinstance(node.value, ast.Constant)}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SENTENCE.search(node.value)
    ]
    hidden = {id(node) for node in found if node.value in NOT_SHOWN or node.value.startswith(PROGRAM)}
    shown = [node for node in found if id(node) not in documents | hidden]
    return [node.value for node in shown if id(node) in marked], [
        node.value for node in shown if id(node) not in marked
    ]


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_every_sentence_is_marked(path: Path) -> None:
    assert texts(path)[1] == []


def test_the_sentences_are_found_at_all() -> None:
    assert sum(len(texts(path)[0]) for path in SHOWN) > 60


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_what_is_marked_is_whole(path: Path) -> None:
    """A translator gets a literal text with named gaps: no f-string, no variable, no gap without a name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            (argument,) = node.args
            assert isinstance(argument, ast.Constant), ast.unparse(node)
            assert "{}" not in argument.value


@pytest.mark.parametrize("path", UI, ids=lambda path: path.stem)
def test_style_sheets_and_classes_of_nodes_are_not_translated(path: Path) -> None:
    for each in ElementTree.parse(path).iter("property"):
        if each.get("name") == "styleSheet":
            assert each[0].get("notr") == "true"
        if each.get("name") == "nodeTypes":
            assert each[0].get("notr") == "true"
