"""A person whom the user names in place of nobody: a photograph as the source of the swap mask."""

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from sample_photos import group, portrait
from typer.testing import CliRunner, Result

from engine import sources
from engine.cli import app
from engine.errors import MaskError, NoFaceError, StillKnownError
from engine.faces import Face, crop, detect, merge_overlapping
from engine.images import from_u8, open_photo, open_protected, write_png
from engine.masking import lay_masks
from engine.masks import MASKS, make_mask
from engine.pipeline import ProtectOptions, protect
from engine.recognition import embed
from engine.sources import Source, find_source
from engine.zoo import IDENTITIES

SECRET = "correct horse battery staple"

Photo = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def six() -> Photo:
    """The left half of insightface's own sample: three faces."""
    return np.ascontiguousarray(group()[:, :330])


@pytest.fixture(scope="module")
def faces(six: Photo) -> list[Face]:
    return detect(six)


@pytest.fixture(scope="module")
def astronaut() -> Source:
    return find_source(portrait())


def placed(face: Face) -> F32:
    assert face.landmarks is not None
    return np.asarray(face.landmarks - np.array(face.box[:2], np.float32))


def identity_of(face_u8: Photo, points: F32) -> F32:
    return np.asarray(embed(from_u8(face_u8), [points], IDENTITIES)[0].numpy())


