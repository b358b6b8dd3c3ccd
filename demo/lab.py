"""The wrong-key laboratory: one face under every method, its keys cached, all experiments."""

import random
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

import engine
from demo import words
from demo.actions import Photo, look, look_at, psnr_db
from demo.draw import fit, in_db
from demo.exhibits import Exhibit
from engine import MASKS, Key, amplify, crop, open_protected, whole_face
from engine.errors import WrongKeyError

METHODS: Final = ("proface-s-rand", "proface-s-obfs", "proface-k", "sealed")
NETWORKS: Final = METHODS[:2]
"""Those with a key map, whose bits can be made wrong one by one."""

LARGEST: Final = 256
SHARES: Final = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
SEED: Final = 7

Report = Callable[[float, str], object]


@dataclass(frozen=True, eq=False)
class Specimen:
    """The face under one method.

    Attributes:
        trial: where keys are tried.
        key: the right one; derived once, so that a try costs no derivation.
        protected_u8: what everybody sees.
        masked_u8: the mask before anything was hidden in it.
        exact: its recovery is bit-exact.
    """

    trial: engine.Trial = field(repr=False)
    key: Key
    protected_u8: Photo = field(repr=False)
    masked_u8: Photo = field(repr=False)
    exact: bool


@dataclass(frozen=True, eq=False)
class Exposed:
    """The face as attackers learned to see it: the papers' size, and their strength of mask.

    Attributes:
        original_u8: ``(112, 112, 3)``.
        masked_u8: the mask alone.
        protected_u8: what is shared.
        mask: its name.
        opened_u8: what anyone recovers, where the method knows no key; else None.
    """

    original_u8: Photo = field(repr=False)
    masked_u8: Photo = field(repr=False)
    protected_u8: Photo = field(repr=False)
    mask: str
    opened_u8: Photo | None = field(default=None, repr=False)


@dataclass(eq=False)
class Lab:
    """One face on the table.

    Attributes:
        original_u8: ``(H, W, 3)``, sides of at most :data:`LARGEST`.
        mask: its name.
        specimens: by method.
        wrong_keys: of a slip in typing the right passphrase, by method.
        curves: PSNR by share of wrong bits, by method, once measured.
        exposed: to attackers, by method, once attacked.
        estimates: of the mask from the protected picture alone, by method, once made.
        mask_seed: of what a mask draws, the same under every method, so that they can be compared;
            None for a mask that takes none.
    """

    original_u8: Photo = field(repr=False)
    mask: str
    specimens: dict[str, Specimen]
    wrong_keys: dict[str, Key]
    curves: dict[str, list[float]] = field(default_factory=dict)
    exposed: dict[str, Exposed] = field(default_factory=dict)
    estimates: dict[str, Photo] = field(default_factory=dict, repr=False)
    mask_seed: int | None = None


def face_of(photo: str | Photo, number: int | None = None) -> Photo:
    """Cut a face out of a photograph: the one of a number, or the largest.

    Raises:
        NoFaceError, ImageError: as :func:`demo.actions.look`.
    """
    found = look(photo) if isinstance(photo, str) else look_at(photo)
    boxes = [face.box for face in found.faces]
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in boxes]
    chosen = int(np.argmax(areas)) if number is None else min(number, len(boxes)) - 1
    return fit(crop(found.photo_u8, boxes[chosen]), LARGEST)


def prepare(original_u8: Photo, mask: str, passphrase: str, report: Report) -> tuple[Lab, str]:
    """Protect the face by each method, and derive the keys that the experiments need.

    Returns:
        The lab, which holds keys and no passphrase; and the slip in typing, for the page alone.

    Raises:
        EngineError: as :func:`engine.pipeline.protect`.
    """
    typo = engine.one_character_off(passphrase, random.randrange(2**31))
    face = whole_face(original_u8)
    seed = secrets.randbits(64) if MASKS[mask].seeded else None
    specimens, wrong_keys = {}, {}
    for done, method in enumerate(METHODS):
        report(done / len(METHODS), f"protecting by {words.METHOD_TITLES[method]}")
        options = engine.ProtectOptions(method, mask, mask_seed=seed)
        made = engine.protect(original_u8, [face], passphrase, options)
        file = open_protected(made.png)
        trial = engine.Trial(file)
        key = trial.derive(passphrase)
        specimens[method] = Specimen(trial, key, file.photo_u8, made.masked_u8, all(made.exact))
        wrong_keys[method] = trial.derive(typo)
    return Lab(original_u8, mask, specimens, wrong_keys, mask_seed=seed), typo


def under(lab: Lab, keys: dict[str, Key]) -> list[Exhibit]:
    """Show the face under a key for each method."""
    return [_under(lab, method, keys[method]) for method in METHODS]


def right_keys(lab: Lab) -> dict[str, Key]:
    """The right key of each method."""
    return {method: lab.specimens[method].key for method in METHODS}


