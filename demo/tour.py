"""The guided tour: five pictures with a sentence each, made by the real engine from a sample."""

import threading
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Final

import numpy as np

import engine
from demo import exhibits, standing, words
from demo.actions import Photo, psnr_db
from demo.draw import fit, in_db, inline
from demo.exhibits import Exhibit
from demo.samples import sample
from engine import amplify, crop, detect, open_protected

RIGHT: Final = "a quiet river 7"
WRONG: Final = "a quiet river 8"
METHOD: Final = "sealed"
MASK: Final = "gaussian"
_LOCK: Final = threading.Lock()


@dataclass(frozen=True, eq=False)
class Story:
    """What the tour shows, made once for everybody: it is a public sample.

    Attributes:
        photo_u8: the sample.
        shared_u8: protected.
        wrong_u8: what a wrong key makes of it when the check is ignored.
        back_u8: recovered with the right key.
        masked_u8: before anything was hidden.
        box: of the face.
        png_bytes: size of the protected file.
        exact: every pixel of the face came back.
    """

    photo_u8: Photo = field(repr=False)
    shared_u8: Photo = field(repr=False)
    wrong_u8: Photo = field(repr=False)
    back_u8: Photo = field(repr=False)
    masked_u8: Photo = field(repr=False)
    box: tuple[int, int, int, int]
    png_bytes: int
    exact: bool


def story() -> Story:
    """Tell it; the first caller waits, the others find it told."""
    with _LOCK:
        return _story()


@cache
def _story() -> Story:
    photo_u8 = np.ascontiguousarray(sample("Astronaut")[:320, 65:385])
    options = engine.ProtectOptions(METHOD, MASK)
    made = engine.protect(photo_u8, detect(photo_u8), RIGHT, options)
    file = open_protected(made.png)
    back_u8 = engine.recover(file, [RIGHT]).photo_u8
    wrong_u8 = engine.recover_wrongly(file, WRONG)
    box = made.header.faces[0].box
    exact = bool(np.array_equal(crop(back_u8, box), crop(photo_u8, box)))
    return Story(
        photo_u8, file.photo_u8, wrong_u8, back_u8, made.masked_u8, box, len(made.png), exact
    )


def summary() -> str:
    """The whole of it in four small pictures, for the head of the page."""
    told = story()
    steps = (
        (told.photo_u8, "Your photo", "a portrait of an astronaut"),
        (told.shared_u8, "What you share", "the same portrait, the face blurred"),
        (told.wrong_u8, "Wrong key", "the same portrait, noise in place of the face"),
        (told.back_u8, "Right key", "the same portrait, the face as it was"),
    )
    figures = "".join(
        f'<figure><img src="{inline(fit(picture_u8, 200))}" alt="{alt}">'
        f"<figcaption>{title}</figcaption></figure>"
        for picture_u8, title, alt in steps
    )
    return f'<div class="fv-summary">{figures}</div>'


@cache
def _traces(told: Story) -> list[Exhibit]:
    """What a microscope finds of the face, by an encrypted and by a learned method."""
    face = [face for face in detect(told.photo_u8) if face.box == told.box] or detect(told.photo_u8)
    options = engine.ProtectOptions("proface-s-rand", MASK)
    learned = engine.protect(told.photo_u8, face, RIGHT, options)
    learned_u8 = crop(open_protected(learned.png).photo_u8, told.box)
    mask_u8 = crop(told.masked_u8, told.box)
    trial = engine.Trial(open_protected(learned.png))
    guess_u8 = trial.show(engine.random_key())
    sealed_u8 = amplify(crop(told.shared_u8, told.box), mask_u8, 20)
    return [
        Exhibit(mask_u8, "The mask", "seen by all", "a blurred face"),
        Exhibit(guess_u8, "A random key", in_db(psnr_db(crop(told.photo_u8, told.box), guess_u8)),
                "noise"),
        Exhibit(sealed_u8, "Sealed, x20", "random bytes", "grey noise without a face"),
        Exhibit(amplify(learned_u8, mask_u8, 20), "RandWR, x20", "traces of the face may show",
                "grey noise"),
    ]  # fmt: skip


TITLES: Final = (
    "A photo",
    "Protected",
    "A wrong key",
    "The right key",
    "What an attacker gets",
)
STEPS: Final = len(TITLES)


def step(number: int) -> str:
    """Write one of :data:`STEPS` steps as HTML, from 1."""
    with _LOCK:
        picture, text = _TELLERS[number - 1](_story())
    dots = "".join(
        f"<li{' aria-current=step' if at == number else ''}>{escape(name)}</li>"
        for at, name in enumerate(TITLES, 1)
    )
    title = TITLES[number - 1]
    return (
        f'<div class="fv-steps"><ol>{dots}</ol><div class="fv-stage">{picture}'
        f'<div aria-live="polite"><h2>{number}. {title}</h2><p>{text}</p></div></div></div>'
    )


def _photo(told: Story) -> tuple[str, str]:
    return _picture(told.photo_u8, "a portrait of an astronaut"), (
        "Whoever gets this photo sees who is on it: every friend of a friend, every program that "
        "collects faces."
    )


def _protected(told: Story) -> tuple[str, str]:
    size = f"{told.png_bytes / 1024:.0f} kB"
    near = psnr_db(crop(told.masked_u8, told.box), crop(told.shared_u8, told.box))
    seen = ", which hardly anybody sees" if near > words.UNSEEN_DB else ""
    return _picture(told.shared_u8, "the portrait with a blurred face"), (
        "FaceVeil finds the face, lays a mask over it, and hides the original inside the very same "
        f"picture. Out comes an ordinary PNG of {size}. Over the face it differs from the plain "
        f"mask by {in_db(near)}{seen}."
    )


def _wrong(told: Story) -> tuple[str, str]:
    return _picture(told.wrong_u8, "noise in place of the face"), (
        f"Somebody types <code>{WRONG}</code>. One character is wrong, and the app refuses. Who "
        "forces it gets this: noise."
    )


def _right(told: Story) -> tuple[str, str]:
    back = "every pixel of it as it was" if told.exact else "close to what it was"
    return _picture(told.back_u8, "the portrait, the face back"), (
        f"With <code>{RIGHT}</code> the face is back, {back}."
    )


def _attacker(told: Story) -> tuple[str, str]:
    return exhibits.strip(_traces(told), "fv-quad"), (
        "The mask, which a blur does not make safe: take a cartoon for that. Random keys, which "
        "never open. And what was added to the mask, under a microscope: with Sealed, random "
        f"bytes.{_studied()}"
    )


def _studied() -> str:
    """What is not for protecting anybody, by what was measured."""
    titles = [words.METHOD_TITLES[name] for name in standing.leaking()]
    if not titles:
        return ""
    leak = f"leak{'s' * (len(titles) == 1)}: {standing.LEAKS}"
    return f" To be studied and no more: {' and '.join(titles)} {leak}."


_TELLERS: Final = (_photo, _protected, _wrong, _right, _attacker)


def _picture(photo_u8: Photo, alt: str) -> str:
    return f'<img src="{inline(photo_u8)}" alt="{escape(alt)}">'
