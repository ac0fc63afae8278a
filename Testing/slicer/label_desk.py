"""A desk to label at: a study, a section without widgets, a genuine scene, and a scripted worker."""

from __future__ import annotations

import pytest
from logic_host import PlainSection, ScriptedWorker, disc, preparedOnce, projectFolder  # noqa: F401


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class PlainEditor:
    """Stands in for the embedded Segment Editor: keeps what it was to edit."""

    def __init__(self):
        self.shown = []
        self.rested = self.forgotten = 0

    def show(self, segmentation, volume, segmentId):
        self.shown.append((segmentation, volume, segmentId))

    def rest(self):
        self.rested += 1

    def forgetUndo(self):
        self.forgotten += 1

    def release(self):
        self.shown.clear()


class Desk:
    """A study with a section, a genuine scene, and a worker that says what it is told to."""

    def __init__(self, folder):
        from LongitudinalALLib.Logic.LabelLogic import LabelLogic
        from LongitudinalALLib.Logic.Study import Study
        from LongitudinalALLib.Scene import Scene

        self.clock = Clock()
        self.worker = ScriptedWorker()
        self.study = Study(lambda folder, strategy: self.worker, clock=self.clock)
        self.study.annotator = "Anna"
        self.section = PlainSection("label")
        self.scene = Scene()
        self.editor = PlainEditor()
        self.logic = LabelLogic(self.section, self.study, self.scene, self.editor)
        self.study.open(folder)

    @property
    def entry(self):
        return self.study.session.in_hand

    @property
    def message(self):
        return self.section.last("showMessage")

    def label(self, at=(60, 60)):
        return disc(self.scene.shownPair.grid.sliceShape, *at)


@pytest.fixture(name="desk")
def _desk(host, projectFolder):  # noqa: F811
    """A desk with a prepared project open."""
    made = Desk(projectFolder)
    yield made
    made.study.close()
    made.scene.release()
