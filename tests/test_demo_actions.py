"""What the demo's buttons do, on the released weights and a real photograph."""

import dataclasses
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, cast

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from sample_photos import portrait, psnr_db

import engine
from demo import (
    actions,
    attack,
    comparison,
    curve,
    exhibits,
    lab,
    meter,
    race,
    seeds,
    session,
    standing,
    strength,
    tour,
    troubles,
    words,
)
from demo.cards import figures_of, identity_fact, preview_card, protected_card
from demo.choices import method_choice, method_label, wrong_about, wrong_choices
from demo.draw import fit, in_cosine
from demo.likeness import Likeness, likeness
from demo.samples import SAMPLES, sample
from demo.session import Visits
from demo.tabs import attack_page, how, protect_page, wrong_keys
from demo.tabs.attack import AttackActions
from demo.tabs.protect import ProtectActions, wrong_mode
from demo.tabs.recover import recovered_card
from engine import Lap, errors
from engine.attacks.microscope import estimate_mask
from engine.faces import crop, detect, faces_from_boxes
from engine.images import open_photo, open_protected, write_png
from engine.masks import MASKS, make_mask, mask_label
from engine.methods import METHODS
from engine.passphrase import generate_passphrase
from engine.pipeline import ProtectOptions, protect, refuse_hidden_faces

RIGHT = "a quiet river 7"


@pytest.fixture(scope="module")
def found() -> actions.Found:
    return actions.look_at(sample("Astronaut"))


@pytest.fixture(scope="module")
def prepared() -> tuple[lab.Lab, str]:
    return lab.prepare(lab.face_of(portrait()), "gaussian", RIGHT, lambda share, stage: None)


@pytest.fixture(scope="module")
def table(prepared: tuple[lab.Lab, str]) -> lab.Lab:
    return prepared[0]


@pytest.mark.parametrize(("method", "least_db"), [("sealed", 60), ("proface-s-rand", 34)])
def test_what_is_protected_comes_back(
    found: actions.Found, method: str, least_db: float, tmp_path: Path
) -> None:
    shared = actions.protect(found, [1], "gaussian", method, RIGHT)
    path = tmp_path / "protected.png"
    path.write_bytes(shared.png)
    opened = actions.recover(str(path), RIGHT)
    box = found.faces[0].box
    face_u8 = crop(found.photo_u8, box)
    assert psnr_db(crop(open_photo(shared.png), box), face_u8) < 25
    assert psnr_db(crop(open_photo(opened.png), box), face_u8) > least_db
    assert (opened.opened, opened.closed, opened.method) == ((1,), (), method)
    assert opened.exact == shared.exact == (method == "sealed")
    assert shared.mask_db > 30
    assert shared.faces == 1


def test_each_refusal_has_words_of_its_own(found: actions.Found) -> None:
    png = actions.protect(found, [1], "sticker", "sealed", RIGHT).png
    pixels = open_protected(png).photo_u8
    changed = pixels.copy()
    changed[100:120, 100:120] ^= 64
    header = open_protected(png).header
    jpeg = io.BytesIO()
    Image.fromarray(pixels).save(jpeg, "JPEG")
    cases = {
        "Wrong passphrase": (png, "a quiet river 8"),
        "Changed since it was shared": (write_png(None, changed, header), RIGHT),
        "Re-encoded by another program": (jpeg.getvalue(), RIGHT),
        "Nothing of ours found": (write_png(None, portrait(), None), RIGHT),
        "A passphrase is needed": (png, ""),
    }
    for title, (data, passphrase) in cases.items():
        with pytest.raises(errors.EngineError) as caught:
            actions.recover(data, passphrase)
        assert troubles.explained(caught.value)[0] == title
    with pytest.raises(errors.EngineError) as caught:
        actions.recover(write_png(None, pixels[:-1], header), RIGHT)
    assert troubles.explained(caught.value)[0] == "Re-encoded by another program"


def test_what_knows_no_key_comes_back_without_a_passphrase() -> None:
    photo_u8 = portrait()
    seen = actions.look_at(photo_u8)
    png = actions.protect(seen, [1], "gaussian", "imn", RIGHT).png
    for passphrase in ("", "something else"):
        got = actions.recover(png, passphrase)
        assert (got.keyless, got.verified, got.opened) == (True, False, (1,))
        box = seen.faces[0].box
        assert psnr_db(crop(open_photo(got.png), box), crop(photo_u8, box)) > 30
        assert "No passphrase was needed" in recovered_card(got)
    assert actions.recover(png, RIGHT).verified


def test_what_a_wrong_key_shows_can_be_chosen(found: actions.Found) -> None:
    png = actions.protect(found, [1], "gaussian", "sealed", RIGHT, wrong="decoy").png
    trial = engine.Trial(open_protected(png))
    assert trial.header.wrong == "decoy"
    one, other = engine.random_key(), engine.random_key()
    drawn_u8 = trial.show(one)
    assert np.array_equal(trial.show(one), drawn_u8)
    assert not np.array_equal(trial.show(other), drawn_u8)
    assert np.abs(np.diff(drawn_u8.astype(int), axis=1)).mean() < 20  # where noise has 85


@pytest.mark.parametrize("method", METHODS)
def test_the_page_offers_only_what_the_method_can_show(method: str) -> None:
    modes = METHODS[method].wrong_modes
    offered = [mode for _, mode in wrong_choices(method)]
    assert offered == ["", *modes[1:]]
    assert all(wrong_mode(method, mode) == mode for mode in (*offered, *modes))
    assert len({wrong_about(method, mode) for mode in offered}) == len(offered)
    for mode in {"rand", "obfs", "decoy", "a ghost"} - {*modes}:
        with pytest.raises(gr.Error, match="This method cannot show that"):
            wrong_mode(method, mode)


