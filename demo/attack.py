"""What somebody without the key gets of the face on the table, and what a JPEG leaves of it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import engine
from demo import exhibits, standing, words
from demo.actions import Photo, psnr_db
from demo.draw import in_cosine, in_db, jpeg, square
from demo.exhibits import Exhibit
from demo.lab import METHODS, Exposed, Lab
from demo.likeness import Likeness, likeness
from demo.troubles import explained
from engine import open_photo, open_protected, whole_face
from engine.errors import EngineError, LandmarksError, ModelError, WrongKeyError

ATTACKED: Final = (*METHODS, *(name for name, one in engine.METHODS.items() if one.keyless))
"""The laboratory's methods, and the one without any key, on which no key can be tried."""

SIDE: Final = 112
CONTROL: Final = "mask"
"""Under this name the engine has the control: the same network, which has seen masks alone."""

QUALITIES: Final = (30, 95)
TRAIN: Final = (
    "python -m engine attack keyless --methods {} --data FACES --training OTHER_FACES --keep FOLDER"
)
HOW: Final = (
    f"The attacked face is the one on the table at {SIDE} x {SIDE} pixels, taken whole, under the "
    f"mask at the papers' strength. {words.SCOPE}"
)


_LOG = logging.getLogger("demo")


@dataclass(frozen=True, eq=False)
class Guesses:
    """What networks without a key make of the face; None where none is released.

    Attributes:
        attacker_u8: from what is shared.
        control_u8: from the mask alone.
    """

    attacker_u8: Photo | None
    control_u8: Photo | None


def expose(lab: Lab, method: str) -> Exposed:
    """Protect the face on the table as attackers learned to see it, once for each method.

    Raises:
        EngineError: as :func:`engine.protect`.
    """
    if method not in lab.exposed:
        original_u8 = square(lab.original_u8, SIDE)
        options = engine.ProtectOptions(method, lab.mask, preset="paper", mask_seed=lab.mask_seed)
        # Nobody needs this passphrase again: it is the attacker who is shown.
        secret = engine.generate_passphrase()
        made = engine.protect(original_u8, [whole_face(original_u8)], secret, options)
        opened_u8 = None
        if engine.find_method(method).keyless:
            opened_u8 = engine.recover(open_protected(made.png), []).photo_u8
        lab.exposed[method] = Exposed(
            original_u8, made.masked_u8, made.photo_u8, lab.mask, opened_u8
        )
    return lab.exposed[method]


def guesses(exposed: Exposed, method: str) -> Guesses:
    """Let the released networks guess.

    Raises:
        ModelError: a released network is damaged.
    """
    known = engine.revealed_methods()
    attacker = engine.reveal(exposed.protected_u8, method) if method in known else None
    control = engine.reveal(exposed.masked_u8, CONTROL) if known else None
    return Guesses(attacker, control)


def shown(exposed: Exposed, found: Guesses, method: str) -> str:
    """Write what is shared, both guesses and the truth side by side, and what they come to."""
    shared = f"Shared under {words.MASK_TITLES[exposed.mask]}"
    cells = [
        _near(exposed.protected_u8, exposed, shared, "the protected face"),
        _attackers(exposed, found),
        _guess(found.control_u8, exposed, "From the mask alone", "the control's picture"),
        exhibits.figure(Exhibit(exposed.original_u8, "The truth", "", "the original face")),
    ]
    strip = f'<div class="fv-strip fv-methods">{"".join(cells)}</div>'
    return f'{strip}<div class="fv-told" role="status">{_told(exposed, found, method)}</div>'


def _near(picture_u8: Photo, exposed: Exposed, title: str, alt: str) -> str:
    near = in_db(psnr_db(exposed.original_u8, picture_u8))
    return exhibits.figure(Exhibit(picture_u8, title, f"{near} near the truth", alt))


def _attackers(exposed: Exposed, found: Guesses) -> str:
    """What a trained attacker makes of it; where there is no key, what anyone does."""
    if exposed.opened_u8 is not None:
        return _near(exposed.opened_u8, exposed, "What anyone recovers", "what anyone recovers")
    return _guess(found.attacker_u8, exposed, "The attacker's picture", "the attacker's picture")


def _guess(picture_u8: Photo | None, exposed: Exposed, title: str, alt: str) -> str:
    if picture_u8 is None:
        return exhibits.absent(title, "no trained network is released")
    return _near(picture_u8, exposed, title, alt)


def _told(exposed: Exposed, found: Guesses, method: str) -> str:
    title = words.METHOD_TITLES[method]
    measured = f"<p><b>Over many faces</b>, {title}: {escape(standing.result(method))}</p>"
    if exposed.opened_u8 is not None:  # the result says that no attacker is needed
        return measured
    if found.attacker_u8 is None:
        command = f"<code>{escape(TRAIN.format(method))}</code>"
        return (
            f"<p>No trained attacker against {title} is released with this version, so there is "
            f"none to show. This command trains one beside its control, and measures both: "
            f"{command}; <code>scripts/release</code> puts them here.</p>{measured}"
        )
    if found.control_u8 is None:
        return measured
    near = [psnr_db(exposed.original_u8, u8) for u8 in (found.attacker_u8, found.control_u8)]
    gain = f"{near[0] - near[1]:+.1f} dB".replace("-", "−")
    return (
        f"<p>On this face the attacker is {gain} beside the control. Only that difference comes "
        f"from {title}; the rest comes from the mask, and from knowing faces.</p>"
        f"{_learned(exposed.mask, method)}{measured}"
    )


