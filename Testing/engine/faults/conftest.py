"""What the fault tests share: real processes, a disk that misbehaves, and how often to try."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from longitudinal_al.project.records import Pair
from longitudinal_al.project.store import Project

SOAK = bool(os.environ.get("LONGITUDINALAL_SOAK"))

Start = Callable[..., "subprocess.Popen[str]"]

PRELUDE = """
import itertools, os, sys
from pathlib import Path
import numpy as np
from longitudinal_al.errors import *
from longitudinal_al.project.records import Label, Pair, utc_now
from longitudinal_al.project.store import Project

def label(number, pair="p"):
    noise = np.random.default_rng(number).integers(0, 2, (64, 64), dtype=np.uint8)
    noise[0, :20] = [(number >> bit) & 1 for bit in range(20)]
    return Label(pair, number, noise, "someone", utc_now(), utc_now())

def acknowledge(number):
    print(number, flush=True)
"""


def number_in(label) -> int:
    """Return the number that `label` of the prelude was made with."""
    return sum(int(bit) << place for place, bit in enumerate(label.mask[0, :20]))


@pytest.fixture(scope="session")
def times() -> Callable[[int, int], int]:
    """Return how often to try: a few times in `make test`, often in `make soak`."""
    return lambda short, soak: soak if SOAK else short


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts Python code (after the prelude) in a process; all end with the test."""
    running: list[subprocess.Popen[str]] = []

    def run(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **environment},
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the library that makes a disk misbehave, to be preloaded (see disk.c)."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs Linux and a C compiler, to stand in for a disk that misbehaves")
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    source = Path(__file__).with_name("disk.c")
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl", "-lpthread"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.skip(f"the C compiler cannot build the stand-in for a disk: {built.stderr[-500:]}")
    return str(library)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a closed project with one pair; its path has non-ASCII letters."""
    for name in ("1", "2"):
        (tmp_path / name).write_text(name)
    with Project.create(tmp_path / "prøject") as project:
        project.add_pairs([Pair("p", "P", tmp_path / "1", tmp_path / "2")])
    return tmp_path / "prøject"


@pytest.fixture
def numbers_saved() -> Callable[[Path], set[int]]:
    """Return a function that opens and checks a project, and returns the numbers of its labels."""

    def read(folder: Path) -> set[int]:
        with Project.open(folder) as project:
            labels = project.labels()
            assert all(each.slice == number_in(each) for each in labels)
            assert [each for each in project.check() if "is missing" not in each] == []
            return {each.slice for each in labels}

    return read
