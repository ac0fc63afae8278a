"""From words on the command line to a command's work, and from errors to messages and exit statuses."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from longitudinal_al import __version__
from longitudinal_al.cli import ctrl_c
from longitudinal_al.cli.output import Output
from longitudinal_al.errors import LongitudinalALError
from longitudinal_al.project.files import storage_failed

PROGRAM = "longitudinal-al"
DONE, FAILED, FAULT, STOPPED = 0, 1, 70, 130
STOPPED_WORDS = "stopped; nothing is damaged, run the same command again"

DESCRIPTION = (
    "Active learning on longitudinal scans: register and difference pairs of scans, train on what is "
    "labelled, and ask for the most informative slice pair next."
)
EPILOG = f"A first look: {PROGRAM} synthesize demo --patients 6 --seed 1; then create, add, prepare, rank."


def run(commands: Mapping[str, str], words: list[str]) -> int:
    """Run the command that the words name; every error ends as a message and an exit status."""
    name = next((word for word in words if word in commands), "")
    debug = "--debug" in words
    _never_fail_on_letters()
    try:
        with ctrl_c.heard():
            return _run(commands, name, words)
    except SystemExit as leaving:  # argparse has said what there is to say
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except KeyboardInterrupt:
        return _say(STOPPED_WORDS, STOPPED)
    except BrokenPipeError:
        return _leave_quietly()
    except LongitudinalALError as error:
        _show_traceback(debug)
        return _say(str(error), FAILED)
    except OSError as error:
        _show_traceback(debug)
        return _say(_about_files(error), FAILED)
    except Exception as error:
        _show_traceback(debug)
        if ctrl_c.was_pressed():  # Python and libraries make other errors of it
            return _say(STOPPED_WORDS, STOPPED)
        return _say(_about_fault(name, error, debug), FAULT)


def _run(commands: Mapping[str, str], name: str, words: list[str]) -> int:
    parser = argparse.ArgumentParser(PROGRAM, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    choices = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    module: ModuleType | None = None
    for command, summary in commands.items():
        sentence = f"{summary[:1].upper()}{summary[1:]}."
        added = choices.add_parser(command, help=summary, description=sentence, allow_abbrev=False)
        if command == name:
            # Only the command at hand is imported: some need seconds for their libraries, most need none.
            module = importlib.import_module(f"longitudinal_al.cli.{command}")
            _fill(added, module)
    arguments = parser.parse_args(words)
    output = Output(arguments.json)
    # Libraries may warn and print what they like: standard output is the command's alone.
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("default" if arguments.debug else "ignore")
        status = module.run(arguments, output) if module else FAILED
    output.finish()
    return int(status or DONE)


def _fill(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"example:\n  {module.EXAMPLE}"
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document for machines")
    parser.add_argument("--debug", action="store_true", help="show where in the program an error came from")


def _never_fail_on_letters() -> None:
    """Print a replacement for letters that the terminal does not know, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")


def _say(message: str, status: int) -> int:
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return status


def _show_traceback(debug: bool) -> None:
    if debug:
        traceback.print_exc()


def _about_files(error: OSError) -> str:
    if error.filename is None:
        return f"the system says: {error.strerror or error}; what was saved before is intact"
    return str(storage_failed(Path(os.fsdecode(error.filename)), error))


def _about_fault(name: str, error: Exception, debug: bool) -> str:
    where = f"fault in the command '{name}': {type(error).__name__}: {error}."
    if debug:
        return f"{where} Please report it with the lines above."
    return f"{where} Please report it, with what the same command says when --debug is added."


def _leave_quietly() -> int:
    """End without a word when the reader of our output has gone (as `head` does)."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return DONE
