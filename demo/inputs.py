"""Two inputs that hand on what they were given, so that the engine alone judges it."""

from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import ImageData


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
        return None if payload is None else payload.path


class FaceNumbers(gr.CheckboxGroup, metaclass=_NoStubs):
    """The faces to protect; a program may say ``["all"]`` without asking for the numbers first."""

    is_template = True

    def preprocess(self, payload: list[str | int | float]) -> Any:
        """Give the numbers, or ``["all"]``."""
        return [str(value) for value in payload or []]

    def api_info(self) -> dict[str, Any]:
        """Say what programs may send; the numbers are not known before there is a photo."""
        return {"type": "array", "items": {"type": "string"}, "title": "face numbers, or all"}
