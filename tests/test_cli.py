"""The command line as a person meets it: files, exit codes, two-line errors, no secret anywhere.

Every call here pays the real key derivation, so one test asks several questions of one picture.
"""

import contextlib
import errno
import getpass
import io
import json
import re
import secrets
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import skimage.data
import typer
from PIL import Image
from sample_photos import Photo, group, portrait, psnr_db
from tiny_zoo import MODELS, forget, point_zoo_at, write_models
from typer.testing import CliRunner, Result

from engine.cli import app, terminal
from engine.errors import PassphraseError
from engine.files import write_file
from engine.images import list_chunks, open_photo, open_protected, write_png

SECRET = "correct horse battery staple"
NETWORK = "proface-s-rand"
BOX = (40, 30, 104, 94)


@dataclass
class Desk:
    """A folder with a photograph, passphrase files, and the command line to work on them."""

    folder: Path

    def run(self, *words: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=stdin)

    def protect(self, *words: str, stdin: bytes | None = None) -> Result:
        return self.run("protect", "photo.png", "-o", "protected.png", *words, stdin=stdin)

    def recover(self, *words: str, stdin: bytes | None = None) -> Result:
        return self.run("recover", "protected.png", "-o", "recovered.png", *words, stdin=stdin)

    def written(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} - KEPT

    def picture(self, name: str) -> Photo:
        return open_photo(self.folder / name)


KEPT = {"photo.png", "group.png", "sky.png", "right", "wrong", "two"}
RIGHT = ("--passphrase-file", "right")
WRONG = ("--passphrase-file", "wrong")
ONE_BOX = ("--box", ",".join(map(str, BOX)))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def desk(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    point_zoo_at(monkeypatch, models)
    monkeypatch.chdir(tmp_path)
    write_png("photo.png", portrait(), None)
    write_png("group.png", group(), None)
    write_png("sky.png", np.full((64, 96, 3), 200, np.uint8), None)
    Path("right").write_text(f"{SECRET}\n", encoding="utf-8")
    Path("wrong").write_text(f"{SECRET[:-1]}\n", encoding="utf-8")
    Path("two").write_text("another passphrase\r\n", encoding="utf-8")
    yield Desk(tmp_path)
    forget()


def inside(photo_u8: Photo, box: tuple[int, int, int, int] = BOX) -> Photo:
    x0, y0, x1, y1 = box
    return photo_u8[y0:y1, x0:x1]


def verb_module(verb: str) -> ModuleType:
    """The module of a verb; its package shows the function of the same name in its place."""
    return sys.modules[f"engine.cli.{verb}"]


def assert_done(result: Result) -> None:
    assert result.exit_code == 0, result.stderr
    assert "error:" not in result.stderr


def assert_refused(result: Result, about: str) -> None:
    """Exit code 1, one ``error:`` line about it, one ``hint:`` line, nothing else."""
    shown = ": what this wrong key shows"
    lines = [line for line in result.stderr.splitlines() if not line.endswith(shown)]
    assert result.exit_code == 1
    assert [line.split()[0] for line in lines] == ["error:", "hint:"], result.stderr
    assert all(len(line.split()) > 1 for line in lines)
    assert re.search(about, lines[0], re.IGNORECASE), lines[0]
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)


# --- the main job ---------------------------------------------------------------------------------


def test_a_photograph_is_protected_and_brought_back_with_its_passphrase(desk: Desk) -> None:
    write_png("photo.png", skimage.data.astronaut(), None)
    result = desk.protect(*RIGHT, "--mask", "sticker", "--json")
    assert_done(result)
    assert desk.written() == {"protected.png"}
    kinds = [kind for kind, _ in list_chunks((desk.folder / "protected.png").read_bytes())]
    assert [*kinds[:3], *kinds[-2:]] == ["IHDR", "sRGB", "IDAT", "fvHD", "IEND"]
    assert_done(desk.recover(*RIGHT))
    (face,) = json.loads(result.stdout)["faces"]
    assert face["recovery_is_exact"]
    original_u8, shared_u8, recovered_u8 = (
        inside(desk.picture(name), face["box"])
        for name in ("photo.png", "protected.png", "recovered.png")
    )
    np.testing.assert_array_equal(recovered_u8, original_u8)
    assert psnr_db(shared_u8, original_u8) < 25


