from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from logic_host import PlainSection, ScriptedWorker

from longitudinal_al.errors import NotReady, StorageFailed
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.records import Round, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Verb


class Settings:
    def __init__(self, **values):
        self.values = {
            "project": "",
            "python": "",
            "annotator": "Anna",
            "strategy": "",
            "brush": 3.0,
            "spacing": 5.0,
            **values,
        }

    def value(self, name):
        return self.values[name]

    def setValue(self, name, value):
        self.values[name] = value

    def all(self):
        return dict(self.values)


class Requirements:
    def __init__(self):
        self.lacking = "torch is missing, 2 GB"
        self.problem = ""

    def missing(self):
        return self.lacking

    def install(self, line, finished):
        line("Collecting torch")
        if not self.problem:
            self.lacking = None
        finished(self.problem)


@pytest.fixture
def desk():
    pytest.importorskip("slicer")
    from LongitudinalALLib.Logic.LearningLogic import LearningLogic
    from LongitudinalALLib.Logic.ProjectLogic import ProjectLogic
    from LongitudinalALLib.Logic.Study import Study

    made = SimpleNamespace(workers=[], problem="", settings=Settings(), requirements=Requirements())

    def start(folder, strategy):
        if made.problem:
            raise NotReady(made.problem)
        made.workers.append(ScriptedWorker())
        made.workers[-1].strategy = strategy
        return made.workers[-1]

    made.study = Study(start)
    made.section, made.learning = PlainSection("project"), PlainSection("learning")
    made.logic = ProjectLogic(made.section, made.study, made.settings, made.requirements)
    made.learningLogic = LearningLogic(made.learning, made.study, made.settings)
    yield made
    made.study.close()


def test_a_project_is_made_kept_in_mind_and_opened_again(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "prøve"))
    folder = str((tmp_path / "prøve").resolve())
    assert desk.section.last("showProject") == folder
    assert desk.section.last("showStanding") == "0 pairs, 0 slice pairs, 0 labelled, no model yet"
    assert desk.settings.values["project"] == folder
    desk.study.close()
    assert desk.section.last("showProject") == ""
    assert desk.workers[0].isClosed
    desk.logic.begin()
    assert desk.section.last("showProject") == folder


def test_a_folder_that_is_gone_is_not_opened_again(desk, tmp_path):
    desk.settings.values["project"] = str(tmp_path / "gone")
    desk.logic.begin()
    assert not desk.study.isOpen
    assert desk.section.last("showError") is None


def test_a_folder_that_cannot_be_reached_is_said(desk, monkeypatch):
    def isDir(path):
        raise OSError(errno.EACCES, "The user name or password is incorrect", str(path))

    monkeypatch.setattr(Path, "is_dir", isDir)
    desk.settings.values["project"] = "//server/study"
    desk.logic.begin()
    assert not desk.study.isOpen
    assert desk.section.last("showMissingPackages")
    said = desk.section.last("showError")
    assert "study cannot be reached (The user name or password is incorrect)" in said
    assert "sign in" in said


