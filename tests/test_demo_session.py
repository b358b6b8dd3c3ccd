"""What the demo keeps of people, and that it goes."""

import logging
import os
import stat
import time
from pathlib import Path

import gradio as gr
import pytest

from demo import session, troubles
from demo.session import Visits, private_folder
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


def test_a_program_that_only_calls_is_wiped_within_a_minute(
    visits: Visits, clock: Clock, tmp_path: Path
) -> None:
    visits.of("caller").keep(b"mine", "a.png")
    page = visits.of("page")
    page.open_page = True
    page.keep(b"still shown", "b.png")
    clock.now = 60 - session.SWEEP_SECONDS
    visits.sweep()
    assert [path.name for path in files(tmp_path)] == ["b.png"]
    clock.now = session.REST_SECONDS + 60
    visits.sweep()
    assert files(tmp_path) == []


def test_uploads_that_nobody_came_for_go_too(
    visits: Visits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hash").mkdir()
    (tmp_path / "hash" / "photo.png").write_bytes(b"left behind")
    visits.sweep()
    assert len(files(tmp_path)) == 1
    later = time.time() + session.WAITING_SECONDS + 1
    monkeypatch.setattr(session.time, "time", lambda: later)
    visits.sweep()
    assert files(tmp_path) == []


def test_visits_are_apart_and_the_nameless_share_with_nobody(visits: Visits) -> None:
    assert visits.of("one") is visits.of("one")
    assert visits.of("one") is not visits.of("two")
    assert visits.of(None) is not visits.of(None)


def test_ten_attempts_a_minute(visits: Visits, clock: Clock) -> None:
    visit = visits.of("one")
    assert all(visits.may_try(visit) for _ in range(session.ATTEMPTS))
    assert not visits.may_try(visit)
    assert visits.may_try(visits.of("two"))
    clock.now = session.ATTEMPTS_SECONDS + 1
    assert visits.may_try(visit)


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