def test_a_face_that_fills_its_picture_comes_back_nearly_and_says_so(desk: Desk) -> None:
    result = desk.protect(*RIGHT, "--json")
    assert_done(result)
    (face,) = json.loads(result.stdout)["faces"]
    assert not face["recovery_is_exact"]
    recovered = desk.recover(*RIGHT, "--json")
    assert_done(recovered)
    assert json.loads(recovered.stdout)["recovery_is_exact"] == [False]
    original_u8, recovered_u8 = (
        inside(desk.picture(name), face["box"]) for name in ("photo.png", "recovered.png")
    )
    assert psnr_db(recovered_u8, original_u8) > 40


@pytest.mark.parametrize("wrong", ["rand", "obfs", "decoy"])
def test_a_wrong_key_writes_nothing_unless_asked_to_show(desk: Desk, wrong: str) -> None:
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--wrong", wrong))
    refused = desk.recover(*WRONG)
    assert_refused(refused, "passphrase")
    assert "--show-wrong writes" in refused.stderr
    assert desk.written() == {"protected.png"}
    shown = desk.recover(*WRONG, "--show-wrong")
    assert_refused(shown, "passphrase")
    assert "recovered.png shows what this wrong key does" in shown.stderr
    assert "--show-wrong" not in shown.stderr
    shown_u8, shared_u8 = desk.picture("recovered.png"), desk.picture("protected.png")
    if wrong == "obfs":
        np.testing.assert_array_equal(shown_u8, shared_u8)
    else:
        assert psnr_db(inside(shown_u8), inside(shared_u8)) < (15 if wrong == "rand" else 25)
    assert psnr_db(inside(shown_u8), inside(desk.picture("photo.png"))) < 30


def test_a_network_protects_its_box_and_nothing_else(desk: Desk) -> None:
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--method", NETWORK, "--sidecar"))
    assert desk.written() == {"protected.png", "protected.png.json"}
    for name in ("protected.png", "recovered.png"):
        photo_u8 = desk.picture("photo.png")
        if name == "recovered.png":
            assert_done(desk.recover(*RIGHT))
        shown_u8 = desk.picture(name).copy()
        inside(shown_u8)[:] = inside(photo_u8)
        np.testing.assert_array_equal(shown_u8, photo_u8)
    assert_refused(desk.recover(*WRONG), "passphrase")


def test_a_stripped_file_opens_with_its_sidecar_or_by_itself(desk: Desk) -> None:
    for method in ("sealed", NETWORK):
        assert_done(desk.protect(*RIGHT, *ONE_BOX, "--method", method, "--sidecar"))
        assert_done(desk.recover(*RIGHT))
        expected_u8 = desk.picture("recovered.png")
        Image.open("protected.png").save("protected.png")
        assert open_protected("protected.png").header is None
        Path("recovered.png").unlink()
        if method == NETWORK:
            assert_refused(desk.recover(*RIGHT), "nothing that this program has hidden")
            assert not Path("recovered.png").exists()
            assert_done(desk.recover(*RIGHT, "--sidecar", "protected.png.json"))
        else:
            assert_done(desk.recover(*RIGHT))
        np.testing.assert_array_equal(desk.picture("recovered.png"), expected_u8)


def test_changed_files_are_told_apart(desk: Desk) -> None:
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--sidecar"))
    shared_u8 = desk.picture("protected.png")
    header = open_protected("protected.png").header
    touched_u8 = shared_u8.copy()
    touched_u8[200, 200] ^= 255
    write_png("protected.png", touched_u8, header)
    assert_refused(desk.recover(*RIGHT), "changes in rows 192 to 207")
    write_png("protected.png", np.ascontiguousarray(shared_u8[2:]), header)
    assert_refused(desk.recover(*RIGHT), "256 x 256, got 254 x 256")
    Image.fromarray(shared_u8).resize((200, 200)).save("protected.png")
    assert_refused(desk.recover(*RIGHT, "--sidecar", "protected.png.json"), "got 200 x 200")
    buffer = io.BytesIO()
    Image.fromarray(shared_u8).save(buffer, "JPEG", quality=95)
    Path("protected.png").write_bytes(buffer.getvalue())
    assert_refused(desk.recover(*RIGHT), "JPEG")
    assert "recovered.png" not in desk.written()


# --- choices --------------------------------------------------------------------------------------


