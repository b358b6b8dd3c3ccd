"""Inputs that hand on what they were given, so that the engine alone judges it; no addresses."""

from abc import ABCMeta
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import ImageData

from demo import words
from demo.troubles import problem


class _NoStubs(ComponentMeta):
    """Gradio's metaclass writes a .pyi file beside every new component; these need none."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        return ABCMeta.__new__(cls, name, bases, attrs)


class PhotoInput(gr.Image, metaclass=_NoStubs):
    """An image input that gives the uploaded file as it is.

    Gradio's own opens the file first: with another decoder, another limit of pixels, and messages
    that are not ours.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Give the path of the upload."""
        if payload is None or payload.path is None:
            return None
        if not Path(payload.path).is_file():
            raise problem("This picture is gone", words.WIPED)
        return payload.path


class FaceNumbers(gr.CheckboxGroup, metaclass=_NoStubs):
    """The faces to protect; a program may say ``["all"]`` without asking for the numbers first."""

    is_template = True

    def preprocess(self, payload: list[str | int | float]) -> Any:
        """Give the numbers, or ``["all"]``."""
        return [str(value) for value in payload or []]

    def api_info(self) -> dict[str, Any]:
        """Say what programs may send; the numbers are not known before there is a photo."""
        return {"type": "array", "items": {"type": "string"}, "title": "face numbers, or all"}


class WrongModes(gr.Radio, metaclass=_NoStubs):
    """What a wrong key shows; the choices follow the method, and the action judges them."""

    is_template = True

    def preprocess(self, payload: str | int | float | None) -> str:
        """Give the mode, or nothing for the method's own."""
        return str(payload or "")

    def api_info(self) -> dict[str, Any]:
        """Say what programs may send."""
        return {"type": "string", "title": "rand, obfs, decoy, or nothing for the method's own"}


class Page(gr.Blocks):
    """A page that downloads nothing for anybody.

    Gradio's own fetches a picture where an address stands in the place of an upload, before any
    component sees it.
    """

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Refuse addresses, wherever they stand; this comes before all else."""
        refuse_addresses(inputs)
        super().validate_inputs(block_fn, inputs)


def refuse_addresses(value: Any) -> None:
    """Raise ``gr.Error`` where an address stands in the place of a file's path."""
    if any(path.lower().startswith(("http:", "https:")) for path in _paths(value)):
        raise problem("No addresses", "Upload the picture itself; nothing is fetched from one.")


def _paths(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            yield value["path"].strip()
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)
