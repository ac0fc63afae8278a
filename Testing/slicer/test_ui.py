"""The .ui files: each loads, and has every widget that the code names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import stand_ins
from PySide6 import QtCore, QtWidgets

from LongitudinalALLib.Sections import LabelSection as label
from LongitudinalALLib.Sections import LearningSection as learning
from LongitudinalALLib.Sections import PairsSection as pairs
from LongitudinalALLib.Sections.Section import UI_FOLDER

SECTIONS = Path(pairs.__file__).parent
FILES = sorted(UI_FOLDER.glob("*.ui"))
BY_DICT = {
    "LabelSection": set(label.OVERLAYS.values()),
    "LearningSection": set(learning.SETTINGS.values()),
    "PairsSection": {*pairs.CHECK_VIEWS.values(), *pairs.VERDICTS.values()},
}
"""Names of widgets that the code has in a dict."""


def named(path: Path) -> list[str]:
    return [widget.get("name", "") for widget in ElementTree.parse(path).iter("widget")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_loads_with_all_its_widgets(path: Path) -> None:
    file = QtCore.QFile(str(path))
    assert file.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    widget = stand_ins.QUiLoader().load(file)
    found = {each.objectName() for each in widget.findChildren(QtWidgets.QWidget)} | {widget.objectName()}
    names = named(path)
    assert set(names) <= found
    assert len(names) == len(set(names))
    customs = {each.findtext("class") for each in ElementTree.parse(path).iter("customwidget")}
    assert customs <= {each.__name__ for each in stand_ins.STAND_INS}


def test_every_section_has_its_file_and_every_file_its_section() -> None:
    assert [path.stem for path in FILES] == sorted(path.stem for path in SECTIONS.glob("?*Section.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_name_that_the_code_uses_is_in_the_file(path: Path) -> None:
    code = (SECTIONS / f"{path.stem}.py").read_text(encoding="utf-8")
    used = set(re.findall(r"\bui\.(\w+)", code)) | BY_DICT.get(path.stem, set())
    assert used <= set(named(path))
    assert len(used) > 5


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_button_is_used(path: Path) -> None:
    code = (SECTIONS / f"{path.stem}.py").read_text(encoding="utf-8")
    buttons = {
        widget.get("name", "")
        for widget in ElementTree.parse(path).iter("widget")
        if widget.get("class") == "QPushButton"
    }
    assert not {name for name in buttons if name not in code}


def test_every_key_has_its_button_and_says_so() -> None:
    from LongitudinalALLib.Keys import LABEL_KEYS

    tips = {
        widget.get("name"): "".join(widget.itertext())
        for widget in ElementTree.parse(UI_FOLDER / "LabelSection.ui").iter("widget")
        if widget.get("class") == "QPushButton"
    }
    for key, button in LABEL_KEYS.items():
        assert key.startswith("Ctrl+")
        assert key in tips[button], f"the tip of {button} does not name {key}"
