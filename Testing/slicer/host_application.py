"""Stand-ins for `slicer.app` and its layout manager: small classes over the host's real logics."""

from __future__ import annotations

import tempfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from host import Host


class Application:
    """Stands in for `slicer.app` (qSlicerApplication) as far as code without Qt uses it."""

    applicationName = "LongitudinalAL test host"

    def __init__(self, host: Host) -> None:
        self._host = host
        self._layoutManager = LayoutManager(host)
        self.temporaryPath = tempfile.gettempdir()

    def testingEnabled(self) -> bool:
        """Tell `slicer.util` not to ask anybody."""
        return True

    def applicationLogic(self) -> Any:
        """Return the application logic."""
        return self._host.applicationLogic

    def mrmlScene(self) -> Any:
        """Return the scene."""
        return self._host.scene

    def layoutManager(self) -> LayoutManager:
        """Return the stand-in of the layout manager."""
        return self._layoutManager

    def processEvents(self) -> None:
        """There are no events."""

    def pauseRender(self) -> None:
        """Pass on."""
        self._host.applicationLogic.PauseRender()

    def resumeRender(self) -> None:
        """Pass on."""
        self._host.applicationLogic.ResumeRender()

    def setOverrideCursor(self, _cursor: Any) -> None:
        """There is no cursor."""

    def restoreOverrideCursor(self) -> None:
        """There is no cursor."""


class LayoutManager:
    """Stands in for qSlicerLayoutManager: the real layout logic, and the slice logics of the views."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def layout(self) -> int:
        """Number of the layout shown."""
        return self._host.layoutLogic.GetLayoutNode().GetViewArrangement()

    def layoutLogic(self) -> Any:
        """Return the layout logic."""
        return self._host.layoutLogic

    def setLayout(self, number: int) -> None:
        """Show a layout."""
        self._host.layoutLogic.GetLayoutNode().SetViewArrangement(number)

    def sliceViewNames(self) -> list[str]:
        """Return the singleton tags of all slice views that were ever shown."""
        return [node.GetLayoutName() for node in self._host.sliceNodes()]

    def sliceWidget(self, tag: str) -> SimpleNamespace | None:
        """Return what stands in for a slice widget, or None."""
        node = self._host.sliceNode(tag)
        if node is None:
            return None
        logic = self._host.sliceLogic(tag)
        return SimpleNamespace(sliceLogic=lambda: logic, mrmlSliceNode=lambda: node)

    @property
    def threeDViewCount(self) -> int:
        """There are no 3-D views."""
        return 0

    def resetSliceViews(self) -> None:
        """Fit the volumes into all slice views."""
        self._host.applicationLogic.FitSliceToAll()