def test_one_face_of_several_is_chosen_by_its_number(desk: Desk) -> None:
    faces = json.loads(desk.run("faces", "group.png", "--json").stdout)
    assert [face["number"] for face in faces] == [1, 2, 3, 4, 5, 6]
    printed = desk.run("faces", "group.png").stdout.splitlines()
    assert printed[1].split()[:3] == ["2", "box", ",".join(map(str, faces[1]["box"]))]
    words = ("protect", "group.png", "-o", "protected.png", "--faces", "2", "--json", *RIGHT)
    result = desk.run(*words)
    assert_done(result)
    told = json.loads(result.stdout)
    assert [face["box"] for face in told["faces"]] == [faces[1]["box"]]
    assert told["faces_left_clear"] == 5
    assert "warning: 5 faces were left as they are" in result.stderr.splitlines()
    change = np.abs(desk.picture("protected.png").astype(int) - desk.picture("group.png"))
    assert inside(change, faces[1]["box"]).mean() > 3
    assert inside(change, faces[0]["box"]).max() <= 2


def test_faces_outside_the_boxes_are_told_of(desk: Desk) -> None:
    (face,) = json.loads(desk.run("faces", "photo.png", "--json").stdout)
    around = ",".join(map(str, face["box"]))
    cases = [
        (("--box", "0,0,32,32"), 1, ["1 other face found outside the boxes stays as it is"]),
        (("--box", "0,0,32,32", "--box", around), 0, []),
        (("--whole",), 0, []),
        ((), 0, []),
    ]
    for words, left, warned in cases:
        result = desk.protect(*RIGHT, *words, "--json")
        assert_done(result)
        assert json.loads(result.stdout)["faces_left_clear"] == left
        lines = result.stderr.splitlines()
        assert [line for line in lines if "warning" in line] == [f"warning: {w}" for w in warned]


def test_each_key_opens_its_own_face(desk: Desk) -> None:
    boxes = ((8, 8, 72, 72), (120, 40, 200, 120))
    drawn = [word for box in boxes for word in ("--box", ",".join(map(str, box)))]
    assert_done(desk.protect(*drawn, "--key", "1=right", "--key", "2=two"))
    result = desk.recover(*RIGHT, "--json")
    assert_done(result)
    told = json.loads(result.stdout)
    assert (told["faces_recovered"], told["faces_still_hidden"]) == ([1], [2])
    assert told["recovery_is_exact"] == [True]
    photo_u8, found_u8 = desk.picture("photo.png"), desk.picture("recovered.png")
    np.testing.assert_array_equal(inside(found_u8, boxes[0]), inside(photo_u8, boxes[0]))
    assert psnr_db(inside(found_u8, boxes[1]), inside(photo_u8, boxes[1])) < 35
    assert_done(desk.recover(*RIGHT, "--passphrase-file", "two"))
    found_u8 = desk.picture("recovered.png")
    np.testing.assert_array_equal(inside(found_u8, boxes[1]), inside(photo_u8, boxes[1]))


def test_a_ready_made_crop_of_odd_size_is_taken_whole(desk: Desk) -> None:
    write_png("photo.png", np.ascontiguousarray(portrait()[60:173, 70:167]), None)
    for method in ("sealed", NETWORK):
        result = desk.protect(*RIGHT, "--whole", "--method", method, "--preset", "paper", "--json")
        assert_done(result)
        face = json.loads(result.stdout)["faces"][0]
        assert face["box"] == [0, 0, 97, 113]
        assert_done(desk.recover(*RIGHT))
        assert desk.picture("recovered.png").shape == (113, 97, 3)


def test_without_a_tag_the_header_holds_none(desk: Desk) -> None:
    result = desk.protect(*RIGHT, *ONE_BOX, "--no-tag", "--method", NETWORK, "--json")
    assert_done(result)
    assert json.loads(result.stdout)["tag"] is False
    assert_done(desk.recover(*WRONG))
    wrong_u8 = desk.picture("recovered.png")
    assert_done(desk.recover(*RIGHT))
    assert psnr_db(inside(desk.picture("recovered.png")), inside(wrong_u8)) < 30


# --- passphrases ----------------------------------------------------------------------------------


def test_a_passphrase_is_made_and_told_once(desk: Desk) -> None:
    result = desk.protect(*ONE_BOX, "--generate", "--words", "7", "--json")
    assert_done(result)
    told = [line for line in result.stderr.splitlines() if line.startswith("passphrase: ")]
    made = told[0].removeprefix("passphrase: ")
    assert len(told) == 1
    assert len(made.split()) == 7
    assert result.stderr.count(made) == 1
    assert made not in result.stdout
    assert_done(desk.recover("--passphrase-file", "-", stdin=f"{made}\n".encode()))


