import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import dashboard_examples as examples
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import data, words
from engine.results import TABLES, Artifact, Reader, Results

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "dashboard" / "app.py"
PAGES = sorted(path.stem for path in (ROOT / "dashboard" / "app_pages").glob("[!_]*.py"))

Opened = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def forget() -> None:
    """No test sees what another has cached."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Open the dashboard on a database that one of the examples makes."""

    def opened(make: Callable[[Path], Path], page: str = "overview") -> AppTest:
        monkeypatch.setenv("FACEVEIL_DB", str(make(tmp_path / "results.db")))
        app = AppTest.from_file(str(APP), default_timeout=60).run()
        return app.switch_page(f"app_pages/{page}.py").run()

    return opened


def texts(app: AppTest) -> str:
    """Everything that a page says in words."""
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.error]
    return "\n".join(str(part.value) for part in [*parts, *app.code])


def test_the_pages_are_those_of_the_menu() -> None:
    assert sorted([
        "overview", "paper_tables", "explore", "wrong_keys", "robustness", "cost", "training",
        "runs",
    ]) == PAGES  # fmt: skip


def test_no_icon_depends_on_the_fonts_of_a_machine() -> None:
    """Many systems, and ours for tests, have no emoji: a box stands there."""
    for path in (ROOT / "dashboard").rglob("*.py"):
        icons = re.findall(r'icon=("[^"]*")', path.read_text(encoding="utf-8"))
        assert all(re.fullmatch(r'":material/\w+:"', icon) for icon in icons), path.name


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_a_small_database(opened: Opened, page: str) -> None:
    app = opened(examples.small, page)
    assert not app.exception
    assert not app.error
    assert app.title[0].value


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_an_empty_database_names_a_command(opened: Opened, page: str) -> None:
    app = opened(examples.empty, page)
    assert not app.exception
    commands = [code.value for code in app.code]
    assert any(command.startswith("python -m engine") for command in commands)


@pytest.mark.parametrize("make", [examples.broken, examples.cut_short])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_a_broken_database_says_so(
    opened: Opened, make: Callable[[Path], Path], page: str
) -> None:
    app = opened(make, page)
    assert not app.exception
    assert app.title[0].value == "No results to show"
    assert "results.db" in app.error[0].value
    assert "What to do" in texts(app)
    assert "python -m engine benchmark" in texts(app)


def test_a_missing_database_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEVEIL_DB", str(tmp_path / "nowhere.db"))
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert not app.exception
    assert "nowhere.db" in app.error[0].value
    assert "python -m engine benchmark" in texts(app)


def test_it_starts_without_torch(tmp_path: Path) -> None:
    """Every page, in a process of its own, from another folder."""
    path = examples.small(tmp_path / "results.db")
    program = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({str(APP)!r}, default_timeout=60).run()
for page in {PAGES!r}:
    app.switch_page(f"app_pages/{{page}}.py").run()
    assert not app.exception, page
