"""Ctrl-C and full disks in real processes: nothing is damaged, and the same command works again."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from longitudinal_al.cli import prepare as prepare_command
from longitudinal_al.cli.ctrl_c import heard
from longitudinal_al.cli.output import Output
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and limits")

CHILD = """
import resource, signal, sys
from longitudinal_al.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore Ctrl-C
limit, quick, *words = sys.argv[1:]
if quick == "quick":
    from longitudinal_al import rounds
    from longitudinal_al.experiments import comparison
    from longitudinal_al.experiments.simulation import SimulationSettings
    from longitudinal_al.network.training import TrainingSettings
    settings = TrainingSettings(steps=4, pretraining=0, batch=4, patch=32)
    rounds.TrainingSettings = lambda: settings
    comparison.SimulationSettings = lambda budget, batch: SimulationSettings(budget, batch, training=settings)
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
print("started", flush=True, file=sys.stderr)
sys.exit(main(words))
"""

LABELLER = """
import sys
from longitudinal_al.cli import main
label = ["label", *sys.argv[1:], "--no-change", "--slice"]
sys.exit(max(main([*label, str(k)]) for k in range(5, 15)))
"""


def start(*words: object, limit: int = 0, quick: bool = False) -> subprocess.Popen[str]:
    """Start a command; a limit on the size of files stands for a full disk."""
    command = [sys.executable, "-c", CHILD, str(limit), "quick" if quick else "", *map(str, words)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # small work, which more threads only slow down
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=alone)
    assert process.stderr.readline() == "started\n"
    return process


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a command; returns its exit status and standard error."""
    _, err = process.communicate(timeout=120)
    return process.returncode, err


def interrupt(seconds: float, *words: object, quick: bool = False, after: str = "") -> int:
    """Run a command and press Ctrl-C some seconds after it said something; returns the exit status."""
    process = start(*words, quick=quick)
    while after and after not in process.stderr.readline():
        assert process.poll() is None, f"ended without saying {after!r}"
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    status, err = finished(process)
    assert status in (0, 130, -signal.SIGINT), err  # the last: it was done, and Python was closing
    assert "Traceback" not in err
    assert ("nothing is damaged, run the same command again" in err) == (status == 130)
    return status


IMPORTING = """
import builtins, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
real = builtins.__import__
def pressed(name, *rest):
    if name == "numpy":
        signal.raise_signal(signal.SIGINT)
    return real(name, *rest)
builtins.__import__ = pressed
from longitudinal_al.cli import main
sys.exit(main(["status", "nowhere"]))
"""


def test_a_ctrl_c_while_libraries_are_read_is_no_traceback() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr == "longitudinal-al: stopped; nothing is damaged, run the same command again\n"


