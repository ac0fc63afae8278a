"""What every section is made of: a .ui file, and an end."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import qt
import slicer

UI_FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "UI"


class Section:
    """The widgets of one .ui file; it shows what it is told, sends what the user wants, and decides nothing.

    Contract: Slicer `Base/Python/slicer/util.py`, `loadUI` and `childWidgetVariables`.

    Attributes
    ----------
    widget : qt.QWidget
        All of it, to be put into a layout.
    ui : object
        Each named widget as an attribute.
    """

    uiFile = ""

    def __init__(self) -> None:
        self.widget: Any = slicer.util.loadUI((UI_FOLDER / self.uiFile).as_posix())
        self.ui: Any = slicer.util.childWidgetVariables(self.widget)

    def cleanup(self) -> None:
        """Delete all of its widgets; it cannot be used any more."""
        if self.widget is not None:
            self.widget.setParent(None)
            self.widget.deleteLater()
        self.widget = self.ui = None


def showText(label: Any, text: str | None) -> None:
    """Show a text on a label, or hide the label where there is none."""
    label.setText(text or "")
    label.setVisible(bool(text))


def fillTable(
    table: Any,
    rows: list[list[str]],
    colours: Mapping[tuple[int, int], str],
    rightColumns: Container[int] = (),
) -> None:
    """Show rows of texts on a table; the chosen row stays chosen, and nobody is told.

    Contract: Qt `QTableWidget`, whose items belong to it after `setItem`.

    Parameters
    ----------
    colours : mapping of (row, column) to str
        Colours of letters.
    rightColumns : container of int
        Columns of numbers, which stand to the right.
    """
    chosen, wasBlocked = table.currentRow(), table.blockSignals(True)
    table.setRowCount(len(rows))
    for i, cells in enumerate(rows):
        for j, text in enumerate(cells):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(text)
            if j in rightColumns:
                item.setTextAlignment(int(qt.Qt.AlignRight | qt.Qt.AlignVCenter))
            if (i, j) in colours:
                item.setForeground(qt.QBrush(qt.QColor(colours[i, j])))
            table.setItem(i, j, item)
    table.resizeColumnsToContents()
    if 0 <= chosen < len(rows):
        table.selectRow(chosen)
    table.blockSignals(wasBlocked)