heavy = {{"torch", "torchvision", "gradio", "diffusers", "cv2", "onnxruntime"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"FACEVEIL_DB": str(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


# --- overview -------------------------------------------------------------------------------------


def test_overview_compares_over_the_masks_that_both_have(opened: Opened) -> None:
    app = opened(examples.small)
    assert "comparisons" in texts(app)
    tiles = {tile.label: tile for tile in app.metric}
    # 36 dB and what the faces add; the paper's blur and sticker are at 41.76 dB over the sets.
    assert tiles["Protected, RandWR"].value == "36.22 dB"
    assert float(tiles["Protected, RandWR"].delta) == pytest.approx(-5.54, abs=0.01)
    assert tiles["Recovered, Sealed"].value == "100% exact"
    assert tiles["Wrong key, RandWR"].value == "8.05 dB (nearest face 8.10)"


def test_overview_counts_what_was_refused(opened: Opened) -> None:
    def some_refused(path: Path) -> Path:
        results = Results(examples.small(path))
        refused = examples.scores("sealed", "sticker", "photograph", 1.0, "refused")[:2]
        results.add_scores(1, refused)
        results.close()
        return path

    assert "No photograph was refused" in texts(opened(examples.small))
    st.cache_data.clear()
    told = texts(opened(some_refused))
    assert "2 were refused by the method (Sealed)" in told
    assert "No photograph was refused" not in told


def test_overview_says_what_cannot_be_relied_on(opened: Opened) -> None:
    told = texts(opened(examples.small))
    assert "A trained attacker is not measured" in told
    assert "2 of the paper's 6 masks" in told
    assert "Sealed returns the face bit by bit" in told
    assert "Code not committed" not in told


def test_the_other_protocol_is_said_to_be_missing(opened: Opened) -> None:
    app = opened(examples.small)
    app.segmented_control(key="protocol").set_value("paper").run()
    assert not app.exception
    assert "--protocol paper" in texts(app)


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TABLES, "figure_6"])
def test_every_table_of_every_paper_is_there(opened: Opened, name: str) -> None:
    app = opened(examples.small, "paper_tables")
    app.selectbox(key="table").set_value(name).run()
    assert not app.exception
    if name != "figure_6":
        body = "".join(html.proto.body for html in app.get("html"))
        assert "<table" in body
        assert "missing" in body or "paper only" in body


# --- runs -----------------------------------------------------------------------------------------


def choose(app: AppTest, *runs: int) -> AppTest:
    box = app.multiselect(key="runs")
    wanted = [name for name in box.options if int(name.split()[0]) in runs]
    app = box.set_value(wanted).run()
    assert not app.exception
    return app


def test_a_run_in_full_names_what_makes_it_again(opened: Opened) -> None:
    app = choose(opened(examples.small, "runs"), 1)
    assert app.subheader[0].value == "Run 1: benchmark of proface-s-rand"
    command = next(code.value for code in app.code)
    assert command.splitlines() == [
        "git checkout " + "a" * 40, "python -m engine benchmark --model proface-s-rand",
    ]  # fmt: skip


def test_two_runs_are_compared_by_what_differs(opened: Opened) -> None:
    app = choose(opened(examples.small, "runs"), 3, 4)
    assert "compared" in app.subheader[0].value
    settings = app.dataframe[1].value
    assert list(settings["setting"]) == ["config.learning_rate"]
    assert sorted(settings.iloc[0].tolist()[1:]) == ["0.001", "0.002"]


def test_search_finds_runs_by_any_word(opened: Opened) -> None:
    app = opened(examples.small, "runs")
    app.text_input(key="q").set_value("train 0.002").run()
    assert list(app.dataframe[0].value["run"]) == [4]
    app.text_input(key="q").set_value("no such thing").run()
    assert "No run answers" in texts(app)


def test_a_note_a_tag_and_hiding_are_kept(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEVEIL_NOTES", "1")
    app = choose(opened(examples.small, "runs"), 1)
    app.text_area[0].set_value("the one of the talk")
    next(box for box in app.text_input if box.label == "Tag").set_value("talk")
    app.checkbox[0].check()
    app.button[0].click().run()
    assert not app.exception
    with Reader(tmp_path / "results.db") as reader:
        run = reader.run(1)
    assert (run.note, run.tag, run.hidden) == ("the one of the talk", "talk", True)
    assert "the one of the talk" in [text.value for text in app.text]


def test_notes_are_not_offered_on_a_public_page(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/faceveil")
    monkeypatch.setenv("FACEVEIL_NOTES", "1")
    app = choose(opened(examples.small, "runs"), 1)
    assert "Notes cannot be kept here" in texts(app)
    assert not app.text_area


def test_notes_are_not_offered_where_other_machines_may_reach_the_page(opened: Opened) -> None:
    app = choose(opened(examples.small, "runs"), 1)
    assert "FACEVEIL_NOTES=1" in texts(app)
    assert not app.text_area


@pytest.mark.parametrize(
    ("address", "mounted", "offered"),
    [("127.0.0.1", False, True), ("0.0.0.0", False, False), ("127.0.0.1", True, False)],
)
def test_notes_are_offered_alone_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, mounted: bool, offered: bool
) -> None:
    monkeypatch.delitem(sys.modules, "demo.app", raising=False)
    if mounted:
        monkeypatch.setitem(sys.modules, "demo.app", ModuleType("demo.app"))
    monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
    source = data.open_source(examples.small(tmp_path / "results.db"))
    assert (source.read_only() == "") is offered


def test_a_hidden_run_counts_nowhere(opened: Opened, tmp_path: Path) -> None:
    app = opened(examples.small)
    results = Results(tmp_path / "results.db")
    results.annotate(1, hidden=True)
    results.close()
    app.run()
    assert not app.exception
    assert "python -m engine benchmark" in texts(app)


# --- the rest -------------------------------------------------------------------------------------


def test_what_another_program_writes_is_seen_at_the_next_look(
    opened: Opened, tmp_path: Path
) -> None:
    app = opened(examples.small, "runs")
    before = len(app.dataframe[0].value)
    results = Results(tmp_path / "results.db")
    examples.start(results, "attack", "sealed")
    results.close()
    app.run()
    assert len(app.dataframe[0].value) == before + 1


def test_a_running_run_is_followed(opened: Opened) -> None:
    app = opened(examples.small)
    assert app.toggle(key="follow").value
    assert "4 (proface-s-rand)" in "".join(one.value for one in app.sidebar.markdown)


def test_one_face_is_shown_with_its_pictures(opened: Opened) -> None:
    app = opened(examples.small, "explore")
    app.text_input(key="face").set_value(examples.FACE).run()
    assert not app.exception
    assert "drawn for a test" in texts(app)
    figures = app.dataframe[-1].value
    assert "Sealed" in set(figures["method"])


def test_names_of_the_database_are_shown_and_not_obeyed(opened: Opened) -> None:
    name = "**[a](b)** :red[x] $y$.png"

    def odd(path: Path) -> Path:
        results = Results(examples.small(path))
        figures = [replace(one, image=name) for one in examples.scores("sealed", "box", "a:b", 1.0)]
        results.add_scores(1, figures[:1])
        results.add_artifact(
            1, Artifact(name, "sealed", "box", "mask", "*free*", examples.picture())
        )
        results.close()
        return path

    app = choose(opened(odd, "runs"), 1)
    (caption,) = [one.value for one in app.caption if "y" in one.value and "red" in one.value]
    assert caption.startswith(words.plain(name))
    assert r"\*\*\[a\]\(b\)\*\* \:red\[x\] \$y\$.png" in caption
    assert r"\*free\*" in caption


def test_a_face_without_pictures_says_why(opened: Opened) -> None:
    app = opened(examples.small, "explore")
    app.text_input(key="face").set_value("lfw/1.png").run()
    assert "real people" in texts(app)


@pytest.mark.parametrize("form", ["histogram", "boxes"])
@pytest.mark.parametrize("field", ["method", "mask", "source"])
def test_figures_are_split_and_drawn(opened: Opened, form: str, field: str) -> None:
    app = opened(examples.small, "explore")
    app.segmented_control(key="split").set_value(field)
    app.segmented_control(key="as").set_value(form).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2


def test_recoveries_that_are_all_exact_are_said_to_be(opened: Opened) -> None:
    app = opened(examples.small, "explore")
    app.selectbox(key="pair").set_value("original:recovered")
    app.multiselect(key="method").set_value(["sealed"]).run()
    assert not app.exception
    assert "equal to its original" in texts(app)


def test_wrong_keys_show_sweep_and_edits(opened: Opened) -> None:
    app = opened(examples.small, "wrong_keys")
    assert len(app.get("plotly_chart")) == 5
    assert "No sweep" not in texts(app)
    assert "gain over the mask" in texts(app)


def test_histograms_of_many_methods_are_not_squeezed(opened: Opened) -> None:
    def many(path: Path) -> Path:
        results = Results(path)
        run = examples.start(results, "benchmark", "sealed")
        with results.running(run):
            for i in range(5):
                rows = examples.scores(f"method{i}", "gaussian", "original:wrong", 8.0)
                results.add_scores(run, rows)
        results.close()
        return path

    app = opened(many, "wrong_keys")
    assert sum("method" in one.value for one in app.markdown) == 5
    assert min(column.weight for column in app.columns) > 0.3


def test_robustness_shows_what_attacks_left(opened: Opened) -> None:
    app = opened(examples.small, "robustness")
    body = "".join(html.proto.body for html in app.get("html"))
    assert re.search(r"JPEG 90.*?runs=2\+proface-s-rand\">9\.\d\d</a>", body)


def test_curves_follow_smoothing_and_axes(opened: Opened) -> None:
    app = opened(examples.small, "training")
    app.slider(key="smooth").set_value(0.9)
    app.segmented_control(key="along").set_value("time")
    app.toggle(key="log").set_value(True).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
