"""Record the conversation in docs/protocol.md: a front end and a worker, on a project of synthetic scans.

    python Testing/benchmarks/record_conversation.py FOLDER

makes a cohort and a project in FOLDER and prints the conversation: `>` is the front end, `<` the worker.
Trainings are shortened. The documentation leaves out most progress events and the middle of long lists.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "longitudinal_al"]
# The real worker, with trainings that are over soon.
WORKER = """
import sys
from longitudinal_al.cli import main, worker
from longitudinal_al.serving import channel
taken = channel.take_pipes()  # before torch is imported, as the command does
worker.take_pipes = lambda: taken
from longitudinal_al.live import loop
from longitudinal_al.network.training import TrainingSettings
quick = TrainingSettings(steps=30, pretraining=0)
settings = loop.LiveSettings(
    first=quick, quick=quick, round=TrainingSettings(steps=60, pretraining=0),
    check=TrainingSettings(steps=20, pretraining=0),
)
loop.LiveSettings = lambda: settings
sys.exit(main(sys.argv[1:]))
"""
Said = dict[str, Any]


def run(*words: object) -> None:
    subprocess.run([*COMMAND, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


class Recorder:
    """A front end that writes down what it says and hears."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, "worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.heard: list[Said] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._changed:
                print("<", line.rstrip(), flush=True)
                self.heard.append(json.loads(line))
                self._changed.notify_all()

    def ask(self, id: str, verb: str, **arguments: object) -> str:
        message = {"id": id, "verb": verb, **({"arguments": arguments} if arguments else {})}
        with self._changed:
            print(">", json.dumps(message), flush=True)
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return id

    def wait(self, wanted: Callable[[Said], bool], after: int = 0) -> None:
        with self._changed:
            self._changed.wait_for(lambda: any(map(wanted, self.heard[after:])))

    def end(self, id: str) -> None:
        self.wait(lambda said: said["id"] == id and said["event"] in ("done", "failed", "cancelled"))

    def thinks(self, event: str, after: int, **holds: object) -> None:
        """Wait for something that was not asked for."""
        self.wait(
            lambda said: (
                said["id"] is None
                and said["event"] == event
                and all(said.get(key) == value for key, value in holds.items())
            ),
            after,
        )


def main() -> None:
    folder = Path(sys.argv[1])
    run("synthesize", folder / "cohort", "--patients", 4, "--seed", 3)
    run("create", folder / "trial")
    run("add", folder / "trial", "--table", folder / "cohort" / "pairs.csv")
    talk = Recorder(folder / "trial")
    talk.wait(lambda said: said["event"] == "ready")
    talk.end(talk.ask("1", "prepare"))
    talk.thinks("ranking", 0)
    talk.thinks("state", 0, doing="idle")
    talk.end(talk.ask("2", "rank", strategy="difference", batch=20))
    ranking = json.loads((folder / "trial" / "rounds" / "ranking.json").read_text(encoding="utf-8"))
    asked = [(entry["pair"], entry["slice"]) for entry in ranking["ranking"]]
    mark = len(talk.heard)
    for pair, index in asked[:8]:
        run("label", folder / "trial", "--pair", pair, "--slice", index, "--from-reference")
    talk.end(talk.ask("3", "status", labelling=True))
    talk.wait(lambda said: said["event"] == "ranking" and bool(said["scored"]), mark)
    talk.end(talk.ask("4", "explain", pair=asked[8][0], slice=asked[8][1]))
    talk.thinks("state", mark, sentence="Training round 1 on all labels.")
    training = talk.ask("5", "train")
    talk.wait(lambda said: said["id"] == training and said["event"] == "progress")
    talk.ask("6", "rank", strategy="entropy", batch=20)
    talk.end(talk.ask("7", "status"))
    talk.end(talk.ask("8", "cancel", request=training))
    talk.end("6")
    talk.thinks("round", mark)
    talk.thinks("state", mark, doing="checking")
    mark = len(talk.heard)
    talk.thinks("round", mark)
    talk.end(talk.ask("9", "rank", strategy="entropy", batch=20))
    talk.end(talk.ask("10", "predict", pair=asked[0][0]))
    talk.end(talk.ask("11", "rank", strategy="magic"))
    talk.end(talk.ask("12", "cancel"))
    talk.end(talk.ask("13", "shutdown"))
    talk.process.wait()


if __name__ == "__main__":
    main()
