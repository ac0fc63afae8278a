"""Every error that a user may meet: what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable


class LongitudinalALError(Exception):
    """Base of all errors of the engine; its message is shown to the user as it is."""


class InvalidInput(LongitudinalALError):
    """Something the user gave cannot be used; the message names the file or field."""


class UnreadableImage(InvalidInput):
    """A file is missing, is no image, or holds no usable 3-D scan."""


class GeometryMismatch(InvalidInput):
    """Two images that must share a grid do not."""


class InvalidTable(InvalidInput):
    """A table of pairs lacks a column, repeats a pair, or holds a bad value."""


class UnsafePath(InvalidInput):
    """A path leaves the folder that the user named."""


class UnknownName(InvalidInput):
    """A name that is not in a registry; the message lists the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}: choose one of {', '.join(sorted(known))}")


class RegistrationFailed(LongitudinalALError):
    """No trustworthy transform was found between two scans."""


class ProjectError(LongitudinalALError):
    """The project folder or its file cannot be used as it is."""


class ProjectNotFound(ProjectError):
    """There is no project in the folder."""


class ProjectExists(ProjectError):
    """The folder already holds a project."""


class ProjectTooNew(ProjectError):
    """The project was written by a newer version of the program."""


class ProjectDamaged(ProjectError):
    """The project file fails its integrity check."""


class ProjectBusy(ProjectError):
    """Another process is writing the project."""


class StorageFailed(LongitudinalALError):
    """The disk is full, read-only or gone; what was saved before is intact."""


class NotReady(LongitudinalALError):
    """A step was asked for before the step it needs (prepare, label or train)."""


class OutOfMemory(LongitudinalALError):
    """Not even one slice pair at a time fits into memory."""


class ProtocolError(InvalidInput):
    """A message between front end and worker is not as the protocol says; `id` is that of its request."""

    def __init__(self, message: str, id: str | None = None) -> None:
        super().__init__(message)
        self.id = id


class Cancelled(LongitudinalALError):
    """The work was called off by whoever asked for it; nothing is damaged, what was finished is kept."""


class Interrupted(Cancelled):
    """The work makes room for a request of the user; it can be taken up again later."""