def test_a_passphrase_comes_from_standard_input(desk: Desk) -> None:
    assert_done(desk.protect(*ONE_BOX, "--passphrase-file", "-", stdin="Zoë\r\n".encode()))
    assert_done(desk.recover("--passphrase-file", "-", stdin="Zoë".encode()))


@pytest.mark.parametrize(
    ("words", "stdin", "about"),
    [
        ((), None, "no terminal"),
        (("--passphrase-file", "nowhere"), None, "nowhere: no such file"),
        (("--passphrase-file", "-"), b"", "1 to 1024 bytes"),
        (("--passphrase-file", "-"), b"\xff\xfe", "UTF-8"),
        (("--passphrase-file", "-"), b"x" * 2000, "1 to 1024 bytes"),
        (("--key", "1right"), None, "FACE=PATH"),
        (("--key", "one=right"), None, "FACE=PATH"),
        (("--key", "2=right"), None, "one --key for each"),
        (("--key", "1=right", "--key", "2=two"), None, "one --key for each"),
    ],
)
def test_no_passphrase_no_picture(
    desk: Desk, words: tuple[str, ...], stdin: bytes | None, about: str
) -> None:
    assert_refused(desk.protect(*ONE_BOX, *words, stdin=stdin), about)
    assert desk.written() == set()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"\xef\xbb\xbfsecret\r\n", "secret"),
        (b"secret\n\n", "secret\n"),
        (b"secret\r", "secret\r"),
        (b"secret\n\r\n", "secret\n"),
        (b" secret ", " secret "),
    ],
)
def test_a_byte_order_mark_and_one_line_end_are_no_secret(
    tmp_path: Path, written: bytes, read: str
) -> None:
    (tmp_path / "file").write_bytes(written)
    assert terminal.read_passphrase(str(tmp_path / "file")) == read


def test_an_unreadable_passphrase_is_in_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"secret\xff")
    with pytest.raises(PassphraseError, match="UTF-8") as caught:
        terminal.read_passphrase(str(tmp_path / "file"))
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_the_end_of_input_at_the_prompt_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", closed)
    with pytest.raises(PassphraseError, match="end of the input") as caught:
        terminal.ask_passphrase(twice=True)
    assert "--passphrase-file" in caught.value.hint


def test_no_bar_is_open_while_a_passphrase_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    @contextlib.contextmanager
    def bar() -> Iterator[Callable[[str, float], None]]:
        told.append("open")
        yield lambda stage, share: None
        told.append("closed")

    def ask(*, twice: bool) -> str:
        told.append("asked")
        return SECRET

    for verb in ("protect", "recover"):
        monkeypatch.setattr(verb_module(verb), "progress_bar", bar)
        monkeypatch.setattr(verb_module(verb), "ask_passphrase", ask)
    assert_done(desk.protect(*ONE_BOX))
    assert told == ["asked", "open", "closed", "open", "closed"]
    told.clear()
    assert_done(desk.recover())
    assert told == ["asked", "open", "closed"]


def test_a_typed_passphrase_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one", "one", "one", "two", "three"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    assert terminal.ask_passphrase(twice=True) == "one"
    with pytest.raises(PassphraseError, match="differ"):
        terminal.ask_passphrase(twice=True)
    assert terminal.ask_passphrase(twice=False) == "three"


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_the_passphrase_appears_nowhere(desk: Desk, method: str) -> None:
    canary = secrets.token_hex(10)
    stdin = f"{canary}\n".encode()
    words = (*ONE_BOX, "--passphrase-file", "-", "--method", method, "--json", "--sidecar")
    results = [desk.protect(*words, stdin=stdin)]
    results.append(desk.recover("--passphrase-file", "-", "--json", stdin=stdin))
    results.append(desk.recover("--passphrase-file", "-", "--show-wrong", stdin=stdin[1:]))
    results.append(desk.recover("--passphrase-file", "-", stdin=stdin * 200))
    assert [result.exit_code for result in results] == [0, 0, 1, 1]
    for result in results:
        assert canary[1:] not in result.output + result.stdout + result.stderr
        assert canary[1:] not in repr(result.exception)
    for name in desk.written():
        assert canary[1:].encode() not in (desk.folder / name).read_bytes()