def changed(photo_u8: Photo) -> Photo:
    """Another picture of the same person."""
    small_u8 = cv2.resize(photo_u8[:, ::-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(255 * (small_u8 / 255.0) ** 1.4, np.uint8)


# --- where a source comes from --------------------------------------------------------------------


def test_the_largest_face_of_a_photograph_is_taken(
    six: Photo, faces: list[Face], astronaut: Source
) -> None:
    both_u8 = portrait()
    small_u8 = cv2.resize(crop(six, faces[1].box), (56, 56), interpolation=cv2.INTER_AREA)
    both_u8[-56:, :56] = small_u8
    assert len(detect(both_u8)) == 2
    among = find_source(both_u8)
    assert (among.among, astronaut.among) == (2, 1)
    assert among.identity @ astronaut.identity > 0.99
    assert among.identity @ identity_of(crop(six, faces[1].box), placed(faces[1])) < 0.3


def test_a_source_without_a_face_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoFaceError, match="found none") as caught:
        find_source(np.full((200, 200, 3), 128, np.uint8))
    assert "large and from the front" in caught.value.hint
    blind = Face((0, 0, 64, 64), (0.0, 0.0, 64.0, 64.0), None, 1.0)
    monkeypatch.setattr(sources, "detect", lambda photo_u8, detector: [blind])
    with pytest.raises(NoFaceError, match="gives none"):
        find_source(np.full((200, 200, 3), 128, np.uint8), "insightface:none")


def test_a_source_is_a_unit_vector_that_is_not_printed(astronaut: Source) -> None:
    assert astronaut.identity.shape == (256,)
    assert repr(astronaut) == "Source()"
    assert str(astronaut.identity[0]) not in repr(ProtectOptions(source=astronaut))
    for identity in (np.zeros(256, np.float32), np.eye(2, dtype=np.float32), np.full(4, np.nan)):
        with pytest.raises(MaskError, match="of length 1"):
            Source(identity.astype(np.float32))


# --- the mask -------------------------------------------------------------------------------------


def test_the_mask_comes_nearer_to_its_source_than_agents_do(
    six: Photo, faces: list[Face], astronaut: Source
) -> None:
    for face in faces:
        face_u8, points = crop(six, face.box), placed(face)
        own = identity_of(face_u8, points)
        made_u8 = make_mask("simswap", face_u8, landmarks=points, source=astronaut)
        named = identity_of(made_u8, points)
        agents = [
            identity_of(make_mask("simswap", face_u8, landmarks=points, seed=seed), points)
            for seed in range(2)
        ]
        assert named @ astronaut.identity > 0.3
        assert (
            max(agent @ astronaut.identity for agent in agents) < named @ astronaut.identity - 0.1
        )
        assert named @ own <= 0.3, "and is not who it was"
    again_u8 = make_mask("simswap", face_u8, landmarks=points, seed=7, source=astronaut)
    assert np.array_equal(made_u8, again_u8), "there is nothing for a seed to draw"


def test_the_same_person_as_source_is_refused_and_the_face_hidden_otherwise() -> None:
    photo_u8 = portrait()
    (face,) = detect(photo_u8)
    itself = find_source(changed(photo_u8))
    with pytest.raises(StillKnownError, match="somebody else") as caught:
        make_mask("simswap", crop(photo_u8, face.box), landmarks=placed(face), source=itself)
    assert "another person" in caught.value.hint
    made = lay_masks(
        photo_u8, merge_overlapping([face], *photo_u8.shape[:2]), "simswap", source=itself
    )
    (note,) = made.notes
    assert "somebody else" in note.reason
    assert "blurred" in note.instead
    hidden = identity_of(crop(made.photo_u8, face.box), placed(face))
    assert hidden @ itself.identity < 0.3


def test_masks_that_take_no_source_refuse_one(
    six: Photo, faces: list[Face], astronaut: Source
) -> None:
    assert MASKS["simswap"].takes_source
    for mask in ("gaussian", "ksame", "sticker"):
        with pytest.raises(MaskError, match=f"takes a source, got {mask}") as caught:
            make_mask(mask, crop(six, faces[1].box), source=astronaut)
        assert "simswap" in caught.value.hint
        with pytest.raises(MaskError, match=f"takes a source, got {mask}"):
            protect(six, faces, SECRET, ProtectOptions(mask=mask, source=astronaut))
    for seed in (0, 3):
        options = ProtectOptions(mask="simswap", source=astronaut, mask_seed=seed)
        with pytest.raises(MaskError, match="takes no seed"):
            protect(six, faces, SECRET, options)


def test_the_other_swapper_takes_a_source_too(
    six: Photo, faces: list[Face], astronaut: Source
) -> None:
    face_u8, points = crop(six, faces[1].box), placed(faces[1])
    first, second = (
        make_mask(name, face_u8, landmarks=points, source=astronaut)
        for name in ("simswap", "faceshifter")
    )
    assert not np.array_equal(first, second)
    agent = make_mask("faceshifter", face_u8, landmarks=points, seed=1)
    towards = [
        float(embed(from_u8(one), [points], IDENTITIES)[0].numpy() @ astronaut.identity)
        for one in (second, agent)
    ]
    assert towards[0] > towards[1] + 0.2


def test_nothing_of_the_source_leaves_with_the_picture(
    six: Photo, faces: list[Face], astronaut: Source
) -> None:
    plain = protect(six, faces[1:2], SECRET, ProtectOptions(mask="simswap"))
    named = protect(six, faces[1:2], SECRET, ProtectOptions(mask="simswap", source=astronaut))
    assert named.notes == ()
    assert named.header.mask == plain.header.mask == "simswap:enhance=0.75"
    headers = [open_protected(made.png).header for made in (plain, named)]
    assert headers[0] is not None and headers[1] is not None
    assert len(headers[0]) == len(headers[1])
    for kind in (np.float16, np.float32, np.float64):
        assert astronaut.identity.astype(kind).tobytes()[:16] not in named.png


# --- the command line -----------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, six: Photo, faces: list[Face]) -> Path:
    monkeypatch.chdir(tmp_path)
    x0, y0, x1, y1 = faces[1].box
    write_png("photo.png", np.ascontiguousarray(six[y0 - 30 : y1 + 20, x0 - 30 : x1 + 30]), None)
    write_png("other.png", portrait(), None)
    write_png("sky.png", np.full((64, 96, 3), 200, np.uint8), None)
    Path("secret").write_text(SECRET, encoding="utf-8")
    return tmp_path


def run(*words: str, mask: str = "simswap", output: str = "out.png") -> Result:
    given = ("photo.png", "-o", output, "--mask", mask, "--passphrase-file", "secret", *words)
    return CliRunner().invoke(app, ["protect", *given])


def test_the_command_lays_the_source_and_warns(desk: Path) -> None:
    result = run("--mask-source", "other.png", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    for said in (told["source_warning"], result.stderr):
        assert "look like the person" in said
        assert "no key hides: ask them first" in said
    assert [face["notes"] for face in told["faces"]] == [[]]
    assert "other.png" not in result.stdout + result.stderr
    assert "the largest is taken" not in result.stderr
    write_png("other.png", np.ascontiguousarray(np.hstack([portrait(), portrait()])), None)
    assert "shows 2 faces" in run("--mask-source", "other.png", output="two.png").stderr
    without = run("--json", output="plain.png")
    assert json.loads(without.stdout)["source_warning"] is None
    assert "look like" not in without.stderr


def test_a_source_that_cannot_be_had_is_refused(desk: Path) -> None:
    for name, mask, about in (
        ("sky.png", "simswap", "expected a face in the photograph"),
        ("nowhere.png", "simswap", "nowhere.png: no such file"),
        ("secret", "simswap", "error: expected"),
        ("other.png", "gaussian", "expected a mask that takes a source, got gaussian"),
    ):
        result = run("--mask-source", name, mask=mask)
        assert result.exit_code == 1
        lines = result.stderr.splitlines()
        assert [line.split()[0] for line in lines] == ["error:", "hint:"], result.stderr
        assert about in lines[0]
        assert not Path("out.png").exists()
    before = Path("other.png").read_bytes()
    assert run("--mask-source", "other.png", output="other.png").exit_code == 1
    assert Path("other.png").read_bytes() == before
    usage = run("--mask-source", "other.png", "--mask-seed", "3")
    assert usage.exit_code == 2
    assert "takes no seed" in " ".join(usage.output.split())


def test_a_mask_is_made_as_strong_as_one_says(desk: Path) -> None:
    """``--mask-strength`` takes the place of the preset's settings, and refuses others."""
    del desk
    seeds = ("--mask-seed", "3", "--json")
    for name, words in (("plain", "enhance=0"), ("clear", "enhance=0.75"), ("usual", "")):
        result = run("--mask-strength", words, *seeds, output=f"{name}.png")
        assert result.exit_code == 0, result.stderr
    plain, clear, usual = (open_photo(Path(f"{name}.png")) for name in ("plain", "clear", "usual"))
    assert not np.array_equal(plain, clear)
    # The payloads differ by a step or two; the faces by more.
    far = [int((np.abs(clear.astype(int) - other) > 4).sum()) for other in (usual, plain)]
    assert far[0] == 0 and far[1] > 100
    for words in ("enhance", "enhance=much", "enhance=nan", "enhance=1,enhance=0", "=1"):
        usage = run("--mask-strength", words)
        assert usage.exit_code == 2
        assert "NAME=NUMBER" in usage.output
    unknown = run("--mask-strength", "sigma=3")
    assert unknown.exit_code == 1
    assert "sigma" in unknown.stderr and "enhance" in unknown.stderr
    for mask, weak in (("gaussian", "sigma=0.01"), ("noise", "variance=0"), ("box", "fraction=0")):
        refused = run("--mask-strength", weak, mask=mask)
        assert refused.exit_code == 1, "a mask that hides nothing is not to be had"
        assert "lay another face" in refused.stderr
    assert not Path("out.png").exists()
