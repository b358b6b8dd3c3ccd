"""Makes the batches of a training ahead of it, in one background thread that ends with it."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

import cv2

Item = TypeVar("Item")

_AHEAD = 3
_LOOKS_UP = 0.1
"""Seconds after which a thread that waits looks whether it is still wanted."""


def made_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Draw from something endless in a background thread, a few items ahead.

    The thread begins with the first item, and has ended when the iterator is closed or dropped: one
    that still runs when the interpreter ends takes the process down with it.

    Args:
        items: what the thread draws from; an error of it is raised where its item was due.
    """
    waiting: queue.Queue[Item | BaseException] = queue.Queue(maxsize=_AHEAD)
    unwanted = threading.Event()

    def work() -> None:
        cv2.setNumThreads(1)  # its threads would fight torch's for the same cores
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:  # noqa: BLE001  (raised again by the reader)
            put(error)

    def put(item: Item | BaseException) -> bool:
        while not unwanted.is_set():
            try:
                waiting.put(item, timeout=_LOOKS_UP)
                return True
            except queue.Full:
                continue
        return False

    thread = threading.Thread(target=work, name="batches", daemon=True)
    thread.start()
    try:
        while True:
            found = waiting.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        unwanted.set()
        thread.join()
