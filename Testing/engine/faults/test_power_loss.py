"""Power loss at every call that writes: what was acknowledged is there, and the project opens.

A process that works on a project is watched by a preloaded library (disk.c), which logs every call that
changes a file. The log is replayed call by call on a model of a disk that promises no more than POSIX does:
what was not fsynced may be lost, in whole or in part, and in any order; a name in a folder (a new file, a new
folder, a rename, a removal) lasts only once that folder was fsynced.
"""

from __future__ import annotations

import random
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.store import Project

ACKNOWLEDGED = "acknowledged"  # a file that the child writes to; it stands outside of the model
SECTOR = 512


@dataclass(frozen=True)
class Call:
    """One call that changed something, or made it durable (see disk.c)."""

    kind: str
    path: str
    other: str
    offset: int
    data: bytes


def read_log(path: Path) -> list[Call]:
    content, at, calls = path.read_bytes(), 0, []
    while at < len(content):
        kind = chr(content[at])
        sizes = struct.unpack_from("<4Q", content, at + 1)
        at += 33
        name, other, data = (content[at + sum(lengths) : at + sum(lengths) + size] for lengths, size in (
            ((), sizes[0]), ((sizes[0],), sizes[1]), ((sizes[0], sizes[1]), sizes[3])))  # fmt: skip
        at += sizes[0] + sizes[1] + sizes[3]
        calls.append(Call(kind, name.decode(), other.decode(), sizes[2], data))
    return calls