# --- refusals -------------------------------------------------------------------------------------


def test_nothing_goes_out_where_no_face_is_found(desk: Desk) -> None:
    result = desk.run("protect", "sky.png", "-o", "protected.png", *RIGHT)
    assert_refused(result, "at least one face")
    assert "--whole" in result.stderr
    assert desk.written() == set()
    listed = desk.run("faces", "sky.png")
    assert_done(listed)
    assert "--whole" in listed.stdout
    assert json.loads(desk.run("faces", "sky.png", "--json").stdout) == []


def test_every_option_that_a_hint_names_is_there(desk: Desk) -> None:
    result = desk.run("protect", "sky.png", "-o", "protected.png", *RIGHT)
    known = desk.run("protect", "--help").stdout
    assert all(option in known for option in re.findall(r"--[a-z-]+", result.stderr))


def test_the_photograph_itself_is_never_overwritten(desk: Desk) -> None:
    before = Path("photo.png").read_bytes()
    Path("link.png").symlink_to("photo.png")
    for output in ("photo.png", "./photo.png", "link.png"):
        result = desk.run("protect", "photo.png", "-o", output, *RIGHT, *ONE_BOX)
        assert_refused(result, "the photograph itself")
    assert Path("photo.png").read_bytes() == before
    assert_done(desk.protect(*RIGHT, *ONE_BOX))
    before = Path("protected.png").read_bytes()
    result = desk.run("recover", "protected.png", "-o", "protected.png", *RIGHT)
    assert_refused(result, "the protected picture itself")
    assert Path("protected.png").read_bytes() == before


def test_no_file_that_is_read_is_written_over(desk: Desk) -> None:
    refused = [
        (("-o", "right", *RIGHT), "the output is a passphrase file"),
        (("-o", "right", "--key", "1=right"), "the output is a passphrase file"),
        (("-o", "x", "--sidecar", "--passphrase-file", "x.json"), "the sidecar is a passphrase"),
    ]
    Path("x.json").write_text(SECRET)
    for words, about in refused:
        assert_refused(desk.run("protect", "photo.png", *ONE_BOX, *words), about)
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--sidecar"))
    words = ("recover", "protected.png", *RIGHT, "--sidecar", "protected.png.json")
    told = Path("protected.png.json").read_bytes()
    assert_refused(desk.run(*words, "-o", "protected.png.json"), "the output is the sidecar")
    assert_refused(desk.run(*words, "-o", "right"), "the output is a passphrase file")
    assert Path("protected.png.json").read_bytes() == told
    assert Path("right").read_text() == f"{SECRET}\n"
    assert Path("x.json").read_text() == SECRET


@pytest.mark.parametrize("name", ["out.jpg", "out.JPEG", "out.webp"])
def test_a_png_is_given_no_other_formats_name(desk: Desk, name: str) -> None:
    for words in (("protect", "photo.png", *ONE_BOX), ("recover", "photo.png")):
        result = desk.run(*words, "-o", name, *RIGHT)
        assert_refused(result, "the output is a PNG, got the name out")
        assert "hint: name it out.png" in result.stderr
    assert desk.written() == set()


