"""Processes of this computer that share work: they end with what uses them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.processes import processes

PATIENCE = 60.0
FOREVER = """
import time
from longitudinal_al.experiments.processes import processes

if __name__ == "__main__":
    with processes(2) as executor:
        found = [executor.submit(time.sleep, 600) for _ in range(4)]
        print("begun", flush=True)
        found[0].result()
"""


def gone(them: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(them, timeout=PATIENCE)[1]


def test_one_is_this_process():
    with processes(1) as executor:
        assert executor is None


def test_a_process_that_is_ended_is_told_in_words():
    with pytest.raises(NotReady, match="fewer --processes"), processes(2) as executor:
        executor.submit(os._exit, 1).result()


def test_an_interruption_ends_them_in_the_middle_of_their_work():
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), processes(2) as executor:
        executor.submit(time.sleep, 600)
        executor.submit(os.getpid).result()
        raise KeyboardInterrupt
    assert time.monotonic() - begun < PATIENCE


def test_they_do_not_outlive_the_process_that_began_them(tmp_path):
    script = tmp_path / "forever.py"
    script.write_text(FOREVER, encoding="utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "begun\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    assert children and gone(children)
