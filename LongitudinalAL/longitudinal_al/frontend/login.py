"""Who is logged in: the name beside a label where no other was given."""

from __future__ import annotations

import getpass


def login_name() -> str:
    """Return the name that the user is logged in with; empty where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such variable, and no such user: containers, Windows
        return ""