def test_a_sidecar_that_fails_leaves_no_picture(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("protected.png.json").mkdir()
    assert_refused(desk.protect(*RIGHT, *ONE_BOX, "--sidecar"), r"protected\.png\.json: is no file")
    Path("protected.png.json").rmdir()

    def no_room(path: Path, data: bytes) -> None:
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_file(path, data)

    monkeypatch.setattr(verb_module("protect"), "write_file", no_room)
    assert_refused(desk.protect(*RIGHT, *ONE_BOX, "--sidecar"), "no space left")
    assert desk.written() == set()


@pytest.mark.parametrize(
    ("error", "about"),
    [
        (MemoryError(), "error: the memory is not enough"),
        (sqlite3.OperationalError("database is locked"), "results database: database is locked"),
        (KeyboardInterrupt(), "error: interrupted"),
        (OSError(errno.EINVAL, "Odd", "."), "error: the file: odd"),
    ],
)
def test_errors_of_the_machine_have_two_lines(
    capsys: pytest.CaptureFixture[str], error: BaseException, about: str
) -> None:
    with pytest.raises(typer.Exit) as caught, terminal.named_errors():
        raise error
    assert caught.value.exit_code == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["error:", "hint:"]
    assert about in lines[0]


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (("--method", "seald"), "unknown method 'seald'"),
        (("--mask", "gausian"), "unknown mask 'gausian'"),
        (("--method", NETWORK, "--wrong", "obfs"), "not obfs"),
        (("--box", "1,2,3"), "X0,Y0,X1,Y1"),
        (("--box", "a,b,c,d"), "X0,Y0,X1,Y1"),
        (("--box", "0,0,999,10"), "inside 256x256"),
        (("--faces", "7"), "numbers from 1 to 1"),
        (("--detector", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_had_is_refused(desk: Desk, words: tuple[str, ...], about: str) -> None:
    drawn = () if words[0] in ("--box", "--faces", "--detector") else ONE_BOX
    assert_refused(desk.protect(*RIGHT, *drawn, *words), about)
    assert desk.written() == set()


def test_files_that_cannot_be_used_are_refused(desk: Desk) -> None:
    Path("text.jpg").write_text("no picture")
    Path("notes.json").write_bytes(b"\xff{}")
    Path("list.json").write_text("[]")
    no = ("-o", "out.png", *RIGHT)
    assert_refused(desk.run("protect", "nowhere.jpg", *no), "nowhere.jpg: no such file")
    assert_refused(desk.run("protect", "text.jpg", *no), "expected")
    assert_refused(desk.run("protect", ".", *no), "folder")
    assert_refused(desk.run("recover", "photo.png", *no), "nothing that this program has hidden")
    assert_refused(desk.run("recover", "photo.png", *no, "--sidecar", "notes.json"), "sidecar")
    assert_refused(desk.run("recover", "photo.png", *no, "--sidecar", "list.json"), "sidecar")
    result = desk.protect(*RIGHT, *ONE_BOX, "--output", "nowhere/protected.png")
    assert_refused(result, "protected.png: no such folder")
    assert not Path("out.png").exists()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("protekt",),
        ("protect",),
        ("protect", "photo.png"),
        ("protect", "photo.png", "-o", "x.png", "--nonsense"),
        ("protect", "photo.png", "-o", "x.png", "--preset", "papers"),
        ("protect", "photo.png", "-o", "x.png", "--wrong", "noise"),
        ("protect", "photo.png", "-o", "x.png", "--whole", "--box", "0,0,9,9"),
        ("protect", "photo.png", "-o", "x.png", "--generate", "--passphrase-file", "right"),
        ("protect", "photo.png", "-o", "x.png", "--key", "1=right", "--passphrase-file", "right"),
        ("protect", "photo.png", "-o", "x.png", "--generate", "--words", "2"),
        ("protect", "photo.png", "-o", "x.png", "--words", "6", "--passphrase-file", "right"),
        ("protect", "photo.png", "-o", "x.png", "--key", "1=-", "--key", "2=-"),
        ("recover",),
        ("recover", "photo.png", "-o", "x.png", *("--passphrase-file", "-") * 2),
        ("benchmark", "--data", ".", "--limit", "0"),
        ("benchmark", "--data", ".", "--threads", "0"),
        ("train", "proface-s-rand", "--data", ".", "--resume", "run", "--batch", "0"),
        ("train", "proface-s-rand", "--data", ".", "--resume", "run", "--minutes", "-1"),
        ("benchmark", "--data", ".", "--preset", "papers"),
        ("train",),
    ],
)
def test_wrong_usage_has_its_own_exit_code(desk: Desk, words: tuple[str, ...]) -> None:
    result = desk.run(*words)
    assert result.exit_code == 2
    assert "Usage" in result.output
    assert desk.written() == set()


# --- what was done --------------------------------------------------------------------------------


def test_json_says_what_was_done(desk: Desk) -> None:
    result = desk.protect(*RIGHT, *ONE_BOX, "--json")
    assert_done(result)
    told = json.loads(result.stdout)
    assert told["bytes"] == Path("protected.png").stat().st_size
    assert told["faces"] == [{"box": list(BOX), "key": 1, "recovery_is_exact": True, "notes": []}]
    assert (told["method"], told["wrong"], told["tag"]) == ("sealed", "rand", True)
    assert told["mask"].startswith("gaussian:")
    assert told["mask:protected_psnr_db"] > 50
    assert 0 < told["seconds"] < 60


def test_the_released_models_are_listed(desk: Desk) -> None:
    printed, listed = desk.run("models"), desk.run("models", "--json")
    assert_done(printed)
    names = [card["name"] for card in json.loads(listed.stdout)]
    assert names == list(MODELS)
    assert all(name in printed.stdout for name in names)
    lines = dict(line.split(maxsplit=1) for line in printed.stdout.splitlines()[: len(names)])
    assert list(lines) == names
    assert "(superseded by proface-s-obfs.v2)" in lines["proface-s-obfs.v1"]
    assert "superseded" not in lines["proface-s-obfs.v2"]
    assert "licence" not in printed.stdout


def test_a_named_model_is_told_of_with_all_that_its_card_says(desk: Desk) -> None:
    named = desk.run("models", "imn.v5", "ksame.v4")
    assert_done(named)
    for told in ("  licence     ", "  trained on  ", "  figures by  "):
        assert named.stdout.count(told) == 2
    assert "imn.v5  " in named.stdout and "ksame.v4  " in named.stdout
    (told,) = json.loads(desk.run("models", "ksame.v4", "--json").stdout)
    assert told["name"] == "ksame.v4"
    unknown = desk.run("models", "ksame.v0")
    assert unknown.exit_code == 1
    assert "called 'ksame.v0'" in unknown.stderr


def test_faces_that_share_a_box_are_counted(desk: Desk) -> None:
    apart = desk.protect(*RIGHT, "--box", "0,0,40,40", "--box", "60,60,100,100")
    assert "2 faces hidden with sealed" in apart.stderr
    shared = desk.protect(*RIGHT, "--box", "0,0,60,60", "--box", "30,30,90,90")
    assert "2 faces hidden in 1 box, where they overlap, with sealed" in shared.stderr


def test_a_photograph_with_a_past_leaves_it_behind(desk: Desk) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    photo = Image.fromarray(skimage.data.astronaut()[:256, 96:352])
    photo.save("photo.png", "JPEG", quality=95, exif=exif, comment=b"taken at home")
    assert_done(desk.protect(*RIGHT, *ONE_BOX))
    assert b"taken at home" in Path("photo.png").read_bytes()
    assert b"taken at home" not in Path("protected.png").read_bytes()


@pytest.mark.parametrize("method", ["sealed", NETWORK])
def test_a_picture_that_hides_faces_is_not_protected_again(desk: Desk, method: str) -> None:
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--method", method))
    again = ("protect", "protected.png", "-o", "twice.png", *RIGHT, *ONE_BOX)
    assert_refused(desk.run(*again), "hides faces already")
    write_png("stripped.png", desk.picture("protected.png"), None)
    result = desk.run("protect", "stripped.png", "-o", "twice.png", *RIGHT, *ONE_BOX)
    assert (result.exit_code == 1) == (method == "sealed")  # whose header is in the pixels too


@pytest.mark.parametrize(
    "words",
    [
        ("--mask", "nope", *RIGHT),
        ("--method", "nope", *RIGHT),
        ("--box", "1,2,3", *RIGHT),
        ("--passphrase-file", "nope"),
    ],
)
def test_words_are_checked_before_faces_are_looked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    looked: list[object] = []
    monkeypatch.setattr(verb_module("protect"), "detect", lambda *a, **k: looked.append(a) or [])
    assert desk.protect(*words).exit_code == 1
    assert looked == []
    failed = desk.protect(*RIGHT)  # no face, and now it was looked for
    assert failed.exit_code == 1 and "--min-score 0.2" in failed.stderr
    failed = desk.protect(*RIGHT, "--min-score", "0.1")
    assert failed.exit_code == 1 and "--whole" in failed.stderr and "0.2" not in failed.stderr
    assert len(looked) == 2


def test_recover_says_how_well_and_whether_the_key_is_proven(desk: Desk) -> None:
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--method", NETWORK))
    assert "1 box recovered closely, not bit-exact" in desk.recover(*RIGHT).stderr
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--method", NETWORK, "--no-tag"))
    result = desk.recover(*WRONG, "--json")
    assert json.loads(result.stdout)["passphrase_verified"] is False
    assert "1 box opened; nothing in the file says" in desk.recover(*WRONG).stderr
    assert_done(desk.protect(*RIGHT, *ONE_BOX, "--no-tag"))
    assert desk.recover(*WRONG).exit_code == 1
    assert json.loads(desk.recover(*RIGHT, "--json").stdout)["passphrase_verified"] is True