def kinds_of(kind: type[errors.EngineError]) -> Iterator[type[errors.EngineError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from kinds_of(each)


def test_words_of_the_command_line_stay_there() -> None:
    hint = "draw --box X0,Y0,X1,Y1, or run python -m engine models"
    for kind in kinds_of(errors.EngineError):
        told = " ".join(troubles.explained(kind("expected a thing, got another", hint=hint)))
        assert "--" not in told, kind
        assert "python" not in told, kind
        assert "{" not in told, kind


def test_too_many_faces_are_refused_in_plain_words() -> None:
    places = [(40 * (n % 16), 40 * (n // 16)) for n in range(65)]
    boxes = [(x, y, x + 32, y + 32) for x, y in places]
    photo_u8 = np.zeros((640, 640, 3), np.uint8)
    found = actions.Found(photo_u8, tuple(faces_from_boxes(boxes, 640, 640)))
    with pytest.raises(errors.BoxError) as caught:
        actions.protect(found, list(range(1, 66)), "box", "sealed", RIGHT)
    assert "at most 64 hidden faces, got 65" in troubles.explained(caught.value)[1]
    assert set(words.MASK_TITLES) == {n for n, entry in MASKS.items() if not entry.takes_model}
    assert set(words.METHOD_TITLES) == set(METHODS)


@pytest.mark.parametrize("method", ["sealed", "proface-s-rand"])
def test_what_hides_faces_already_is_not_protected_again(method: str) -> None:
    photo_u8 = portrait()
    made = protect(photo_u8, detect(photo_u8), RIGHT, ProtectOptions(method, "gaussian"))
    broken = bytearray(made.png)
    place = made.png.index(open_protected(made.png).header or b"none")
    broken[place + 9] ^= 1
    with pytest.raises(errors.AlreadyProtectedError) as caught:
        actions.look(made.png)
    assert troubles.explained(caught.value)[0] == "Already protected"
    with pytest.raises(errors.EngineError):
        refuse_hidden_faces(open_protected(bytes(broken)))
    saved = write_png(None, made.photo_u8, None)
    changed_u8 = made.photo_u8.copy()
    changed_u8[100:120, 100:120] ^= 64
    if method == "sealed":  # the header is in the pixels, too
        for png in (saved, write_png(None, changed_u8, None)):
            with pytest.raises(errors.AlreadyProtectedError):
                actions.look(png)
    else:  # nothing is left that could tell
        refuse_hidden_faces(open_protected(saved))


def test_photographs_are_not_taken_for_protected_ones() -> None:
    for kind in ("JPEG", "WEBP", "PNG"):
        file = io.BytesIO()
        Image.fromarray(portrait()).save(file, kind)
        assert len(actions.look(file.getvalue()).faces) == 1


def test_a_picture_without_a_check_is_not_said_to_be_opened() -> None:
    photo_u8 = portrait()
    faces = detect(photo_u8)
    options = ProtectOptions("proface-s-rand", "gaussian", check_value=False)
    unchecked = protect(photo_u8, faces, RIGHT, options).png
    for passphrase in (RIGHT, "something else"):
        got = actions.recover(unchecked, passphrase)
        said = recovered_card(got)
        assert not got.verified
        assert "nothing in the file tells" in said
        assert not any(word in said for word in ("fits", "Faces back", "fv-good", "as it was"))


def test_bit_exact_is_said_of_the_face_alone(found: actions.Found) -> None:
    options = ProtectOptions(
        "sealed", check_value=False
    )  # its payload is authenticated all the same
    png = protect(found.photo_u8, found.faces, RIGHT, options).png
    got = actions.recover(png, RIGHT)
    said = recovered_card(got)
    assert got.verified
    assert got.exact
    assert "The passphrase fits" in said
    assert "every pixel of the face as it was; the rest of the photo as in the protected" in said
    assert not np.array_equal(open_photo(got.png), found.photo_u8)


def test_no_face_and_no_choice_protect_nothing(found: actions.Found) -> None:
    with pytest.raises(errors.NoFaceError):
        actions.look_at(np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(errors.NoFaceError):
        actions.protect(found, [], "gaussian", "sealed", RIGHT)
    assert len(actions.look_at(np.full((96, 96, 3), 128, np.uint8), "whole").faces) == 1


def test_the_preview_masks_what_is_ticked_and_nothing_else(found: actions.Found) -> None:
    box = found.faces[0].box
    middle = (box[0] + 30, box[1] + 30, box[2] - 30, box[3] - 30)
    original = crop(found.photo_u8, middle)
    ticked, none = (actions.preview(found, numbers, "box").photo_u8 for numbers in ([1], []))
    assert psnr_db(crop(ticked, middle), original) < 20
    assert psnr_db(crop(none, middle), original) == float("inf")


def test_the_preview_says_what_the_result_will_say(found: actions.Found) -> None:
    unplaced = dataclasses.replace(found.faces[0], landmarks=None)
    blind, tiny = actions.Found(found.photo_u8, (unplaced,)), actions.look_at(fit(portrait(), 56))
    for seen, mask, title, told in (
        (blind, "ksame", "Not the mask you chose", "the whole box is blurred instead"),
        (
            tiny,
            "sticker",
            "Look at this face",
            "pixels between the eyes; sticker is laid over it all the same",
        ),
    ):
        before = actions.preview(seen, [1], mask)
        after = actions.protect(seen, [1], mask, "sealed", RIGHT)
        assert (before.notes, before.remarks) == (after.notes, after.remarks)
        (fact,) = re.findall(f"<div><dt>{title}</dt>.*?</div>", preview_card(before))
        assert told in fact and fact in protected_card(after, 0)
        assert actions.preview(seen, [], mask).notes == ()
    plain = actions.preview(found, [1], "sticker")
    assert (plain.notes, plain.remarks, preview_card(plain)) == ((), (), "")


@pytest.mark.parametrize("mask", ["sticker", "simswap"])
def test_what_is_previewed_is_laid(found: actions.Found, mask: str) -> None:
    x0, y0, x1, y1 = found.faces[0].box
    middle = (x0 + 40, y0 + 40, x1 - 40, y1 - 40)  # within the frame and beside the number
    shared = actions.protect(found, [1], mask, "sealed", RIGHT, seed=2**100)
    laid_u8 = crop(open_photo(shared.png), middle)
    same, other = (
        crop(actions.preview(found, [1], mask, seed=seed).photo_u8, middle)
        for seed in (2**100, 2**100 + 1)
    )
    assert psnr_db(same, laid_u8) > 45
    assert psnr_db(other, laid_u8) < 30


def test_a_seed_is_taken_where_it_chooses_and_may_be_known(found: actions.Found) -> None:
    assert {mask for mask in words.MASK_TITLES if actions.takes_seed(mask)} == {
        "sticker", "ksame", "simswap", "faceshifter",
    }  # fmt: skip
    assert not actions.takes_seed("simswap", "somebody") and actions.takes_seed("ksame", "somebody")
    assert not actions.takes_seed("a ghost")
    box = found.faces[0].box
    one, other = (
        crop(open_photo(actions.protect(found, [1], "noise", "sealed", RIGHT, seed=3).png), box)
        for _ in range(2)
    )
    assert psnr_db(one, other) < 20, "noise of a seed that is known could be subtracted"


def test_another_drawing_is_offered_in_the_place_of_a_strength() -> None:
    for mask in words.MASK_TITLES:
        _, slider, button, *_ = protect_page._about_mask(mask, None)
        assert button == protect_page._can_draw(mask, None)
        assert button["visible"] == actions.takes_seed(mask) == (not slider["visible"])
        assert button["value"] == f"Draw another {'face' if MASKS[mask].replaces else 'character'}"
        if strength.has_strength(mask):
            assert slider["visible"]
    for offered in (
        protect_page._can_draw("simswap", "a photograph"),
        protect_page._about_mask("simswap", "a photograph")[2],
    ):
        assert not offered["visible"]
    assert protect_page._can_draw("ksame", "a photograph, about to be taken away")["visible"]


@dataclasses.dataclass(eq=False)
class Tab:
    """The tab Protect without its page: which seeds previews and results were made with."""

    does: ProtectActions
    monkeypatch: dataclasses.InitVar[pytest.MonkeyPatch]
    seeds: list[int] = dataclasses.field(default_factory=list)
    dull: bool = False

    def __post_init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(actions, "preview", self._preview)
        monkeypatch.setattr(actions, "protect", self._protect)

    def _preview(self, *args: object) -> actions.Previewed:
        self.seeds.append(cast(int, args[-1]))
        tint = 0 if self.dull else self.seeds[-1] % 251
        return actions.Previewed(np.full((64, 64, 3), tint, np.uint8), ("a note; told",))

    def _protect(self, *args: object) -> actions.Shared:
        self.seeds.append(cast(int, args[-1]))
        return actions.Shared(b"png", 40.0, True, 1, 0.1)

    def ask(self, what: str, photo: Path, seed: str | None = None) -> tuple[str, str]:
        """Press a button; returns what is said, and the seed that the page then has."""
        page = cast(gr.Request, SimpleNamespace(session_hash="page"))
        chosen = (str(photo), "usual", ["all"], "sticker", 1.0)
        if what == "faces":
            *_, said, next_one = self.does.faces(*chosen[:2], *chosen[3:], page, None, seed)
        elif what == "protect":
            silent = cast(gr.Progress, lambda *_, **__: None)
            made = self.does.protect(*chosen, "sealed", RIGHT, "", page, None, seed, silent)
            assert made[3]["still_known"] is made[3]["identity_cosine"] is None
            said, next_one = made[2], seed or ""
        else:
            asked = self.does.another if what == "another" else self.does.preview
            _, said, next_one = asked(*chosen, page, None, seed)
        return said, next_one


@pytest.fixture
def tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tab:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return Tab(ProtectActions(Visits(tmp_path)), monkeypatch)


@pytest.fixture
def six(tmp_path: Path) -> Path:
    path = tmp_path / "six.png"
    write_png(path, sample("Group of six"), None)
    return path


def test_the_seed_on_the_page_is_the_one_that_is_laid(tab: Tab, six: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    write_png(other, portrait(), None)
    said, first = tab.ask("faces", six)
    assert "a note" in said and tab.ask("preview", six, first)[1] == first
    _, second = tab.ask("preview", other)
    tab.ask("protect", six, first)
    tab.ask("protect", other, second)
    tab.ask("protect", six, first)
    assert tab.seeds == [int(seed) for seed in (first, first, second, first, second, first)]
    assert first != second and min(tab.seeds) > 2**64
    drawn = {int(first), int(second)}
    for what in ("protect", "protect", "preview", "faces"):
        tab.ask(what, six)
    assert len({*tab.seeds[-4:]} - drawn) == 4, "who gives no seed gets a new one each time"
    page = cast(gr.Request, SimpleNamespace(session_hash="page"))
    assert tab.does.another("", "usual", [], "sticker", 1.0, page) == (None, "", "")


def test_after_a_rest_the_mask_on_the_page_is_laid(
    tab: Tab, six: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(tab, "does", ProtectActions(Visits(tmp_path, lambda: now[0])))
    visits = tab.does.visits
    visits.of("page").open_page = True
    _, seed = tab.ask("preview", six)
    assert visits.has("page", "found")
    now[0] = session.KEEP_SECONDS + 1
    visits.sweep()
    assert not visits.has("page", "found")
    write_png(six, sample("Group of six"), None)  # as where another page holds the same sample
    tab.ask("protect", six, seed)
    assert tab.seeds == [int(seed)] * 2


def test_another_drawing_uses_no_seed_of_the_last_for_any_face(tab: Tab, six: Path) -> None:
    _, seed = tab.ask("faces", six)
    said, next_one = tab.ask("another", six, seed)
    assert words.ANOTHER in said and "a note" in said and 'role="status"' in said
    used = [{tab.seeds[n] + face for face in range(6)} for n in (0, 1)]
    assert tab.seeds[1] == int(next_one) and used[0].isdisjoint(used[1])
    several, one = faces_from_boxes([(0, 0, 32, 32), (40, 0, 72, 32)], 64, 128)
    several = dataclasses.replace(several, others=(one, one))
    assert seeds.next_seed(7, [several, one]) == 10


def test_where_there_is_no_other_it_is_said_so(tab: Tab, six: Path) -> None:
    tab.dull = True
    _, seed = tab.ask("faces", six)
    said, next_one = tab.ask("another", six, seed)
    assert words.NO_OTHER in said and words.ANOTHER not in said
    assert tab.seeds == [int(seed) + 6 * step for step in range(4)]
    assert int(next_one) == tab.seeds[-1]


@pytest.mark.parametrize("text", ["-1", "1.5", "x", " 7", "٣", "1" * 40, "0x7"])
def test_a_seed_that_is_none_is_refused(tab: Tab, six: Path, text: str) -> None:
    for what in ("faces", "preview", "another", "protect"):
        with pytest.raises(gr.Error, match=r"This is no seed.*whole number from 0, of at most 39"):
            tab.ask(what, six, text)
    assert tab.seeds == []
    assert seeds.seed_of(str(2**128)) == 2**128 and seeds.seed_of("0") == 0


def test_a_preview_of_a_person_who_was_chosen_is_laid(found: actions.Found) -> None:
    six_u8 = sample("Group of six")
    box = found.faces[0].box
    middle = (box[0] + 40, box[1] + 40, box[2] - 40, box[3] - 40)
    sources = [engine.find_source(six_u8[:, half]) for half in (slice(0, 640), slice(640, 1280))]
    seen = [
        crop(actions.preview(found, [1], "simswap", 1, whose, 5).photo_u8, middle)
        for whose in sources
    ]
    shared = actions.protect(found, [1], "simswap", "sealed", RIGHT, source=sources[0], seed=5)
    assert shared.sourced
    laid_u8 = crop(open_photo(shared.png), middle)
    assert psnr_db(seen[0], laid_u8) > 45 > 35 > psnr_db(seen[1], laid_u8)


@pytest.mark.parametrize("mask", [name for name in MASKS if not MASKS[name].replaces])
@pytest.mark.parametrize("factor", [0.5, 0.7, 1.0, 1.3, 2.0])
def test_every_step_of_the_strength_slider_is_a_mask(mask: str, factor: float) -> None:
    face_u8 = portrait()[40:152, 60:172]
    values = strength.strength_of(mask, factor)
    assert make_mask(mask, face_u8, strength=values).shape == face_u8.shape
    assert len(mask_label(mask, values)) <= 64
    assert bool(values) == (strength.has_strength(mask) and factor != 1)


def test_the_samples_are_photos_with_faces() -> None:
    for name in SAMPLES:
        assert sample(name).dtype == np.uint8
        assert not sample(name).flags.writeable
    assert len(actions.look_at(sample("Group of six")).faces) == 6


def test_every_method_has_the_same_cartoon_to_hide_in() -> None:
    drawn, _ = lab.prepare(lab.face_of(portrait()), "sticker", RIGHT, lambda share, stage: None)
    first, *others = (specimen.masked_u8 for specimen in drawn.specimens.values())
    assert all(np.array_equal(first, other) for other in others)
    small = [attack.expose(drawn, method).masked_u8 for method in ("sealed", "proface-k")]
    np.testing.assert_array_equal(*small)
    again, _ = lab.prepare(lab.face_of(portrait()), "sticker", RIGHT, lambda share, stage: None)
    assert not np.array_equal(again.specimens["sealed"].masked_u8, first), "another page, another"


def test_right_and_wrong_keys_in_the_lab(table: lab.Lab) -> None:
    right = lab.under(table, lab.right_keys(table))
    assert [picture.tone for picture in right] == ["good"] * len(lab.METHODS)
    assert all("opens" in picture.note for picture in right)
    for keys in (table.wrong_keys, lab.one_bit_off(table), lab.derived(table, "open sesame")):
        wrong = lab.under(table, keys)
        assert [picture.tone for picture in wrong] == ["plain"] * len(lab.METHODS)
        near = [psnr_db(picture.picture_u8, table.original_u8) for picture in wrong]
        assert max(near) < 25
    assert lab.derived(table, RIGHT) == lab.right_keys(table)


@pytest.mark.parametrize("method", lab.METHODS)
def test_random_keys_open_nothing(table: lab.Lab, method: str) -> None:
    tries = list(lab.random_tries(table, method, 3))
    assert len(tries) == 3
    assert not any(opens for _, _, opens in tries)
    assert max(near for _, near, _ in tries) < 25


def test_the_curve_falls_with_the_share_of_wrong_bits(table: lab.Lab) -> None:
    curves = lab.measure_curves(table, lambda share, stage: None)
    assert set(curves) == set(lab.NETWORKS)
    for values in curves.values():
        assert values[0] > 34
        assert values[-1] < 20
        assert len(curve.figure(curves, 0.1).data) == 2
    assert lab.measure_curves(table, lambda share, stage: pytest.fail("measured twice")) is curves
    assert len(lab.with_share(table, 0.1)) == 2


def strings_in(thing: object) -> set[str]:
    if isinstance(thing, str):
        return {thing}
    if isinstance(thing, dict):
        return set().union(*(strings_in(each) for each in thing.values()))
    if dataclasses.is_dataclass(thing):
        return strings_in(
            {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
        )
    return set()


def test_the_lab_keeps_no_passphrase(prepared: tuple[lab.Lab, str]) -> None:
    table, typo = prepared
    assert typo != RIGHT
    assert strings_in(dataclasses.replace(table, mask=RIGHT)) == {RIGHT}
    assert strings_in(table) == {"gaussian"}


def test_a_picture_keeps_its_name_whatever_its_file_looks_like(
    found: actions.Found, tmp_path: Path
) -> None:
    made = actions.protect(found, [1], "gaussian", "sealed", RIGHT).png
    path, other = tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(made)
    file = open_protected(made)
    assert file.header is not None
    other.write_bytes(actions.protect(found, [1], "gaussian", "sealed", RIGHT).png)
    assert actions.identity(str(path)) == actions.identity(str(path))
    assert actions.identity(str(path)) != actions.identity(str(other))
    write_png(other, file.photo_u8, file.header)
    other.write_bytes(other.read_bytes() + b"trailing bytes")
    assert actions.identity(str(path)) == actions.identity(str(other))


@pytest.mark.parametrize("method", lab.METHODS)
def test_without_a_released_attacker_the_panel_says_how_to_train_one(
    table: lab.Lab, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "revealed_methods", lambda: (), raising=False)
    exposed = attack.expose(table, method)
    assert attack.expose(table, method) is exposed
    assert exposed.original_u8.shape == (attack.SIDE, attack.SIDE, 3)
    assert psnr_db(exposed.protected_u8, exposed.masked_u8) > 30
    found = attack.guesses(exposed, method)
    assert found.attacker_u8 is found.control_u8 is None
    said = attack.shown(exposed, found, method)
    assert said.count("<img") == 2
    assert f"attack keyless --methods {method}" in said


def test_the_attacker_is_judged_beside_its_control(table: lab.Lab) -> None:
    exposed = attack.expose(table, "sealed")
    truth = exposed.original_u8.astype(int)
    near, far = (np.asarray((truth + off).clip(0, 255), np.uint8) for off in (4, 16))
    said = attack.shown(exposed, attack.Guesses(near, far), "sealed")
    gain = psnr_db(near, exposed.original_u8) - psnr_db(far, exposed.original_u8)
    assert f"{gain:+.1f} dB beside the control" in said
    assert said.count("<img") == 4
    assert "This attacker learned Blur, " in said and "never saw" not in said
    unlike = dataclasses.replace(exposed, mask="noise")
    assert "never saw Noise" in attack.shown(unlike, attack.Guesses(near, far), "sealed")
    back = attack.shown(exposed, attack.Guesses(far, near), "sealed")
    assert f"−{gain:.1f} dB beside the control" in back


def test_the_enhancer_draws_somebody_and_says_whom(table: lab.Lab) -> None:
    exposed = attack.expose(table, "sealed")
    said = attack.enhanced(exposed)
    assert said.count("<img") == 3 and said.count("cosine to the person") == 2
    assert "features of somebody" in said and "To our recogniser this is not the person" in said
    assert "fv-bad" not in said
    face = engine.whole_face(exposed.original_u8)
    known = engine.landmarks_in(exposed.original_u8, face)
    assert known is not None
    made_u8 = engine.restored(exposed.masked_u8, known.points)
    alike = likeness(exposed.original_u8, made_u8, [face])
    assert alike is not None and not alike.known
    assert f"cosine to the person {in_cosine(alike.nearest)}" in said
    assert in_cosine(alike.threshold) in said
    clear = dataclasses.replace(exposed, masked_u8=exposed.original_u8)
    said = attack.enhanced(clear)
    assert "knows the person already in the mask" in said and "features of somebody" not in said
    assert 'class="fv-told fv-bad"' in said
    faceless = dataclasses.replace(exposed, original_u8=np.full_like(exposed.original_u8, 128))
    said = attack.enhanced(faceless)
    assert "were not found" in said and "<img" not in said


def test_each_way_to_attack_is_shown_as_it_is_done(table: lab.Lab, tmp_path: Path) -> None:
    visits, page = Visits(tmp_path), cast(gr.Request, SimpleNamespace(session_hash="page"))
    visits.of("page").things["lab"] = table
    silent = cast(gr.Progress, lambda *_, **__: None)
    steps = [*AttackActions(visits).all_ways("sealed", 10, 90, page, silent)]
    assert len(steps) == wrong_keys.ATTACKED
    for number, step in enumerate(steps):
        filled = [place for place, shown in enumerate(step) if isinstance(shown, str)]
        assert len(step) == wrong_keys.ATTACKED and filled == [number]
    assert "enhancer's picture" in re.sub("&#x27;", "'", steps[1][1])
    (left,) = AttackActions(visits).first_look("sealed", 10, 90, page, silent)
    assert left == (gr.skip(),) * wrong_keys.ATTACKED, "attacked already"


@pytest.mark.parametrize("kind", [errors.WeightsMissingError, errors.WeightsHashError])
def test_without_an_enhancer_the_other_attacks_come(
    table: lab.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[errors.ModelError]
) -> None:
    def restored(*_: object) -> actions.Photo:
        raise kind("expected the enhancer, found another file", hint="download it")

    monkeypatch.setattr(engine, "restored", restored, raising=False)
    visits, page = Visits(tmp_path), cast(gr.Request, SimpleNamespace(session_hash="page"))
    visits.of("page").things["lab"] = table
    silent = cast(gr.Progress, lambda *_, **__: None)
    steps = [*AttackActions(visits).all_ways("sealed", 10, 90, page, silent)]
    shown = [step[number] for number, step in enumerate(steps)]
    assert len(shown) == wrong_keys.ATTACKED and all("<figure" in each for each in shown)
    assert "missing on this server, or damaged" in shown[1] and "fv-none" in shown[1]


def test_an_enhancer_that_finds_the_person_is_said_to(
    table: lab.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposed = attack.expose(table, "sealed")
    monkeypatch.setattr(engine, "restored", lambda *_: exposed.original_u8, raising=False)
    said = attack.enhanced(exposed)
    assert (
        '<p role="status">The enhancer brings enough back that our recogniser takes it for the '
        "person, whom the mask alone did hide."
    ) in said
    assert "features of somebody" not in said and "made up" not in said
    assert 'class="fv-told fv-bad"' in said and said.count('class="fv-figure fv-bad"') == 1
    monkeypatch.setattr(attack, "likeness", lambda *_: None)
    said = attack.enhanced(exposed)
    assert "not measured" in said and "cosine" not in said and "features of" not in said


def test_the_attack_page_offers_every_method_with_what_was_measured_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing, "result", lambda name: f"measured of {name}.")
    offered = {name: label for label, name in attack_page.choices()}
    assert set(offered) == {*METHODS}
    for name, label in offered.items():
        title, *_, measured = label.splitlines()
        assert (title, measured) == (words.METHOD_TITLES[name], f"measured of {name}.")


def test_without_a_key_the_attack_page_shows_what_anyone_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = lab.Lab(lab.face_of(portrait()), "gaussian", {}, {})
    exposed = attack.expose(face, "imn")
    assert exposed.opened_u8 is not None
    assert psnr_db(exposed.opened_u8, exposed.original_u8) > 30
    assert attack.expose(face, "sealed").opened_u8 is None
    said = attack.shown(exposed, attack.guesses(exposed, "imn"), "imn")
    assert said.count("<img") == 4
    assert "What anyone recovers" in said and standing.ANYONE in said
    assert "attacker's picture" not in said and "No trained attacker" not in said
    monkeypatch.setattr(engine, "protect", lambda *_: pytest.fail("nothing to race for"))
    visits, page = Visits(tmp_path), cast(gr.Request, SimpleNamespace(session_hash="page"))
    visits.of("page").things["lab"] = face
    (told,) = AttackActions(visits).race(RIGHT, "imn", page)
    assert "no key to race for" in told and standing.ANYONE in told


def test_a_jpeg_is_recognised_and_gives_no_face(table: lab.Lab) -> None:
    for quality in (95, 30):
        said = attack.resaved(table, quality)
        assert said.count("<img") == len(lab.METHODS)
        assert words.TROUBLES[errors.ReencodedError][0] in said
        near = [float(value) for value in re.findall(r"([\d.]+) dB near the face<", said)]
        assert len(near) == len(lab.METHODS) - 1
        assert max(near) < 30


def test_another_mask_or_face_is_protected_before_anything_is_shown_of_it(
    table: lab.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def prepare(face_u8: actions.Photo, mask: str, *rest: object) -> tuple[lab.Lab, str]:
        asked.append(mask)
        return dataclasses.replace(table, mask=mask), "a slip"

    def silent(share: float, desc: str = "") -> None:
        del share, desc

    monkeypatch.setattr(lab, "prepare", prepare)
    does = wrong_keys.WrongKeyActions(Visits(tmp_path))
    page = cast(gr.Request, SimpleNamespace(session_hash="page"))
    first, mosaic = ("Astronaut", "", "gaussian"), ("Astronaut", "", "pixelate")

    def renew(source: str, photo: str, mask: str) -> tuple[object, ...]:
        found = does.renew(source, photo, mask, RIGHT, page, cast(gr.Progress, silent))
        assert len(found) == 4 + wrong_keys.ATTACKED
        return found

    assert does.outdated(*first, page) == ""  # nothing stands there yet
    assert "Blur" in str(renew(*first)[0])
    assert does.outdated(*first, page) == ""
    assert all(left == gr.skip() for left in renew(*first)) and asked == ["gaussian"]
    assert "under Blur" in does.outdated(*mosaic, page)
    left, _, guessed, note, *attacked = renew(*mosaic)
    assert "Mosaic" in str(left) and guessed == note == ""
    assert attacked == [wrong_keys.WAITING] * wrong_keys.ATTACKED
    assert does.outdated(*mosaic, page) == "" and asked == ["gaussian", "pixelate"]
    assert "under Mosaic" in does.outdated("Group, face 2", "", "pixelate", page)
    with pytest.raises(gr.Error, match="No photo yet"):
        renew("My photo", "", "pixelate")


def test_the_race_is_told_as_it_stands() -> None:
    course = race.Course(words=8000, place=4000, listed=True)
    begun = Lap("pbkdf2-10", tried=500, seconds=0.5)
    # Found early, a runner tries on for a moment so that its pace can be told.
    found = Lap("pbkdf2-10", 4321, 4.3, place=4000, found_s=4.0, done=True)
    late = Lap("argon2id", tried=8, seconds=4.0, done=True)
    assert race.page(course, {}).count("Waits for its turn") == 2
    assert "500 of 8,000" in race.page(course, {begun.derivation: begun})
    told = race.page(course, {found.derivation: found, late.derivation: late}).replace(
        "\u00a0", " "
    )
    assert "<dt>Found</dt><dd>at place 4,000 of 8,000<small>after 4 s" in told
    assert "4,321" not in told and '<progress value="4000" max="8000"' in told
    assert "stands at place 4,000 of a list of 8,000 common ones by itself" in told
    assert "place 4,000 takes 33 min" in told  # at two a second
    assert told.count("without a look at the picture") == 1
    assert told.index("without a look at the picture") < told.index("the tag that tells")
    planted = race.page(race.Course(8001, 4001, listed=False), {})
    assert "planted there for this race, at place 4,001 of 8,001" in planted
    assert "nothing of how good it is" in planted
    for seconds, text in (
        (0.0002, "under 1 ms"),
        (0.25, "250 ms"),
        (90, "90 s"),
        (4e9, "127 years"),
    ):
        assert race.duration(seconds).replace("\u00a0", " ") == text


def test_that_a_method_leaks_is_said_where_the_rows_say_so_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    senses: dict[str, Literal["holds", "leaks", "open"]] = {
        "sealed": "holds", "proface-k": "leaks", "proface-s-rand": "open",
        "proface-s-obfs": "leaks", "imn": "leaks",
    }  # fmt: skip
    standings = {
        name: engine.Standing(name, attacked=engine.Attacked(sense, 1.0, "box", 0.1, 9))
        for name, sense in senses.items()
    }
    monkeypatch.setattr(standing, "_measured", lambda: standings)
    monkeypatch.setattr(standing, "result", lambda name: f"measured of {name}.")
    for name in senses:
        leaking = name in ("proface-k", "proface-s-obfs")  # imn has no key: nothing to leak past
        assert standing.leaks(name) == leaking
        for said in (method_choice(name), method_label(name)):
            assert (standing.LEAKS in said) == leaking
            assert "attacker" not in said.replace(standing.LEAKS, "")
    head, text = how.leaks()
    assert head == "ProFace-K and ObfsWR leak."
    assert "ProFace-K: measured of proface-k. ObfsWR: measured of proface-s-obfs. " in text
    assert "RandWR" not in text and "IMN" not in text
    assert tour._studied().endswith(f" ProFace-K and ObfsWR leak: {standing.LEAKS}.")
    del standings["proface-k"]
    assert how.leaks()[0] == "ObfsWR leaks."
    standings.clear()
    assert tour._studied() == ""
    assert "leak" not in how.leaks()[0] and "No method here was measured to leak" in how.leaks()[1]


def test_the_networks_that_leak_by_the_released_rows_are_said_to() -> None:
    judged = {name: one.attacked.sense for name, one in engine.standings().items() if one.attacked}
    assert judged["proface-s-obfs"] == "leaks" and judged["sealed"] == "holds"
    for name in {*METHODS} - {"imn"}:
        assert (standing.LEAKS in method_choice(name)) == (judged.get(name) == "leaks")


def test_results_are_told_from_rows_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    attacked = engine.Attacked("open", 0.12, "pixelate", 0.09, 400)
    whole = standing.in_words(engine.Standing("proface-k", "lfw", 40.96, 37.69, attacked))
    assert whole == (
        "mask:protected 41.0 dB, recovered 37.7 dB (LFW). "
        "Trained attacker: +0.12 ± 0.09 dB over the mask alone at worst after 400 steps "
        "(open: not settled)."
    )
    known = engine.Attacked("open", 0.12, "pixelate", 0.09, None, -0.002, 0.018)
    assert standing.against(known) == (
        "Trained attacker: +0.12 ± 0.09 dB over the mask alone at worst, and −0.2 ± 1.8 points of "
        "faces known again (open: not settled)."
    )
    leaks = engine.Attacked("leaks", 6.0, "gaussian", 0.1, None)
    assert standing.against(leaks).endswith("+6.00 ± 0.10 dB over the mask alone at worst (leaks).")
    held = standing.against(engine.Attacked("holds", 0.01, "box", 0.1, 9000))
    assert "+0.01 ± 0.10 dB over the mask alone at worst after 9,000 steps" in held
    lost = standing.against(engine.Attacked("holds", -0.0189, "box", 0.0059, 500))
    assert "−0.02 ± 0.01 dB over" in lost
    nought = standing.against(engine.Attacked("holds", -0.004, "box", 0.001, 500, -0.0004, 0.008))
    assert "+0.00 ± 0.00 dB over" in nought and "+0.0 ± 0.8 points" in nought
    assert standing.in_words(engine.Standing("x")) == "Trained attacker: not measured yet."
    measured = engine.standings()
    for method in {*METHODS} - {"imn"}:
        told = standing.in_words(measured[method]) if method in measured else standing.UNKNOWN
        assert standing.result(method).removesuffix(" That was an older model of it.") == told
    assert standing.result("imn").endswith(standing.ANYONE)
    attacked = {name: one.attacked for name, one in measured.items() if one.attacked}
    weights = {name: engine.find_method(name).model_hash().hex() for name in attacked}
    for name, one in attacked.items():
        if name == "imn":
            continue  # nobody need attack it, and no attacker is named
        assert standing.result(name).endswith("older model of it.") == (
            one.weights != weights[name]
        )
    older = dataclasses.replace(attacked["sealed"], weights="00")
    assert standing._older(older, "sealed") == " That was an older model of it."

    def nothing() -> dict[str, engine.Standing]:
        raise errors.ResultsError("no results database", hint="make one")

    standing._measured.cache_clear()
    monkeypatch.setattr(engine, "standings", nothing, raising=False)
    assert standing.result("sealed") == standing.UNKNOWN
    standing._measured.cache_clear()


def test_spoof_and_residual_are_shown_for_every_method(table: lab.Lab) -> None:
    spoofed = lab.spoofed(table)
    assert "refused" in spoofed[-1].note
    assert max(psnr_db(each.picture_u8, table.original_u8) for each in spoofed) < 25
    for shown in (lab.residuals, lab.guessed_residuals):
        grey, loud = shown(table, 1), shown(table, 50)
        assert all(a.picture_u8.std() < b.picture_u8.std() for a, b in zip(grey, loud, strict=True))


def test_an_onlooker_subtracts_what_the_shared_picture_alone_tells(table: lab.Lab) -> None:
    guessed = lab.guessed_residuals(table, 10)
    assert "estimate" in guessed[0].note and "estimate" in guessed[0].alt
    for method, seen in zip(lab.METHODS, guessed, strict=True):
        specimen = table.specimens[method]
        mask_u8 = estimate_mask(specimen.protected_u8, specimen.trial.header.mask)
        np.testing.assert_array_equal(
            seen.picture_u8, engine.amplify(specimen.protected_u8, mask_u8, 10)
        )
        assert not np.array_equal(mask_u8, specimen.masked_u8)


def test_the_comparison_has_a_cell_for_everything() -> None:
    mask, cells = next(comparison.rows(lab.face_of(portrait())))
    assert mask == "gaussian"
    assert len(cells) == 1 + 3 * len(lab.METHODS)
    assert all(cell is not None and cell.details for cell in cells)


def test_the_tour_tells_the_truth() -> None:
    told = tour.story()
    assert told.exact
    assert told.png_bytes > 10_000
    face_u8 = crop(told.photo_u8, told.box)
    assert psnr_db(crop(told.wrong_u8, told.box), face_u8) < 15
    for number in range(1, tour.STEPS + 1):
        assert f"<h2>{number}." in tour.step(number)
    assert tour.summary().count("<img") == 4


@pytest.mark.parametrize(
    ("passphrase", "word"),
    [
        ("", ""),
        ("password", "listed"),
        ("Password1!", "listed"),
        ("aaaaaaaaaaaa", "listed"),
        ("qwertyuiop", "listed"),
        ("correct horse battery staple", "listed"),
        ("miep5kat", "weak"),
        ("my aunt keeps eleven geese", "fair"),
        ("zoom zoom zoom zoom zoom zoom", "weak"),
        ("my aunt keeps eleven geese and they all bite postmen", "strong"),
    ],
)
def test_the_meter_is_honest(passphrase: str, word: str) -> None:
    assert meter.worth_of(passphrase).word == word


def test_a_generated_passphrase_has_its_exact_worth() -> None:
    drawn = generate_passphrase(meter.GENERATED_WORDS)
    while len(set(drawn.split())) < meter.GENERATED_WORDS:
        drawn = generate_passphrase(meter.GENERATED_WORDS)
    worth = meter.worth_of(drawn)
    assert "if drawn" in worth.note
    assert "77 bits" in exhibits.meter(worth)
    assert "77 bits" in meter.worth_of("my aunt keeps geese").note
    assert worth.bits == pytest.approx(77.5, abs=0.1)
    assert (worth.word, worth.exact) == ("strong", True)


def test_the_card_says_whether_anybody_is_still_known() -> None:
    found = actions.look_at(sample("Astronaut"))
    plain = actions.protect(found, [1], "gaussian", "sealed", "six words of nobody", 0.5)
    hidden = actions.protect(found, [1], "box", "sealed", "six words of nobody")
    assert plain.likeness is not None and hidden.likeness is not None
    assert (plain.likeness.known, hidden.likeness.known) == (1, 0)
    threshold = engine.find_recognizer().threshold
    assert threshold is not None and plain.likeness.nearest >= threshold > hidden.likeness.nearest
    assert identity_fact(plain)[1] == "1 hidden face is still known"
    assert identity_fact(hidden)[1] == "none of the hidden faces is known"
    figures = figures_of(hidden, "sealed")
    assert figures["identity_cosine"] == hidden.likeness.nearest, "rounded, it may reach threshold"
    assert figures["identity_threshold"] == threshold
    for shared in (plain, hidden):
        assert shared.likeness is not None
        near = f"{shared.likeness.nearest:.2f}".removeprefix("0").replace("-0", "−")
        whole = f"nearest: cosine {near}, one person from {threshold:.2f} on".replace(" 0.", " .")
        assert whole in identity_fact(shared)[2]
    assert identity_fact(dataclasses.replace(plain, likeness=None))[1] == "not measured"


def test_the_nearest_of_several_faces_is_told() -> None:
    photo_u8 = sample("Group of six")
    first, second, *_ = faces = detect(photo_u8)
    other_u8 = photo_u8.copy()
    other_u8[second.box[1] : second.box[3], second.box[0] : second.box[2]] = 128
    both, hidden = (likeness(photo_u8, other_u8, some) for some in ([second, first], [second]))
    assert both is not None and hidden is not None
    assert both.known == 1 and both.nearest == pytest.approx(1)
    assert hidden.known == 0 and hidden.nearest < hidden.threshold
    unplaced = dataclasses.replace(first, landmarks=None)
    assert likeness(photo_u8, other_u8, [*faces, unplaced]) is None
    assert likeness(photo_u8, other_u8, []) is None


def test_a_cosine_below_the_threshold_never_reads_as_the_threshold() -> None:
    near, told = Likeness(0.3862, 0.3899, 0), "nearest: cosine .386, one person from .390 on"
    assert near.told == told
    assert Likeness(0.2, 0.3899, 0).told == "nearest: cosine .20, one person from .39 on"
    assert "cosine .3897, one person from .3899" in Likeness(0.3897, 0.3899, 0).told
    assert "cosine .39, one person from .39 on" in Likeness(0.3899, 0.3899, 1).told
    measured = attack._measured(portrait(), "a face", "", near)
    assert (measured.note, measured.tone) == ("cosine to the person .386", "plain")
    assert "from a cosine of .390 on" in attack._whose(Likeness(0.1, 0.3899, 0), near)
    assert "from a cosine of .39 on" in attack._whose(*[Likeness(0.1, 0.3899, 0)] * 2)


def test_a_face_that_was_left_clear_is_not_compared() -> None:
    six = actions.look_at(sample("Group of six"))
    shared = actions.protect(six, [2], "box", "sealed", RIGHT)
    assert shared.likeness is not None and shared.likeness.known == 0
    card = protected_card(shared, 5)
    assert "none of the hidden faces is known" in card and "5 left clear" in card


@pytest.mark.parametrize(
    ("value", "text"), [(0.124, ".12"), (1.0, "1.00"), (-0.05, "−.05"), (-0.001, ".00")]
)
def test_a_cosine_is_written_short(value: float, text: str) -> None:
    assert in_cosine(value) == text
