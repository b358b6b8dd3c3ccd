"""What reproduces a figure: commit, whether the tree was clean, versions, code, command line."""

import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from engine.zoo import RECOGNIZER

__all__ = ["Provenance", "command_line", "provenance"]

_BEFORE_PATH = re.compile(r"^[^/\\]*[=@](?:insightface:)?")
_ENGINE = Path(__file__).resolve().parent
_PACKAGES = ("torch", "numpy", "diffusers", "lpips", "scikit-image", "pillow", "opencv-python")


@dataclass(frozen=True)
class Provenance:
    """Where the code that runs comes from.

    Attributes:
        commit: hash of the commit that is checked out; empty outside a clone.
        dirty: whether the files of the engine differ from it; None outside a clone.
        versions: JSON of names and versions; ``"code"`` is a hash of the engine's own files, which
            tells two states of a dirty clone apart, ``"recognizer"`` the one that judges identity
            where none is named.
    """

    commit: str
    dirty: bool | None
    versions: str


@cache
def provenance() -> Provenance:
    """Look once; a long run keeps the answer of its start, which is the code that it loaded."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", "engine", "assets/models")
    return Provenance(commit or "", None if changes is None else bool(changes), _versions())


def _git(*arguments: str) -> str | None:
    root = _ENGINE.parent
    if not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _versions() -> str:
    found = {
        "python": platform.python_version(),
        "code": _code_hash(),
        "recognizer": RECOGNIZER,  # the judge of identity
    }
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return json.dumps(found, sort_keys=True)


def _code_hash() -> str:
    """Of every file of the engine but the command line, which changes no figure."""
    digest = hashlib.sha256()
    for file in sorted(_ENGINE.rglob("*.py")):
        name = file.relative_to(_ENGINE).as_posix()
        if not name.startswith("cli/"):
            digest.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def command_line(words: Sequence[str]) -> str:
    """What was typed, for a shell, fit to be released: no path tells of this machine's folders.

    Args:
        words: after ``python -m engine``.
    """
    return shlex.join(["python", "-m", "engine", *map(_without_machine, words)])


def _without_machine(word: str) -> str:
    """A word with its path relative to here where it is near, else with its last part alone."""
    # --data=PATH, NAME=PATH and METRIC@PATH, several of which stand in one word with commas.
    if "," in word:
        return ",".join(map(_without_machine, word.split(",")))
    path = _BEFORE_PATH.sub("", word)
    head = word.removesuffix(path)
    if not Path(path).is_absolute():
        return word
    here = Path.cwd()
    near = Path(path).is_relative_to(here.parent)
    return head + (os.path.relpath(path, here) if near else Path(path).name)
