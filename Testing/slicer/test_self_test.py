"""The module's self test on the host: genuine scene, genuine worker, sections without widgets."""

from __future__ import annotations

import importlib.util
import unittest
from pathlib import Path

import pytest
from logic_host import PlainWiring, engine, engineEnvironment

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.worker_client import WorkerClient


def startWorker(folder, strategy):
    worker = WorkerClient(folder, engine(), strategy=strategy, environment=engineEnvironment())
    worker.start()
    return worker


@pytest.mark.skipif(
    importlib.util.find_spec("PySide6") is not None, reason="the panel goes the same way, with PySide6"
)
def test_the_whole_way_with_the_real_worker(host, tmp_path):
    from LongitudinalALLib.SelfTest import SelfTest

    engine()
    steps = []
    wiring = PlainWiring(startWorker)
    layout = host.layoutLogic.GetLayoutNode().GetViewArrangement()
    try:
        SelfTest(steps.append, wiring, tmp_path).run()
    finally:
        wiring.cleanup()
    assert steps[0].startswith("A project") and steps[-1] == "Closing"
    assert len(steps) == 9
    assert host.layoutLogic.GetLayoutNode().GetViewArrangement() == layout


def test_without_torch_the_first_part_runs_and_the_rest_is_skipped_in_words(host, tmp_path):
    from LongitudinalALLib.SelfTest import SelfTest

    def none(folder, strategy):
        raise NotReady("torch is missing")

    for turn in ("one", "two"):  # Reload & Test works twice in a row
        steps = []
        wiring = PlainWiring(none)
        with pytest.raises(unittest.SkipTest, match="torch is missing"):
            SelfTest(steps.append, wiring, tmp_path / turn).run()
        assert len(steps) == 3
        wiring.cleanup()


def test_a_step_that_fails_says_which_and_closes(host, tmp_path, monkeypatch):
    from LongitudinalALLib import SelfTest as module

    wiring = PlainWiring(lambda folder, strategy: None)
    monkeypatch.setattr(wiring.panel.pairs.addFromSceneRequested, "_receivers", [])
    with pytest.raises((AssertionError, ValueError)):
        module.SelfTest(wiring=wiring, folder=tmp_path).run()
    assert not wiring.study.isOpen
    wiring.cleanup()


def test_the_whole_way_through_the_panel_itself_on_stand_ins(host, tmp_path, monkeypatch):
    """The panel's own widgets and its own QProcess; stand-ins for ctk's and qMRML's widgets."""
    pytest.importorskip("PySide6", reason="PySide6 is not installed: pip install -e '.[slicer-test]'")
    import stand_ins

    from LongitudinalALLib.SelfTest import SelfTest

    monkeypatch.setenv("LONGITUDINALAL_PYTHON", engine())
    steps = []
    SelfTest(steps.append, folder=tmp_path, pump=stand_ins.letQtRun).run()
    assert len(steps) == 9


@pytest.mark.parametrize(
    ("outcome", "status", "words"),
    [
        (None, 0, "OK"),
        (unittest.SkipTest("torch is missing"), 0, "torch is missing"),
        (AssertionError("self test: not true that it is prepared"), 1, "not true that it is prepared"),
        (OSError("the disk is full"), 1, "the disk is full"),
    ],
)
def test_in_the_application_its_exit_status_tells(host, monkeypatch, capsys, outcome, status, words):
    """The script that the application runs, with a self test of one step; that it ends is noted."""
    pytest.importorskip("PySide6", reason="PySide6 is not installed: pip install -e '.[slicer-test]'")
    import runpy

    import slicer.util
    import stand_ins  # noqa: F401

    from LongitudinalALLib import SelfTest as module

    def run(self):
        if outcome is not None:
            raise outcome

    ended = []
    monkeypatch.setattr(module.SelfTest, "run", run)
    monkeypatch.setattr(slicer.util, "exit", ended.append)
    runpy.run_path(str(Path(__file__).with_name("self_test_in_slicer.py")))
    assert ended == [status]
    said = capsys.readouterr()
    assert words in said.out + said.err


def test_reload_and_test_says_what_it_skips_and_does_not_fail(host, monkeypatch, capsys):
    pytest.importorskip("PySide6", reason="PySide6 is not installed: pip install -e '.[slicer-test]'")
    import stand_ins  # noqa: F401

    from LongitudinalAL import LongitudinalALTest
    from LongitudinalALLib import SelfTest as module

    def run(self):
        raise unittest.SkipTest("torch is missing")

    monkeypatch.setattr(module.SelfTest, "run", run)
    for _turn in range(2):
        LongitudinalALTest().runTest()
    assert capsys.readouterr().out.count("torch is missing") == 2
