"""The logic of the section Pairs at work: a project, a scripted worker, a section without widgets."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from logic_host import PlainSection, ScriptedWorker, preparedOnce, projectFolder  # noqa: F401


@pytest.fixture
def desk(host, projectFolder):  # noqa: F811
    yield from openDesk(projectFolder)


@pytest.fixture
def empty(host, tmp_path):
    from longitudinal_al.project.store import Project

    Project.create(tmp_path / "empty").close()
    yield from openDesk(tmp_path / "empty")


def openDesk(folder):
    from LongitudinalALLib.Logic.PairsLogic import PairsLogic
    from LongitudinalALLib.Logic.RegistrationLogic import RegistrationLogic
    from LongitudinalALLib.Logic.Study import Study
    from LongitudinalALLib.Scene import Scene

    worker, section, scene = ScriptedWorker(), PlainSection("pairs"), Scene()
    now = SimpleNamespace(time=0.0)
    study = Study(lambda folder, strategy: worker, clock=lambda: now.time)
    study.annotator = "Anna"
    samples = []
    logic = PairsLogic(section, study, scene, lambda: samples)
    registration = RegistrationLogic(section, study, scene, logic)
    study.open(folder)
    yield SimpleNamespace(
        worker=worker,
        section=section,
        scene=scene,
        study=study,
        logic=logic,
        registration=registration,
        now=now,
        samples=samples,
    )
    study.close()
    scene.release()
