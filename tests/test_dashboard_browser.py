"""The dashboard alone, in a real browser: choose, compare, share the address, export."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import dashboard_examples as examples
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
APP = Path(__file__).resolve().parents[1] / "dashboard" / "app.py"
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        assert server.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the dashboard by its command, from another folder than the repository's."""
    folder = tmp_path_factory.mktemp("dashboard")
    path = examples.small(folder / "results.db")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port),
         "--server.address", "127.0.0.1", "--server.headless", "true"],
        cwd=folder, env=os.environ | {"FACEVEIL_DB": str(path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def go(page: Page, address: str, title: str) -> None:
    page.goto(address)
    expect(page.locator("h1")).to_have_text(title)


CUT = """[...document.querySelectorAll('[data-testid=stMetric] p')]
    .filter(p => p.scrollWidth > p.clientWidth || getComputedStyle(p).textOverflow === 'ellipsis')
    .map(p => p.innerText)"""
"""Words of the tiles that are not to be read in full."""


def tick(page: Page, place: int) -> None:
    """Tick a line of the list of runs, which is drawn on a canvas."""
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 14, box["y"] + 35 + 35 * place + 17)


def test_a_deep_link_is_the_first_that_a_fresh_server_shows(page: Page, address: str) -> None:
    """A folder called pages would make Streamlit run the page without app.py here."""
    go(page, f"{address}/explore", "Explore")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0


def test_runs_are_ticked_compared_and_linked_to(page: Page, address: str) -> None:
    go(page, f"{address}/runs", "Runs")
    page.get_by_test_id("data-grid-canvas").first.wait_for()
    page.wait_for_timeout(1000)
    tick(page, 0)
    expect(page.get_by_role("heading", name="Run 4: train of proface-s-rand")).to_be_visible()
    page.wait_for_timeout(1000)
    tick(page, 1)
    compared = page.get_by_role("heading", name="Runs 4, 3 compared")
    expect(compared).to_be_visible()
    link = page.url
    assert "runs=4" in link
    assert "runs=3" in link
    other = page.context.new_page()
    go(other, link, "Runs")
    expect(other.get_by_role("heading", name="Runs 4, 3 compared")).to_be_visible()


def test_a_figure_of_an_attack_leads_to_its_run(page: Page, address: str) -> None:
    go(page, f"{address}/robustness", "Robustness and attacks")
    page.locator(".fv-table td a").first.click()
    expect(page.get_by_role("heading", name="Run 2: attack of proface-s-rand")).to_be_visible()


def test_a_view_is_in_the_address(page: Page, address: str) -> None:
    go(page, address, "Overview")
    page.get_by_text("SSIM", exact=True).click()
    page.wait_for_url("**by=SSIM**")
    other = page.context.new_page()
    go(other, page.url, "Overview")
    expect(other.get_by_role("radio", name="SSIM")).to_be_checked()


def test_numbers_are_taken_away_as_json(page: Page, address: str) -> None:
    go(page, address, "Overview")
    page.get_by_role("button", name="Numbers and export").click()
    with page.expect_download() as download:
        # Not click(): while the page is still drawn, what was scrolled to moves out of view again.
        page.get_by_role("button", name="JSON").dispatch_event("click")
    rows = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert download.value.suggested_filename == "ours-against-the-papers.json"
    assert {row["source"] for row in rows} == set(examples.SETS)


def test_a_figure_is_taken_away_as_png(page: Page, address: str) -> None:
    go(page, address, "Overview")
    figure = page.locator(".js-plotly-plot").first
    figure.hover()
    with page.expect_download() as download:
        figure.locator('.modebar-btn[data-title*="ownload"]').click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_every_figure_has_words_for_who_cannot_see_it(page: Page, address: str) -> None:
    go(page, address, "Overview")
    chart = page.get_by_test_id("stPlotlyChart").first
    expect(chart).to_be_visible()
    assert page.locator('[aria-label*="Ours against the papers"]').count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window_or_asks_elsewhere(
    browser: Browser, address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    for name in ("", "paper_tables", "explore", "wrong_keys", "robustness", "cost", "training"):
        page.goto(f"{address}/{name}")
        expect(page.locator("h1")).to_be_visible(timeout=PATIENCE)
        page.wait_for_timeout(700)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.get_by_test_id("stException").count() == 0, name
        assert page.evaluate(CUT) == [], name
    assert {host for host in hosts if host} == {address.removeprefix("http://")}
    context.close()
