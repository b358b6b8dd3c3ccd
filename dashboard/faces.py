"""One face: its pictures where they may be shown, and every figure of it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from dashboard import words
from dashboard.data import Source
from engine.results import Artifact

ORDER: Final = ("original", "mask", "protected", "recovered", "wrong")
MOST: Final = 40


def strip(source: Source, run_id: int | None, image: str | None) -> None:
    """Show the thumbnails of a run or a face, a row for each face, method and mask.

    Args:
        source: the database.
        run_id: of this run; of any without.
        image: of this face; of any without.
    """
    found = source.artifacts(run_id, image)
    if not found:
        st.caption(
            "No picture is kept here. The benchmark's faces are of real people, so only drawn or "
            "freely usable ones are stored; the figures of every face are."
        )
        return
    groups: dict[tuple[str, str, str], list[Artifact]] = {}
    for one in found[:MOST]:
        groups.setdefault((one.image, one.method, one.mask), []).append(one)
    for (name, method, mask), pictures in groups.items():
        parts = (name, words.method(method), words.mask(mask), pictures[0].licence)
        st.caption("{}, {}, {}. {}.".format(*map(words.plain, parts)))
        row(pictures)


def row(pictures: Sequence[Artifact]) -> None:
    """The pictures of one face in the order in which they arise."""
    place = {name: i for i, name in enumerate(ORDER)}
    with st.container(horizontal=True):
        for one in sorted(pictures, key=lambda picture: place.get(picture.name, len(ORDER))):
            st.image(one.data, caption=words.plain(one.name), width=112)


def figures(source: Source, run_id: int, image: str) -> list[dict[str, object]]:
    """Every figure of a face in a run, as lines."""
    return [
        {
            "method": words.method(score.method), "mask": words.mask(score.mask),
            "figure": words.figure(score.pair, score.metric), "value": score.value,
            "protocol": score.protocol,
        }
        for score in source.face(run_id, image)
    ]  # fmt: skip
