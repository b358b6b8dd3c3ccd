"""Writes files whole or not at all."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def check_target(path: Path) -> None:
    """Refuse what :func:`write_file` could not, or must not, put a file in the place of.

    Raises:
        OSError: its folder is not there, or it is a folder, a device or a pipe itself.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder to write it to", str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no file, and cannot be replaced by one", str(path))


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, as :func:`replacing` does."""
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write beside the target and rename, so that a crash leaves the old file or the new one.

    Raises:
        OSError: it cannot be written; names the target, and leaves nothing beside it.
    """
    check_target(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error  # not the name beside it
    finally:
        beside.unlink(missing_ok=True)