@dataclass
class File:
    """A file's content as it surely is on the disk, and what was written since."""

    durable: bytes = b""
    pending: list[Call] = field(default_factory=list)

    def after_loss(self, chance: random.Random | None, keep_all: bool) -> bytes:
        content = bytearray(self.durable)
        for call in self.pending:
            if not keep_all and (chance is None or chance.random() < 0.5):
                continue
            if call.kind == "t":
                content[call.offset :] = bytes(max(0, call.offset - len(content)))
                continue
            data = call.data
            if not keep_all and chance is not None:  # torn: only some sectors of it arrived
                data = data[: SECTOR * chance.randint(0, len(data) // SECTOR + 1)]
            if len(content) < call.offset:
                content.extend(bytes(call.offset - len(content)))
            content[call.offset : call.offset + len(data)] = data
        return bytes(content)


@dataclass
class Folder:
    """A folder's entries as they surely are on the disk, and all changes since, in their order."""

    durable: dict[str, File | Folder] = field(default_factory=dict)
    pending: list[tuple[str, File | Folder | None]] = field(default_factory=list)

    def now(self, changes: int | None = None) -> dict[str, File | Folder]:
        entries = dict(self.durable)
        for name, node in self.pending[:changes]:
            if node is None:
                entries.pop(name, None)
            else:
                entries[name] = node
        return entries


class Disk:
    """What a disk may hold after power is lost at this moment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = folder_from(root)

    def _find(self, path: str) -> tuple[Folder, str]:
        *parents, name = Path(path).relative_to(self.root).parts
        folder = self.top
        for each in parents:
            folder = folder.now()[each]
        return folder, name

    def apply(self, call: Call) -> None:
        if call.kind == "d":
            self._sync_folder(call.path)
            return
        folder, name = self._find(call.path)
        node = folder.now().get(name)
        if call.kind in "cm":
            folder.pending.append((name, File() if call.kind == "c" else Folder()))
        elif call.kind == "u":
            folder.pending.append((name, None))
        elif call.kind == "r":
            target, new_name = self._find(call.other)
            assert target is folder, "a rename within one folder is one change of it"
            folder.pending += [(new_name, node), (name, None)]
        elif call.kind == "s":
            node.durable, node.pending = call.data, []
        else:
            assert call.kind in "wt", call
            node.pending.append(call)

    def _sync_folder(self, path: str) -> None:
        folder = self.top
        for name in Path(path).relative_to(self.root).parts:
            folder = folder.now()[name]
        folder.durable, folder.pending = folder.now(), []

    def lose_power(self, target: Path, chance: random.Random | None = None, keep_all: bool = False) -> None:
        """Write what may be there afterwards: nothing that is not sure, everything, or a part by chance."""
        write_folder(self.top, target, chance, keep_all)


def folder_from(path: Path) -> Folder:
    nodes = (
        (each.name, folder_from(each) if each.is_dir() else File(each.read_bytes()))
        for each in path.iterdir()
    )
    return Folder(dict(nodes))


def write_folder(folder: Folder, target: Path, chance: random.Random | None, keep_all: bool) -> None:
    target.mkdir()
    count = len(folder.pending)
    changes = count if keep_all else chance.randint(0, count) if chance else 0
    for name, node in folder.now(changes).items():
        if isinstance(node, Folder):
            write_folder(node, target / name, chance, keep_all)
        else:
            (target / name).write_bytes(node.after_loss(chance, keep_all))


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory where there is one: hundreds of states are written and read."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="lost-", dir=memory if memory.is_dir() else tmp_path))
    yield place
    shutil.rmtree(place)


@pytest.fixture
def replay(start, disk: str, tmp_path: Path, fast: Path, times) -> Callable[..., int]:
    """Return a function that runs code, and looks at what is there after each possible power loss."""

    def run(code: str, root: Path, check: Callable[[Path, list[str]], None], *words: object) -> int:
        model = Disk(root)
        log = tmp_path / "calls"
        child = start(code, root, *words, LD_PRELOAD=disk, DISK_ROOT=str(root), DISK_LOG=str(log))
        _, errors = child.communicate(timeout=300)
        assert child.returncode == 0, errors
        acknowledged: list[str] = []
        tried = 0
        for number, call in enumerate(read_log(log)):
            if Path(call.path).name == ACKNOWLEDGED:
                acknowledged += call.data.decode().split() if call.kind == "w" else []
            else:
                model.apply(call)
            losses = [{}, {"keep_all": True}]
            losses += [{"chance": random.Random(1000 * number + k)} for k in range(times(2, 12))]
            for loss in losses:
                state = fast / "state"
                model.lose_power(state, **loss)
                try:
                    check(state, acknowledged)
                except BaseException:
                    print(f"power lost after call {number} ({call.kind} {call.path}), {loss}")
                    raise
                shutil.rmtree(state)
                tried += 1
        assert acknowledged
        return tried

    return run


NOTE = """
root = Path(sys.argv[1])
notes = os.open(root / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def acknowledge(word):
    os.write(notes, f"{word}\\n".encode())
"""
LABELLER = (
    NOTE
    + """
for k in range(int(sys.argv[2])):
    with Project.open(root / "project") as project:
        for number in range(4 * k, 4 * k + 4):
            project.save_label(label(number))
            acknowledge(number)
"""
)
CREATOR = (
    NOTE
    + """
with Project.create(root / "made" / "here") as project:
    acknowledge("created")
    project.add_pairs([Pair("p", "P", root / "1", root / "2")])
    for number in range(3):
        project.save_label(label(number))
        acknowledge(number)
"""
)
WRITER = (
    NOTE
    + """
import zlib
from longitudinal_al.project.files import write_atomically
from longitudinal_al.project.ranking_file import write_ranking
from longitudinal_al.project.records import Round
with Project.open(root / "project") as project:
    for number in range(1, 4):
        path = project.folder / "models" / f"round-{number:03d}.safetensors"
        content = np.random.default_rng(number).bytes(30_000)  # as checkpoints are written, without torch
        write_atomically(path, lambda temporary: temporary.write_bytes(
            zlib.crc32(content).to_bytes(4, "big") + content))
        project.add_round(Round(number, None, 0, 1, utc_now(), utc_now(), path))
        acknowledge(f"round{number}")
        entries = [{"pair": "p", "slice": k, "score": float(number)} for k in range(200)]
        write_ranking(project.folder, "difference", number, entries)
        acknowledge(f"ranking{number}")
        project.add_round_figures(number, {"dice": number})
        acknowledge(f"figures{number}")
"""
)


def numbers_of(words: list[str]) -> set[int]:
    return {int(word) for word in words if word.isdigit()}


def test_every_acknowledged_label_is_there(
    replay, folder: Path, tmp_path: Path, numbers_saved, times
) -> None:
    (tmp_path / "root").mkdir()
    shutil.move(folder, tmp_path / "root" / "project")

    def check(state: Path, acknowledged: list[str]) -> None:
        saved = numbers_saved(state / "project")
        expected = numbers_of(acknowledged)
        assert expected <= saved
        assert len(saved) <= len(expected) + 1  # the one that was being saved

    tried = replay(LABELLER, tmp_path / "root", check, times(3, 8))
    print(f"{tried} power losses while labelling, no acknowledged label lost")


def test_a_label_is_synced_in_the_order_that_no_loss_can_break(
    start, disk: str, folder: Path, tmp_path: Path
) -> None:
    """The journal's pages before its head speaks of them, both before the file, and the head's end at last.

    What a wrong order does is rare: the test above finds it with the counts of `make soak` only.
    """
    root, log = tmp_path / "root", tmp_path / "calls"
    root.mkdir()
    shutil.move(folder, root / "project")
    known = {"LD_PRELOAD": disk, "DISK_ROOT": str(root), "DISK_LOG": str(log)}
    child = start(LABELLER, root, 1, **known)
    assert child.wait(timeout=300) == 0, child.stderr.read()
    synced: list[list[str]] = [[]]
    for call in read_log(log):
        if Path(call.path).name == ACKNOWLEDGED and call.kind == "w":
            synced.append([])
        elif call.kind == "s":
            synced[-1].append(Path(call.path).name)
    journal, file = "project.sqlite-journal", "project.sqlite"
    assert synced == [[journal, journal, file, journal]] * 4 + [[]]


def test_a_new_project_is_there_with_its_labels(replay, tmp_path: Path, numbers_saved) -> None:
    root = tmp_path / "root"
    root.mkdir()

    def check(state: Path, acknowledged: list[str]) -> None:
        place = state / "made" / "here"
        if acknowledged:
            assert numbers_of(acknowledged) <= numbers_saved(place)
        elif (place / "project.sqlite").exists():
            Project.open(place).close()
        else:
            Project.create(place).close()  # what was begun is not in the way

    replay(CREATOR, root, check)


def test_rankings_models_and_rounds_are_whole(replay, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    shutil.move(folder, tmp_path / "root" / "project")

    def check(state: Path, acknowledged: list[str]) -> None:
        with Project.open(state / "project") as project:
            rounds = project.rounds()
            assert len(rounds) >= sum(word.startswith("round") for word in acknowledged)
            for each in rounds:
                content = each.model.read_bytes()
                assert len(content) == 30_004
                assert zlib.crc32(content[4:]) == int.from_bytes(content[:4], "big")
            figures = sum(word.startswith("figures") for word in acknowledged)
            assert [each.figures["dice"] for each in rounds[:figures]] == list(range(1, figures + 1))
            path = ranking_path(project.folder)
            if path.exists() or any(word.startswith("ranking") for word in acknowledged):
                ranking = read_json(path)
                assert len(ranking["ranking"]) == 200
                assert ranking["seed"] >= sum(word.startswith("ranking") for word in acknowledged)

    replay(WRITER, tmp_path / "root", check)


def test_the_model_of_a_disk_forgets_what_was_not_made_durable(tmp_path: Path) -> None:
    """The tests above would pass on a model that forgets nothing."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "old").write_bytes(b"old")
    model = Disk(root)
    model.apply(Call("w", f"{root}/old", "", 0, b"NEW and longer"))
    model.apply(Call("c", f"{root}/new", "", 0, b""))
    model.apply(Call("s", f"{root}/new", "", 0, b"content"))
    model.lose_power(tmp_path / "1")
    assert {each.name: each.read_bytes() for each in (tmp_path / "1").iterdir()} == {"old": b"old"}
    model.lose_power(tmp_path / "2", keep_all=True)
    assert (tmp_path / "2" / "old").read_bytes() == b"NEW and longer"
    model.apply(Call("d", str(root), "", 0, b""))
    model.apply(Call("r", f"{root}/new", f"{root}/old", 0, b""))
    model.lose_power(tmp_path / "3")
    assert {each.name: each.read_bytes() for each in (tmp_path / "3").iterdir()} == {
        "old": b"old",
        "new": b"content",
    }