@pytest.mark.usefixtures("ctrl_c_as_on_a_terminal")
def test_prepare_stops_in_the_middle_of_a_pair(
    small_cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads prepare: what they hear of a Ctrl-C is what they are given to ask."""
    asked = []
    monkeypatch.setattr(prepare_command, "prepare_project", lambda project, **how: asked.append(how) or [])
    with Project.create(tmp_path / "p") as project:
        project.add_pairs(read_pairs_table(small_cohort.table))
    prepare_command.run(argparse.Namespace(project=tmp_path / "p", scheduler=None, seed=0), Output(False))
    with heard():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            asked[0]["interrupt"]()


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.25])
def test_light_commands(cli, small_project: Project, small_cohort, tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "new"
    for words in (
        ["create", folder],
        ["add", folder, "--table", small_cohort.table],
        ["status", small_project.folder, "--check"],
        ["label", small_project.folder, "--pair", "p0", "--slice", 9, "--no-change"],
    ):
        interrupt(seconds, *words)
        again = cli(*words)
        assert again.status == 0 or "holds a project already" in again.err
    assert small_project.check() == []
    assert small_project.labelled() == {("p0", 9)}


def test_register_leaves_no_half_a_file(cli, small_cohort, tmp_path: Path) -> None:
    pair, out = small_cohort.folder / "p0", tmp_path / "t.tfm"
    words = ["register", pair / "baseline.nii.gz", pair / "followup.nii.gz", "--transform", out]
    interrupt(0.6, *words)
    assert [file.name for file in tmp_path.iterdir()] in ([], ["t.tfm"])
    cli(*words).done()


def test_synthesize(cli, tmp_path: Path) -> None:
    words = ["synthesize", tmp_path / "cohort", "--patients", 1, "--seed", 2]
    if interrupt(1.5, *words) == 130:
        cli(*words).done()


def test_prepare_goes_on_where_it_was_stopped(cli, small_cohort, tmp_path: Path) -> None:
    cli("create", tmp_path / "p").done()
    cli("add", tmp_path / "p", "--table", small_cohort.table).done()
    interrupt(1.8, "prepare", tmp_path / "p")
    before = cli("status", tmp_path / "p", "--check", "--json").done().json
    assert before["failed_pairs"] == 0
    cli("prepare", tmp_path / "p").done()
    after = cli("status", tmp_path / "p", "--check", "--json").done().json
    assert (after["unprepared_pairs"], after["failed_pairs"]) == (0, 0)
    assert not list((tmp_path / "p").rglob("*.tmp.*"))


def test_train_rank_and_predict(cli, quick: None, small_project: Project, tmp_path: Path) -> None:
    folder = small_project.folder
    label_some(cli, folder)
    assert interrupt(0.1, "train", folder, after="training") == 130
    assert small_project.rounds() == []
    cli("train", folder).done()
    for words in (
        ["rank", folder, "--strategy", "entropy", "--batch", 3],
        ["predict", folder, "--out", tmp_path / "masks"],
    ):
        interrupt(0.4, *words, quick=True)
        assert not list(tmp_path.rglob("*.tmp.*"))
        cli(*words).done()
    assert small_project.check() == []


def test_simulate_and_evaluate(cli, quick: None, small_project: Project, tmp_path: Path) -> None:
    words = ["simulate", small_project.folder, "--strategies", "random", "--budget", "0.1"]
    words += ["--batch", 3, "--seeds", 1, "--out", tmp_path / "trial"]
    interrupt(1.5, *words, quick=True)
    assert not list(tmp_path.rglob("*.tmp.*"))
    cli(*words).done()
    reference = small_project.folder / "pairs" / "p0" / "reference.nii.gz"
    interrupt(0.1, "evaluate", reference, reference)


def test_a_full_disk_while_labelling_and_preparing(
    cli, small_project: Project, small_cohort, tmp_path: Path
) -> None:
    label = ["label", small_project.folder, "--pair", "p0", "--slice", 12, "--from-reference"]
    fresh = tmp_path / "fresh"
    cli("create", fresh).done()
    cli("add", fresh, "--table", small_cohort.table).done()
    for words in (label, ["prepare", fresh]):
        full_disk(*words)
    assert small_project.labels() == []
    cli(*label).done()
    cli("prepare", fresh).done()
    status = cli("status", fresh, "--check", "--json").done().json
    assert (status["failed_pairs"], status["unprepared_pairs"]) == (0, 0)


def test_a_full_disk_while_training(cli, quick: None, small_project: Project) -> None:
    folder = small_project.folder
    label_some(cli, folder)
    full_disk("train", folder, limit=60_000)
    assert small_project.rounds() == []
    assert not list(folder.rglob("*.tmp.*"))
    cli("train", folder).done()
    assert small_project.check() == []


def test_two_processes_label_one_project(small_project: Project) -> None:
    command = [sys.executable, "-c", LABELLER, str(small_project.folder), "--pair"]
    both = [subprocess.Popen([*command, pair], stdout=subprocess.DEVNULL) for pair in ("p0", "p1")]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert small_project.labelled() == {(pair, k) for pair in ("p0", "p1") for k in range(5, 15)}
    assert all(not np.any(label.mask) for label in small_project.labels())


def label_some(cli, folder: Path) -> None:
    for slice_index in range(8, 14):
        cli("label", folder, "--pair", "p0", "--slice", slice_index, "--from-reference").done()


def full_disk(*words: object, limit: int = 8192) -> None:
    status, err = finished(start(*words, limit=limit, quick=True))
    assert status == 1, err
    assert "Traceback" not in err
    assert "disk" in err
    assert "intact" in err or "free some space" in err
