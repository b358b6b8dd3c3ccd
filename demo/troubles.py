"""Turns whatever goes wrong into one polite message; nobody sees a traceback, no log a secret."""

import functools
import inspect
import logging
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import gradio as gr

from demo import words
from demo.session import GoneError
from engine.errors import EngineError

_LOG = logging.getLogger("demo")
_Function = TypeVar("_Function", bound=Callable[..., Any])


class PlainWords:
    """A context in which every error leaves as a ``gr.Error`` in plain words."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, EngineError):
            raise spoken(error) from None
        if isinstance(error, GoneError):
            raise problem("This page is closed", "Nothing was kept.") from None
        if isinstance(error, Exception) and not isinstance(error, gr.Error):
            places = traceback.extract_tb(trace)
            # Neither the message nor the values: both may hold what was typed.
            where = " < ".join(f"{place.name}:{place.lineno}" for place in reversed(places))
            _LOG.error("%s in %s", type(error).__name__, where)
            raise problem("Sorry", words.OOPS) from None


def spoken(error: EngineError) -> gr.Error:
    """Say what the engine refused."""
    return problem(*explained(error))


def explained(error: EngineError) -> tuple[str, str]:
    """Give a title and a sentence, without the engine's hint: it speaks of the command line."""
    text = str(error)
    said = f"{text[:1].upper()}{text[1:]}"
    for kind in type(error).__mro__:
        if kind in words.TROUBLES:
            title, sentence = words.TROUBLES[kind]
            return title, sentence.replace("{said}", said)
    return "This cannot be done", f"{said}."


def problem(title: str, sentence: str) -> gr.Error:
    """Build a message that stays long enough to be read, and prints nothing."""
    return gr.Error(f"{title}. {sentence}", title=title, duration=20, print_exception=False)


def in_plain_words(function: _Function) -> _Function:
    """Wrap an action, or a generator of results, in :class:`PlainWords`."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with PlainWords():
                yield from function(*args, **kwargs)

        return cast(_Function, steps)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with PlainWords():
            return function(*args, **kwargs)

    return cast(_Function, run)