def _learned(mask: str, method: str) -> str:
    """Name the masks that an attacker learned, and say so where the one on the table is new to it.

    Raises:
        ModelError: as :func:`engine.learned_masks`.
    """
    known = engine.learned_masks(method)
    titles = ", ".join(words.MASK_TITLES.get(name, name) for name in known)
    new = f" It never saw {words.MASK_TITLES[mask]}: what it draws here says little."
    return f"<p>This attacker learned {escape(titles)}.{escape(new) * (mask not in known)}</p>"


# --- the enhancer ---------------------------------------------------------------------------------


def enhanced(exposed: Exposed) -> str:
    """Let the released enhancer restore the face, and write how like the person that is.

    Where there is no enhancer, its place says so: what else an attacker does is shown all the same.
    """
    title = "The enhancer's picture"
    # The attacker is given the landmarks of the face that was, better than the mask would tell.
    face = whole_face(exposed.original_u8)
    try:
        known = engine.landmarks_in(exposed.original_u8, face)
        made_u8 = engine.restored(exposed.masked_u8, None if known is None else known.points)
    except LandmarksError:
        return (
            '<p class="fv-said">The enhancer needs eyes, nose and mouth to line a face up, and in '
            "this one they were not found.</p>"
        )
    except ModelError as error:
        _LOG.error("enhancer: %s", type(error).__name__)
        missing = exhibits.absent(title, "the enhancer is missing on this server, or damaged")
        return f'<div class="fv-strip fv-methods">{missing}</div>'
    found = [likeness(exposed.original_u8, u8, [face]) for u8 in (exposed.masked_u8, made_u8)]
    mask = f"{words.MASK_TITLES[exposed.mask]} alone"
    cells = [
        _measured(exposed.masked_u8, mask, "the mask", found[0]),
        _measured(made_u8, title, "what the enhancer draws", found[1]),
        Exhibit(exposed.original_u8, "The truth", "", "the original face"),
    ]
    return exhibits.strip(cells, "fv-methods") + _whose(*found)


def _measured(picture_u8: Photo, title: str, alt: str, alike: Likeness | None) -> Exhibit:
    if alike is None:
        return Exhibit(picture_u8, title, "", alt)
    note = f"cosine to the person {in_cosine(alike.nearest, alike.digits)}"
    return Exhibit(picture_u8, title, note, alt, "bad" if alike.known else "plain")


def _whose(mask: Likeness | None, made: Likeness | None) -> str:
    """Write whose face the enhancer draws, as far as our recogniser can tell."""
    if mask is None or made is None:
        return _verdict(
            "Whether this is like the person is not measured: no recogniser is here.", "plain"
        )
    tone = "bad" if mask.known or made.known else "plain"
    if mask.known:
        found = "Our recogniser knows the person already in the mask as it is."
        found += "" if made.known else " In what the enhancer makes of it, it does not."
    elif made.known:
        found = (
            "The enhancer brings enough back that our recogniser takes it for the person, whom the "
            "mask alone did hide."
        )
    else:
        found = (
            "Well or badly, these are features of somebody: what the mask hides is made up from "
            "others. To our recogniser this is not the person."
        )
    from_on = in_cosine(made.threshold, max(mask.digits, made.digits))
    small = f"It is small, and takes two faces for one person from a cosine of {from_on} on."
    return _verdict(f"{found} {small}", tone)


def _verdict(sentence: str, tone: str) -> str:
    return f'<div class="fv-told fv-{tone}"><p role="status">{escape(sentence)}</p></div>'


# --- re-encoding ----------------------------------------------------------------------------------


def resaved(lab: Lab, quality: float) -> str:
    """Save every protected picture as a JPEG, and write what the right key still recovers.

    Args:
        lab: the face on the table.
        quality: of the JPEG, clipped to :data:`QUALITIES`.
    """
    quality = round(min(max(quality, QUALITIES[0]), QUALITIES[1]))
    pictures: list[Exhibit] = []
    said: dict[tuple[str, str], list[str]] = {}
    for method in METHODS:
        specimen, title = lab.specimens[method], words.METHOD_TITLES[method]
        file = jpeg(specimen.protected_u8, quality)
        said.setdefault(_answer(file), []).append(title)
        left_u8 = open_photo(file)
        try:
            left_u8 = specimen.trial.spoof(left_u8, specimen.key)
            note = f"{in_db(psnr_db(lab.original_u8, left_u8))} near the face"
        except WrongKeyError:
            note = "the key opens nothing; the JPEG itself"
        alt = f"{title}: what the right key recovers from a JPEG of quality {quality}: {note}"
        pictures.append(Exhibit(left_u8, title, note, alt))
    return exhibits.strip(pictures, "fv-methods") + _answers(said, quality, lab.mask)


def _answer(file: bytes) -> tuple[str, str]:
    """What the app says of a file, before it asks for any key."""
    try:
        engine.Trial(open_protected(file))
    except EngineError as error:
        return explained(error)
    return "It opens", "Nothing in the file shows that it was changed."


def _answers(said: dict[tuple[str, str], list[str]], quality: int, mask: str) -> str:
    facts: Sequence[tuple[str, str, str]] = [
        (", ".join(titles), title, sentence) for (title, sentence), titles in said.items()
    ]
    title = f"What this app says of a JPEG of quality {quality}, under {words.MASK_TITLES[mask]}"
    return exhibits.card(title, facts)
