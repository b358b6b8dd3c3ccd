"""What the demo keeps of people, and that it goes."""

import contextlib
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import gradio as gr
import pytest
from gradio.data_classes import ImageData

from demo import session, troubles
from demo.inputs import PhotoInput, refuse_addresses
from demo.session import GoneError, Visits, private_folder
from demo.throttle import LIMITS, Throttle
from engine.errors import WrongKeyError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visits(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Visits:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return Visits(tmp_path, clock)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_result_is_kept_byte_for_byte(visits: Visits) -> None:
    path = Path(visits.of("one").keep(b"exactly this", "protected.png"))
    assert path.read_bytes() == b"exactly this"
    assert path.name == "protected.png"


def test_closing_the_page_wipes_what_it_had(visits: Visits, tmp_path: Path) -> None:
    visit = visits.of("one")
    visit.keep(b"mine", "a.png")
    visit.things["lab"] = object()
    shared = Path(visits.of("two").keep(b"ours", "b.png"))
    visit.hold(shared)
    visits.close("one")
    assert files(tmp_path) == [shared]
    assert visit.things == {}
    visits.close("two")
    assert files(tmp_path) == []


def test_what_is_not_used_is_wiped_within_a_minute(
    visits: Visits, clock: Clock, tmp_path: Path
) -> None:
    visits.of("caller").keep(b"mine", "a.png")
    page = visits.of("page")
    page.open_page = True
    page.keep(b"still shown", "b.png")
    page.put("found", "a face")
    page.put("lab", "of a sample", public=True)
    clock.now = session.KEEP_SECONDS
    visits.sweep()
    assert len(files(tmp_path)) == 2
    clock.now = 60 - session.SWEEP_SECONDS
    visits.sweep()
    assert files(tmp_path) == []
    assert page.things == {"lab": "of a sample"}
    clock.now = session.REST_SECONDS + 60
    visits.sweep()
    assert page.things == {}


def test_uploads_that_nobody_came_for_go_too(
    visits: Visits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hash").mkdir()
    (tmp_path / "hash" / "photo.png").write_bytes(b"left behind")
    visits.sweep()
    assert len(files(tmp_path)) == 1
    later = time.time() + session.KEEP_SECONDS + 1
    monkeypatch.setattr(session.time, "time", lambda: later)
    visits.waiting = lambda: {"somebody in the queue"}
    visits.sweep()
    assert len(files(tmp_path)) == 1
    visits.waiting = set
    visits.sweep()
    assert files(tmp_path) == []


def test_visits_are_apart_and_the_nameless_share_with_nobody(visits: Visits) -> None:
    assert visits.of("one") is visits.of("one")
    assert visits.of("one") is not visits.of("two")
    assert visits.of(None) is not visits.of(None)


def test_ten_attempts_a_minute_on_a_picture_whoever_asks(clock: Clock) -> None:
    throttle = Throttle(clock)
    for number in range(10):
        clock.now = float(number)
        assert throttle.wait(session=str(number), host=None, picture="one") == 0
    clock.now = 10.5
    assert throttle.wait(session="new", host="new", picture="one") == 50
    assert throttle.wait(session="new", host="new", picture="two") == 0
    clock.now = 60.5
    assert throttle.wait(session="new", host="new", picture="one") == 0
    assert throttle.wait(session="new", host="new", picture="one") == 1


def test_a_session_and_a_host_have_their_limits_too(clock: Clock) -> None:
    throttle = Throttle(clock)
    most = LIMITS["session"]
    assert not any(throttle.wait(session="one", picture=str(n)) for n in range(most))
    assert throttle.wait(session="one", picture="another")
    assert not any(throttle.wait(session=f"{n}", host="h") for n in range(LIMITS["host"]))
    assert throttle.wait(session="fresh", host="h")
    clock.now = 61
    throttle.forget()
    assert throttle.wait(session="one", host="h") == 0


def test_a_page_closed_during_its_job_leaves_nothing(visits: Visits, tmp_path: Path) -> None:
    visit = visits.of("one")
    upload = tmp_path / "upload.png"
    upload.write_bytes(b"mine")
    visits.close("one")
    with pytest.raises(GoneError):
        visit.keep(b"made too late", "a.png")
    with pytest.raises(GoneError):
        visit.hold(upload)
    visit.put("lab", object())
    assert (files(tmp_path), visit.things) == ([], {})


def test_the_broom_works_while_results_come(
    visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "WAITING_SECONDS", 0.2)
    visit, met = visits.of("one"), []
    visits.waiting = lambda: {"one"}
    done = threading.Event()

    def sweep() -> None:
        while not done.wait(0.001):  # a broom that never rests would keep the lock to itself
            try:
                visits.sweep()
            except (OSError, RuntimeError) as error:
                met.append(error)

    broom = threading.Thread(target=sweep)
    broom.start()
    try:
        kept = []
        for number in range(150):
            with contextlib.suppress(OSError):  # a scratch folder swept on a stalled machine
                kept.append(visit.keep(bytes([number]), f"{number}.png"))
    finally:
        done.set()
        broom.join()
    time.sleep(0.3)  # so that every result is older than what nobody holds may get
    visits.sweep()
    assert met == []
    assert kept
    assert all(Path(path).is_file() for path in kept)


def test_the_broom_survives_a_failed_round(visits: Visits, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []

    def sweep() -> None:
        rounds.append(1)
        raise FileNotFoundError

    monkeypatch.setattr(visits, "sweep", sweep)
    session.start_sweeping(visits, 0.01)
    end = time.monotonic() + 5
    while len(rounds) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert len(rounds) >= 3


def test_newer_results_take_the_place_of_older_ones(visits: Visits, tmp_path: Path) -> None:
    page, caller = visits.of("page"), visits.of("caller")
    page.open_page = True
    for visit in (page, caller):
        for content in (b"first", b"second"):
            path = visit.keep(content + str(visit.open_page).encode(), "preview.png")
            visit.replace("preview", [path])
    left = {path.read_bytes() for path in files(tmp_path)}
    assert left == {b"secondTrue", b"firstFalse", b"secondFalse"}


def test_a_visit_has_a_limit_of_bytes(
    visits: Visits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MOST_BYTES", 10)
    for number in range(4):
        visits.of("one").keep(bytes([number] * 5), f"{number}.png")
    assert {path.name for path in files(tmp_path)} == {"2.png", "3.png"}


def test_who_waits_in_the_queue_is_not_swept(visits: Visits, clock: Clock, tmp_path: Path) -> None:
    visits.of("one").keep(b"mine", "a.png")
    visits.waiting = lambda: {"one"}
    clock.now = session.KEEP_SECONDS + 10
    visits.sweep()
    assert len(files(tmp_path)) == 1
    visits.waiting = set
    clock.now += session.KEEP_SECONDS + 1
    visits.sweep()
    assert files(tmp_path) == []


def test_folders_of_killed_runs_go(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [f"faceveil-{gone.pid}-abc", f"faceveil-{os.getpid()}-abc", "faceveil-abc", "other"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo.png").write_bytes(b"x")
    session._remove_orphans(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_addresses_are_refused_wherever_they_stand() -> None:
    refuse_addresses(["http://in.words is just text", {"path": "/tmp/http:/x.png"}])
    for value in ({"path": "http://a/b.png"}, [{"x": {"path": " HTTPS://a"}}]):
        with pytest.raises(gr.Error, match="No addresses"):
            refuse_addresses([value])


def test_an_upload_that_was_wiped_is_told(tmp_path: Path) -> None:
    photo, path = PhotoInput(format="png"), tmp_path / "photo.png"
    path.write_bytes(b"x")
    assert photo.preprocess(ImageData(path=str(path))) == str(path)
    path.unlink()
    with pytest.raises(gr.Error, match="wiped"):
        photo.preprocess(ImageData(path=str(path)))


def test_the_folder_is_for_this_user_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "")
    before = os.umask(0o022)
    try:
        folder = private_folder()
        written = folder / "x"
        written.write_text("x")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        written.unlink()
        folder.rmdir()
    finally:
        os.umask(before)


def test_the_unexpected_is_said_politely_and_logged_without_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @troubles.in_plain_words
    def breaks(secret: str) -> None:
        raise RuntimeError(f"with {secret}")

    @troubles.in_plain_words
    def refuses() -> None:
        raise WrongKeyError("expected another", hint="look --closely")

    with caplog.at_level(logging.ERROR), pytest.raises(gr.Error) as caught:
        breaks("open sesame")
    assert "open sesame" not in caplog.text + caught.value.message
    assert "RuntimeError in breaks" in caplog.text
    assert caught.value.__cause__ is None
    with pytest.raises(gr.Error) as caught:
        refuses()
    assert caught.value.message.startswith("Wrong passphrase.")