def test_no_project_in_a_folder_is_said_and_the_open_one_stays(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    desk.section.openRequested.emit(str(tmp_path))
    assert "no project" in desk.section.last("showError")
    assert desk.study.project.folder == (tmp_path / "one").resolve()
    assert not desk.workers[0].isClosed


def test_a_newer_project_is_left_alone(desk, tmp_path):
    import sqlite3

    Project.create(tmp_path / "new").close()
    with sqlite3.connect(tmp_path / "new" / "project.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    desk.section.openRequested.emit(str(tmp_path / "new"))
    assert "newer version" in desk.section.last("showError")
    assert not desk.study.isOpen


def test_the_standing_names_model_and_measure(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    figures = {"cv_dice": 0.611, "cv_dice_low": 0.53, "cv_dice_high": 0.69, "cv_patients": 4}
    now = utc_now()
    desk.study.project.add_round(Round(1, None, 0, 20, now - timedelta(seconds=9), now, None, figures))
    desk.workers[0].events.append(Event(EventKind.ROUND, None, {"number": 1, "figures": {}}))
    desk.study.tick()
    said = desk.section.last("showStanding")
    assert said.endswith("Dice 0.61 (0.53 to 0.69)")
    assert f"model of {now.astimezone():%H:%M}" in said
    figures |= {"cv_f1": 0.55, "cv_f1_low": 0.4, "cv_f1_high": 0.7}
    desk.study.project.add_round(Round(2, None, 0, 30, now - timedelta(seconds=9), now, None, figures))
    desk.logic.refresh()
    assert desk.section.last("showStanding").endswith("F1 0.55 (0.40 to 0.70)")
    assert [each.number for each in desk.learning.last("showCurve")] == [1]
    assert desk.learning.last("showAdvice")


def test_missing_packages_are_said_and_installed_on_a_click(desk, tmp_path):
    desk.problem = "torch is missing"
    desk.section.createRequested.emit(str(tmp_path / "one"))
    assert desk.section.last("showError") == "torch is missing"
    assert desk.study.worker is None
    desk.logic.begin()
    assert "2 GB" in desk.section.last("showMissingPackages")
    desk.problem = ""
    desk.section.installRequested.emit()
    assert desk.section.shown["showInstallLine"] == ["Collecting torch"]
    assert desk.section.last("showMissingPackages") is None
    assert desk.study.worker is desk.workers[-1]


def test_an_installation_that_failed_is_said(desk, tmp_path):
    desk.requirements.problem = "no network"
    desk.section.installRequested.emit()
    assert desk.section.last("showError") == "no network"
    assert desk.section.last("showMissingPackages")
    assert desk.section.last("setInstalling") is False


def test_a_trouble_is_said_once_and_labelling_goes_on(desk, tmp_path, monkeypatch):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    before = len(desk.section.shown["showError"])

    def gone():
        raise StorageFailed("the folder is gone: bring it back")

    monkeypatch.setattr(desk.study.session, "poll", gone)
    for _ in range(5):
        desk.study.tick()
    assert desk.section.shown["showError"][before:] == ["the folder is gone: bring it back"]
    assert desk.study.isOpen


def test_the_worker_s_state_is_said_and_a_crash_can_be_mended(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    desk.workers[0].doing = "Training on all labels."
    desk.study.tick()
    assert desk.learning.last("showState") == "Training on all labels."
    assert desk.learning.last("setBusy") is True
    desk.workers[0].state, desk.workers[0].is_gone = WorkerState.CRASHED, True
    desk.workers[0].events.append(Event(EventKind.CRASHED, None, {"message": "killed by the system"}))
    desk.study.tick()
    assert desk.section.last("showError") == "killed by the system"
    assert "restart" in desk.learning.last("showState")
    assert desk.learning.last("setRestartable") is True
    desk.learning.restartRequested.emit()
    assert len(desk.workers) == 2
    desk.study.tick()
    assert desk.learning.last("setRestartable") is False


def test_another_strategy_means_another_worker(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    desk.learning.strategyChosen.emit("entropy")
    desk.study.tick()
    assert [worker.strategy for worker in desk.workers] == [None, "entropy"]
    desk.learning.strategyChosen.emit("entropy")
    desk.study.tick()
    assert len(desk.workers) == 2
    assert desk.settings.values["strategy"] == "entropy"  # and tomorrow, too


def test_settings_are_kept_and_those_that_a_worker_begins_with_mean_another_one(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    desk.learning.settingsChanged.emit({**desk.settings.all(), "brush": 5.0})
    assert len(desk.workers) == 1
    assert desk.settings.values["brush"] == 5.0
    for number, changed in enumerate(({"python": "/opt/python"}, {"spacing": 8.0}), start=2):
        desk.learning.settingsChanged.emit({**desk.settings.all(), **changed})
        desk.study.tick()
        assert len(desk.workers) == number


def test_who_labels_is_known_from_the_first_label_on_and_can_change(desk, tmp_path):
    assert desk.section.last("showAnnotator") == "Anna"
    desk.section.createRequested.emit(str(tmp_path / "one"))
    assert desk.study.annotator == "Anna"
    desk.section.annotatorNamed.emit("Ben")
    assert desk.study.annotator == "Ben"
    assert desk.settings.values["annotator"] == "Ben"
    assert len(desk.workers) == 1  # the worker need not know


def test_cancel_calls_everything_off(desk, tmp_path):
    desk.section.createRequested.emit(str(tmp_path / "one"))
    desk.learning.cancelRequested.emit()
    assert desk.workers[0].newest(Verb.CANCEL)[1] == {}


def test_the_strategies_are_the_engine_s_and_the_worker_s_own_comes_first(desk):
    import json
    import re
    import subprocess

    from logic_host import ROOT, engine, engineEnvironment

    from LongitudinalALLib.Logic.LearningLogic import STRATEGIES

    words = [engine(), "-m", "longitudinal_al", "strategies", "--json"]
    done = subprocess.run(words, capture_output=True, env=engineEnvironment(), check=True)
    usable = {each["name"] for each in json.loads(done.stdout) if "simulations only" not in each["needs"]}
    assert set(STRATEGIES) <= usable
    worker = (ROOT / "LongitudinalAL" / "longitudinal_al" / "cli" / "worker.py").read_text(encoding="utf-8")
    assert STRATEGIES[0] == re.search(r'STRATEGY = "(\w+)"', worker).group(1)
    assert desk.learning.last("showStrategies") == STRATEGIES
