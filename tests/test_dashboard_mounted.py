"""The dashboard as the demo mounts it, in a real browser: the walk of a person who has one URL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dashboard_examples as examples
import pytest
from demo_server import Server, running
from playwright.sync_api import Page, expect, sync_playwright
from test_dashboard_browser import tick

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
PATIENCE = 20_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mounted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEVEIL_DB", str(examples.small(folder / "results.db")))
        with running(folder) as started:
            yield started


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def test_overview_permalink_and_comparison_in_the_demo(page: Page, server: Server) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(f"{server.url}/dashboard/")
    expect(page.locator("h1")).to_have_text("Overview", timeout=PATIENCE)
    expect(page.get_by_test_id("stMetric").first).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Runs").click()
    expect(page.locator("h1")).to_have_text("Runs", timeout=PATIENCE)
    assert page.url.split("?")[0] == f"{server.url}/dashboard/runs"
    page.get_by_test_id("data-grid-canvas").first.wait_for()
    page.wait_for_timeout(1000)
    tick(page, 0)
    expect(page.get_by_role("heading", name="Run 4: train")).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(1000)
    tick(page, 1)
    compared(page)
    link = page.url
    page.goto("about:blank")
    page.goto(link)  # what somebody was sent, on a fresh page
    compared(page)
    assert page.get_by_test_id("stException").count() == 0
    assert {host for host in hosts if host} == {server.url.removeprefix("http://")}


def compared(page: Page) -> None:
    """Both runs are compared, and the one setting that differs is told."""
    expect(page.get_by_role("heading", name="Runs 4, 3 compared")).to_be_visible(timeout=PATIENCE)
    table = page.get_by_test_id("stDataFrame").nth(1)
    # Drawn on a canvas: its text is in the table beside it that screen readers have.
    for text in ("config.learning_rate", "0.001", "0.002"):
        expect(table.get_by_text(text, exact=True)).to_be_attached(timeout=PATIENCE)


def test_notes_are_not_offered_there(page: Page, server: Server) -> None:
    """The demo may listen to other machines: only a flag lets people write."""
    page.goto(f"{server.url}/dashboard/runs?runs=1+proface-s-rand")
    page.get_by_role("tab", name="Note, tag, hide").click()
    expect(page.get_by_text("FACEVEIL_NOTES=1")).to_be_visible(timeout=PATIENCE)
    assert page.locator("textarea").count() == 0