def one_bit_off(lab: Lab) -> dict[str, Key]:
    """The right keys with one bit of 256 flipped."""
    return {method: engine.one_bit_off(key, 100) for method, key in right_keys(lab).items()}


def derived(lab: Lab, passphrase: str) -> dict[str, Key]:
    """The keys of a typed guess.

    Raises:
        PassphraseError: as :func:`engine.passphrase.normalize_passphrase`.
    """
    return {method: lab.specimens[method].trial.derive(passphrase) for method in METHODS}


def _under(lab: Lab, method: str, key: Key) -> Exhibit:
    specimen, title = lab.specimens[method], words.METHOD_TITLES[method]
    shown_u8 = specimen.trial.show(key)
    near = psnr_db(lab.original_u8, shown_u8)
    if specimen.trial.opens(key):
        return Exhibit(shown_u8, title, f"opens, {in_db(near)}", f"{title}: the face", "good")
    masked = in_db(psnr_db(specimen.masked_u8, shown_u8))
    said = {"sealed": f"refused; raw bytes, {in_db(near)}", "proface-s-obfs": f"{masked} from mask"}
    note = said.get(method, f"does not open, {in_db(near)}")
    return Exhibit(shown_u8, title, note, f"{title} under a key that does not open: {note}")


def random_tries(lab: Lab, method: str, count: int) -> Iterator[tuple[Photo, float, bool]]:
    """Try random keys: what each shows, how near it comes, and whether it opens."""
    specimen = lab.specimens[method]
    for _ in range(count):
        key = engine.random_key()
        shown_u8 = specimen.trial.show(key)
        yield shown_u8, psnr_db(lab.original_u8, shown_u8), specimen.trial.opens(key)


def with_share(lab: Lab, share: float) -> list[Exhibit]:
    """Show the face when a share of the right key map's bits is wrong, by each network."""
    exhibits = []
    for method in NETWORKS:
        specimen, title = lab.specimens[method], words.METHOD_TITLES[method]
        shown_u8 = specimen.trial.show_map(specimen.key, share, SEED)
        near = in_db(psnr_db(lab.original_u8, shown_u8))
        alt = f"{title} with {share:.1%} of the key map's bits wrong"
        exhibits.append(Exhibit(shown_u8, title, f"{share:.1%} wrong: {near}", alt))
    return exhibits


def measure_curves(lab: Lab, report: Report) -> dict[str, list[float]]:
    """Measure the PSNR against the share of wrong bits, once for each face."""
    for method in NETWORKS:
        if method not in lab.curves:
            specimen, values = lab.specimens[method], []
            for step, share in enumerate(SHARES):
                report(step / len(SHARES), f"measuring {words.METHOD_TITLES[method]}")
                (point,) = engine.key_map_sweep(
                    specimen.trial, specimen.key, lab.original_u8, [share], SEED
                )
                values.append(point.psnr_db)
            lab.curves[method] = values
    return lab.curves


def spoofed(lab: Lab) -> list[Exhibit]:
    """Hand in the mask instead of the protected picture, with the right key."""
    exhibits = []
    for method in METHODS:
        specimen, title = lab.specimens[method], words.METHOD_TITLES[method]
        try:
            shown_u8 = specimen.trial.spoof(specimen.masked_u8, specimen.key)
        except WrongKeyError:
            alt = f"{title}: the mask, refused"
            exhibits.append(Exhibit(specimen.masked_u8, title, "refused: nothing to open", alt))
            continue
        near = in_db(psnr_db(lab.original_u8, shown_u8))
        exhibits.append(Exhibit(shown_u8, title, f"{near} from the face", f"{title}: spoof"))
    return exhibits


def residuals(lab: Lab, times: float) -> list[Exhibit]:
    """Show protected minus the true mask, amplified around grey: more than an onlooker can do."""
    masks = {method: lab.specimens[method].masked_u8 for method in METHODS}
    return [_residual(lab, method, masks[method], times, "the true mask") for method in METHODS]


def guessed_residuals(lab: Lab, times: float) -> list[Exhibit]:
    """Show protected minus a mask estimated from the protected picture alone, as anyone can do."""
    for method in METHODS:
        if method not in lab.estimates:
            specimen = lab.specimens[method]
            label = specimen.trial.header.mask
            lab.estimates[method] = engine.estimate_mask(specimen.protected_u8, label)
    guessed = lab.estimates
    return [_residual(lab, method, guessed[method], times, "its estimate") for method in METHODS]


def _residual(lab: Lab, method: str, mask_u8: Photo, times: float, named: str) -> Exhibit:
    protected_u8, title = lab.specimens[method].protected_u8, words.METHOD_TITLES[method]
    near = in_db(psnr_db(mask_u8, protected_u8))
    alt = f"{title}: what is more than {named}, {times:.0f} times amplified"
    return Exhibit(amplify(protected_u8, mask_u8, times), title, f"{near} from {named}", alt)
