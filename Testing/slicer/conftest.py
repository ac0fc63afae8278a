"""Fixtures of the Slicer side's tests: a host with a fresh scene."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def host():
    """A just started application without its windows; skips visibly where slicer-core is missing."""
    from host import Host

    running = Host()
    yield running
    running.close()
