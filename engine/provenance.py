"""What reproduces a figure: commit, whether the tree was clean, versions, a hash of the code."""

import hashlib
import json
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

__all__ = ["Provenance", "provenance"]

_ENGINE = Path(__file__).resolve().parent
_PACKAGES = ("torch", "numpy", "diffusers", "lpips", "scikit-image", "pillow", "opencv-python")


@dataclass(frozen=True)
class Provenance:
    """Where the code that runs comes from.

    Attributes:
        commit: hash of the commit that is checked out; empty outside a clone.
        dirty: whether the files of the engine differ from it; None outside a clone.
        versions: JSON of names and versions; ``"code"`` is a hash of the engine's own files, which
            tells two states of a dirty clone apart.
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
    found = {"python": platform.python_version(), "code": _code_hash()}
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
