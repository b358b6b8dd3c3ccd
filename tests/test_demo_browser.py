"""The real demo in a real browser: every tab, bad input, a phone, and no outside request."""

import shutil
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from demo_server import Server, running
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from sample_photos import psnr_db

from demo import words
from demo.samples import sample
from engine import errors
from engine.faces import detect
from engine.images import open_photo, open_protected, write_png
from engine.pipeline import ProtectOptions, protect

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
SECRET = "geese bite postmen at dawn"
QUIET = ("background-networking", "component-update", "sync", "gpu", "quic")
FLAGS = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)]
TABS = ("Protect", "Recover", "Wrong keys", "Compare", "Guided tour", "How it works")
SECONDS = 1000
PATIENCE = 90 * SECONDS
expect.set_options(timeout=PATIENCE)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not Path(CHROMIUM).is_file(), reason="needs chromium"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(server: Server, browser: Browser) -> Iterator[Page]:
    with Visit(browser, server.url) as opened:
        yield opened


class Visit:
    """A page that fails the test where it asked another machine for anything or met an error."""

    def __init__(self, browser: Browser, url: str, width: int = 1240, height: int = 900) -> None:
        self.url = url
        self.outside: list[str] = []
        self.broken: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": height})

    def __enter__(self) -> Page:
        here = (self.url.split("/?")[0], "data:", "blob:")
        self.page.on(
            "request",
            lambda asked: asked.url.startswith(here) or self.outside.append(asked.url),
        )
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.page.set_default_timeout(PATIENCE)
        self.page.goto(self.url)
        self.page.wait_for_selector("#summary img")
        return self.page

    def __exit__(self, *error: object) -> None:
        self.page.close()
        assert self.outside == []
        assert self.broken == []


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#{name} input, #{name} textarea").first


def upload(page: Page, name: str, path: Path) -> None:
    clear = page.locator(f"#{name} button[aria-label='Remove Image']")
    if clear.is_visible():
        clear.click()
        clear.wait_for(state="detached")
    page.set_input_files(f"#{name} input[type=file]", str(path))


def message(page: Page) -> str:
    """The newest message; closed, so that the next one is seen for itself."""
    toast = page.locator(".toast-body").last
    toast.wait_for()
    text = toast.inner_text()
    while page.locator(".toast-close").count():
        page.locator(".toast-close").first.click()
        page.wait_for_timeout(SECONDS // 2)
    return text


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def drag(page: Page, name: str, steps: int) -> None:
    """Move a slider by keys, as somebody without a mouse does; nothing is let go of."""
    page.locator(f"#{name} input[type=range]").focus()
    for _ in range(steps):
        page.keyboard.press("ArrowRight")


def shoot(page: Page, folder: Path, name: str) -> None:
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 20_000


def test_protect_download_recover(page: Page, tmp_path: Path, server: Server) -> None:
    page.click("#sample-0")
    page.wait_for_selector("#protect-preview img")
    page.click("#protect-generate")
    page.wait_for_selector("#protect-meter .fv-strong")
    assert "77 bits" in page.inner_text("#protect-meter")
    drawn = field(page, "protect-passphrase").input_value()
    page.click("#protect-go")
    page.wait_for_selector("#protect-card .fv-card")
    assert "bit-exact" in page.inner_text("#protect-card")
    with page.expect_download() as saved:
        page.click("#protect-download")
    path = tmp_path / "protected.png"
    saved.value.save_as(path)
    kept = [file for file in server.temp.rglob("protected.png") if file.is_file()]
    assert path.read_bytes() in [file.read_bytes() for file in kept]
    assert open_protected(path).header is not None
    shoot(page, tmp_path, "protect")

    tab(page, "Recover")
    upload(page, "recover-photo", path)
    field(page, "recover-passphrase").fill(drawn[:-1])
    page.click("#recover-go")
    assert "Wrong passphrase" in message(page)
    assert "Wrong passphrase" in page.inner_text("#recover-empty")
    field(page, "recover-passphrase").fill(drawn)
    page.click("#recover-go")
    page.wait_for_selector("#recover-card .fv-card")
    with page.expect_download() as saved:
        page.click("#recover-download")
    back = tmp_path / "recovered.png"
    saved.value.save_as(back)
    original_u8 = sample("Astronaut")
    x0, y0, x1, y1 = detect(original_u8)[0].box
    back_u8 = open_photo(back)
    assert np.array_equal(back_u8[y0:y1, x0:x1], original_u8[y0:y1, x0:x1])
    assert psnr_db(back_u8, original_u8) > 50
    shoot(page, tmp_path, "recover")
    assert drawn not in server.log.read_text()


def shown_face(page: Page) -> np.ndarray:
    """The middle of the face in the preview, within its frame and beside its number."""
    address = page.get_attribute("#protect-preview img", "src") or ""
    x0, y0, x1, y1 = detect(sample("Astronaut"))[0].box
    picture_u8 = open_photo(page.request.get(address).body())
    return picture_u8[y0 + 40 : y1 - 40, x0 + 40 : x1 - 40]


def choose_mask(page: Page, title: str) -> None:
    field(page, "protect-mask").click()
    page.get_by_role("option", name=title, exact=True).click()


def test_another_character_is_drawn_and_laid(page: Page, tmp_path: Path) -> None:
    another, go = page.locator("#protect-another"), page.locator("#protect-go")
    picture = page.locator("#protect-preview img")
    page.click("#sample-0")
    blurred = picture.get_attribute("src") or ""
    choose_mask(page, "Cartoon")
    expect(picture).not_to_have_attribute("src", blurred)
    expect(another).to_have_text("Draw another character")
    first_u8, address = shown_face(page), picture.get_attribute("src") or ""
    another.click()
    expect(go).to_be_disabled()
    expect(picture).not_to_have_attribute("src", address)
    told = page.locator("#protect-notes [role=status]")
    expect(told).to_have_text(words.ANOTHER)
    expect(told).to_be_visible()
    expect(go).to_be_enabled()
    second_u8 = shown_face(page)
    assert psnr_db(first_u8, second_u8) < 30
    shoot(page, tmp_path, "another")

    page.click("#protect-go")
    assert title(errors.PassphraseError) in message(page)
    expect(another).to_be_enabled()  # after a failure, too
    field(page, "protect-passphrase").fill(SECRET)
    page.click("#protect-go")
    expect(another).to_be_disabled()
    page.wait_for_selector("#protect-card .fv-card")
    expect(another).to_be_enabled()
    with page.expect_download() as saved:
        page.click("#protect-download")
    saved.value.save_as(tmp_path / "protected.png")
    x0, y0, x1, y1 = detect(sample("Astronaut"))[0].box
    laid_u8 = open_photo(tmp_path / "protected.png")[y0 + 40 : y1 - 40, x0 + 40 : x1 - 40]
    assert psnr_db(laid_u8, second_u8) > 45
    shoot(page, tmp_path, "another_protected")

    choose_mask(page, "Average face")
    expect(another).to_have_text("Draw another face")
    expect(page.locator("#protect-strength")).not_to_be_visible()
    choose_mask(page, "Blur")
    expect(another).not_to_be_visible()
    expect(page.locator("#protect-strength")).to_be_visible()


def test_a_preview_that_fails_leaves_none_of_another_mask(page: Page, server: Server) -> None:
    page.click("#sample-0")
    page.wait_for_selector("#protect-preview img")
    for path in server.temp.rglob("sample.png"):
        path.unlink()
    choose_mask(page, "Cartoon")
    assert "This picture is gone" in message(page)
    expect(page.locator("#protect-preview img")).to_have_count(0)


def test_what_rests_wakes_though_no_preview_comes(page: Page, server: Server) -> None:
    page.click("#sample-0")
    page.wait_for_selector("#protect-preview img")
    choose_mask(page, "Cartoon")
    another, go = page.locator("#protect-another"), page.locator("#protect-go")
    expect(another).to_be_enabled()
    for path in server.temp.rglob("sample.png"):
        path.unlink()
    another.click()
    assert "This picture is gone" in message(page)
    expect(go).to_be_enabled()
    expect(another).to_be_enabled()


def test_several_faces_can_be_chosen(page: Page) -> None:
    page.click("#sample-1")
    page.wait_for_selector("#protect-faces input")
    assert page.locator("#protect-faces input").count() == 6
    for number in (0, 3):
        page.locator("#protect-faces input").nth(number).uncheck()
    field(page, "protect-passphrase").fill("password")
    page.wait_for_selector("#protect-meter .fv-listed")
    page.wait_for_timeout(1 * SECONDS)
    page.click("#protect-go")
    page.wait_for_selector("#protect-card .fv-card")
    assert "2 left clear" in page.inner_text("#protect-card")


def test_closing_the_page_wipes_its_pictures(browser: Browser, server: Server) -> None:
    held = set(server.temp.rglob("preview.png"))
    with Visit(browser, server.url) as page:
        page.click("#sample-0")
        page.wait_for_selector("#protect-preview img")
        page.locator("#protect-strength input[type=range]").focus()
        drag(page, "protect-strength", 3)
        page.wait_for_timeout(3 * SECONDS)
        assert set(server.temp.rglob("preview.png")) - held
    end = time.monotonic() + 60
    while set(server.temp.rglob("preview.png")) - held and time.monotonic() < end:
        time.sleep(1)
    assert set(server.temp.rglob("preview.png")) - held == set()


def test_wrong_keys(page: Page, tmp_path: Path) -> None:
    tab(page, "Wrong keys")
    page.wait_for_selector("#lab-rows .fv-row")
    assert page.locator("#lab-rows figure").count() == 12
    assert page.locator("#lab-rows .fv-good").count() == 4
    for guess, word in (("open sesame", "does not fit"), ("a quiet river 7", "fits")):
        field(page, "lab-guess").fill(guess)
        page.click("#lab-try")
        page.locator("#lab-guessed h4 code", has_text=word).wait_for()
        if word == "does not fit":
            assert page.locator("#lab-guessed .fv-good").count() == 0
    page.click("#lab-many")
    page.locator("#lab-said", has_text="12 of 12 keys tried, 0 opened").wait_for()
    assert page.locator("#lab-gallery img").count() >= 12
    drag(page, "lab-share", 4)
    page.wait_for_selector("#lab-curve .plot-container")
    page.locator("#lab-share-pictures", has_text="4.0% wrong").wait_for()
    page.click("#lab-spoof")
    page.wait_for_selector("#lab-spoofed figure")
    assert "refused" in page.inner_text("#lab-spoofed")
    shoot(page, tmp_path, "wrong_keys")

    tab(page, "Attack it")  # attacks at once, and shows residual and JPEG too
    page.wait_for_selector("#lab-jpeg-pictures figure")
    assert page.locator("#attack-pictures figure").count() == 4
    assert "Over many faces" in page.inner_text("#attack-pictures")
    for row in page.locator("#attack-method label").all_inner_texts():
        assert ("No attacker is needed" if row.startswith("IMN") else "Trained attacker") in row
    page.locator("#attack-method label", has_text="IMN").click()
    page.locator("#attack-pictures", has_text="What anyone recovers").wait_for()
    drag(page, "lab-times", 1)
    page.wait_for_selector("#lab-residual img[alt*='11 times amplified']")
    drag(page, "lab-jpeg", 1)
    page.locator("#lab-jpeg-pictures h3", has_text="JPEG of quality 95").wait_for()
    assert words.TROUBLES[errors.ReencodedError][0] in page.inner_text("#lab-jpeg-pictures")
    typed = page.locator("#lab-jpeg input[type=number]")
    typed.fill("3")  # on the way to 30, and below what the slider takes
    typed.fill("30")
    page.locator("#lab-jpeg-pictures h3", has_text="JPEG of quality 30").wait_for()
    page.locator("#lab-times input[type=range]").focus()
    page.keyboard.press("End")
    page.wait_for_selector("#lab-residual img[alt*='50 times amplified']")
    assert page.locator(".toast-body").count() == 0
    shoot(page, tmp_path, "attack_it")


def test_the_mask_that_is_chosen_is_the_one_attacked(page: Page) -> None:
    tab(page, "Wrong keys")
    page.wait_for_selector("#lab-rows .fv-row")
    tab(page, "Attack it")
    page.wait_for_selector("#lab-jpeg-pictures figure")
    page.locator("#attack-pictures", has_text="Shared under Blur").wait_for()
    page.locator("#lab-mask input").click()
    page.get_by_role("option", name="Cartoon", exact=True).click()
    page.locator("#lab-note", has_text="before, under Blur").wait_for()
    page.click("#attack-go")
    page.locator("#attack-pictures", has_text="Shared under Cartoon").wait_for()
    page.locator("#lab-jpeg-pictures h3", has_text="under Cartoon").wait_for()
    assert "true Cartoon" in page.inner_text("#lab-residual")
    assert page.inner_text("#lab-note") == ""
    tab(page, "Try keys")
    assert "Cartoon" in page.inner_text("#lab-left")


def test_a_race_is_live_and_can_be_stopped(page: Page) -> None:
    tab(page, "Wrong keys")
    page.wait_for_selector("#lab-rows .fv-row")
    tab(page, "Attack it")
    field(page, "race-passphrase").fill("geese bite postmen")
    page.click("#race-go")
    first = page.locator("#race-shown section").first
    first.get_by_text("Keys a second, here").wait_for()
    assert "planted there for this race" in page.inner_text("#race-shown")
    page.click("#race-stop")
    page.locator("#race-said", has_text="Stopped").wait_for()
    page.wait_for_timeout(1 * SECONDS)
    stopped = page.inner_text("#race-shown")
    page.wait_for_timeout(2 * SECONDS)
    assert page.inner_text("#race-shown") == stopped


def test_what_a_wrong_key_shows_follows_the_method(page: Page) -> None:
    page.get_by_role("button", name="More options").click()
    choices = page.locator("#protect-wrong label")
    for method, count in (("ObfsWR", 2), ("ProFace-K", 3)):
        page.locator("#protect-method label", has_text=method).click()
        expect(choices).to_have_count(count)
    page.locator("#protect-wrong label", has_text="Somebody else").click()
    expect(page.locator("#protect-wrong")).to_contain_text("fools an onlooker")
    page.locator("#protect-method label", has_text="RandWR").click()
    expect(choices).to_have_count(2)
    expect(page.locator("#protect-wrong input:checked")).to_have_value("decoy")
    page.locator("#protect-method label", has_text="Sealed").click()
    expect(choices).to_have_count(3)
    for row in page.locator("#protect-method label").all_inner_texts():
        # Without a key there is nothing to train: the row says that instead.
        assert ("No attacker is needed" if row.startswith("IMN") else "Trained attacker") in row


def test_whose_face_is_laid_is_asked_only_where_a_mask_can_lay_it(
    page: Page, tmp_path: Path
) -> None:
    other, sky = tmp_path / "other.png", tmp_path / "sky.png"
    write_png(other, np.ascontiguousarray(sample("Group of six")[:300, 240:400]), None)
    write_png(sky, np.full((64, 96, 3), 200, np.uint8), None)
    page.click("#sample-0")
    page.wait_for_selector("#protect-preview img")
    page.get_by_role("button", name="More options").click()
    whose = page.locator("#protect-whose")

    expect(whose).not_to_be_visible()
    choose_mask(page, "Nobody's face")
    expect(whose).to_be_visible()
    expect(whose).to_contain_text("ask them first")
    upload(page, "protect-source", sky)
    assert "No face in the second photograph" in message(page)
    expect(page.locator("#protect-source img")).to_have_count(0)
    before = page.get_attribute("#protect-preview img", "src")
    upload(page, "protect-source", other)
    expect(page.locator("#protect-preview img")).not_to_have_attribute("src", before or "")
    shoot(page, tmp_path, "whose")
    field(page, "protect-passphrase").fill(SECRET)
    page.click("#protect-go")
    page.wait_for_selector("#protect-card .fv-card")
    assert "the person you chose" in page.inner_text("#protect-card")
    choose_mask(page, "Blur")
    expect(whose).not_to_be_visible()
    page.click("#protect-go")
    expect(page.locator("#protect-card")).not_to_contain_text("the person you chose")
    choose_mask(page, "Nobody's face")
    expect(page.locator("#protect-source img")).to_have_count(0)


def test_compare_opens_a_cell_with_its_figures(page: Page, tmp_path: Path) -> None:
    tab(page, "Compare")
    page.click("#compare-go")
    page.wait_for_function("document.querySelectorAll('#compare-table .fv-line').length === 11")
    cells = page.locator("#compare-table .fv-cell > button")
    assert cells.count() > 60
    cells.nth(2).focus()
    page.keyboard.press("Enter")
    opened = page.locator("#compare-table .fv-popover:popover-open")
    opened.wait_for()
    assert "nearness to the face" in opened.inner_text()
    page.keyboard.press("Escape")
    opened.wait_for(state="hidden")
    shoot(page, tmp_path, "compare")


def test_the_tour_needs_no_typing(page: Page, tmp_path: Path) -> None:
    tab(page, "Guided tour")
    headings = []
    for step in (1, 2, 3, 4, 5, 1):
        heading = page.locator("#tour-stage h2", has_text=f"{step}.")
        heading.wait_for()
        headings.append(heading.inner_text())
        shoot(page, tmp_path, f"tour_{len(headings)}")
        page.focus("#tour-next")
        page.keyboard.press("Enter")
    assert len({*headings}) == 5 and headings[-1] == headings[0], "after the last the first"


TIGHT = """[...document.querySelectorAll('#how g.b')].flatMap(group => {
    const box = group.querySelector('rect').getBBox(), found = []
    let text = group.nextElementSibling
    for (; text && text.tagName === 'text'; text = text.nextElementSibling) {
        const inside = text.getBBox()
        if (inside.x >= box.x + box.width || inside.x + inside.width <= box.x) break
        if (inside.x < box.x + 6 || inside.x + inside.width > box.x + box.width - 6)
            found.push(text.textContent)
    }
    return found
})"""
"""Words of the diagrams that touch the edge of their box."""


def test_how_it_works_draws_its_own_diagrams(page: Page) -> None:
    tab(page, "How it works")
    assert page.locator("#how svg[role=img]").count() == 2
    assert "Limits, plainly" in page.inner_text("#how")
    assert page.evaluate(TIGHT) == []


def test_without_a_face_the_page_says_what_to_do(page: Page, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    write_png(grey, np.full((240, 320, 3), 128, np.uint8), None)
    page.click("#sample-1")
    page.wait_for_selector("#protect-faces input")
    upload(page, "protect-photo", grey)
    page.wait_for_selector("#protect-whole")
    assert words.NO_FACE[0] in page.inner_text("#protect-empty")
    assert not page.locator("#protect-faces").is_visible()
    assert not page.locator("#protect-preview").is_visible()
    message(page)
    page.click("#protect-harder")
    page.locator("#protect-harder").wait_for(state="hidden")
    page.click("#protect-whole")
    page.wait_for_selector("#protect-preview img")
    assert not page.locator("#protect-whole").is_visible()


def test_every_link_of_the_head_leads_somewhere(page: Page) -> None:
    links = page.locator(".fv-top nav a")
    assert links.count() == 1
    links.first.click()
    page.wait_for_selector("h1", timeout=PATIENCE)
    assert page.url.split("?")[0].endswith("/dashboard/")


def test_every_picture_has_words(page: Page) -> None:
    page.click("#sample-0")
    page.wait_for_selector("#protect-preview img")
    tab(page, "Wrong keys")
    page.wait_for_selector("#lab-rows .fv-row")
    bare = page.evaluate(
        "[...document.querySelectorAll('img')].filter(i => !i.alt && !i.closest('[aria-hidden]'))"
        ".map(i => i.outerHTML.slice(0, 120))"
    )
    assert bare == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_every_tab_without_sideways_scrolling(
    server: Server, browser: Browser, tmp_path: Path, dark: bool
) -> None:
    with Visit(browser, server.url + ("/?__theme=dark" if dark else ""), 390, 844) as page:
        for name in TABS:
            tab(page, name)
            if name == "Protect":
                page.click("#sample-0")
                # Below what is loaded without scrolling there.
                page.locator("#protect-preview").scroll_into_view_if_needed()
                page.wait_for_selector("#protect-preview img")
            if name == "Wrong keys":
                page.wait_for_selector("#lab-rows .fv-row")
                assert overflow(page) <= 0, name
                if dark:  # one look is enough for the width
                    tab(page, "Attack it")
                    page.wait_for_selector("#lab-jpeg-pictures figure")
            page.wait_for_timeout(0.5 * SECONDS)
            assert overflow(page) <= 0, name
            shoot(page, tmp_path, f"phone_{name.replace(' ', '_').lower()}")


def huge_png(path: Path) -> Path:
    """100 megapixels in some hundred kilobytes."""
    side, packed = 10_000, zlib.compressobj(1)
    data = b"".join(packed.compress(bytes(1 + side)) for _ in range(side)) + packed.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", data))
    body = b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in (*chunks, (b"IEND", b""))
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def animated_webp(path: Path) -> Path:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(path, "WEBP", save_all=True, append_images=frames[1:])
    return path


def title(kind: type[errors.EngineError]) -> str:
    return words.TROUBLES[kind][0]


def test_bad_photos_each_get_their_message(page: Page, tmp_path: Path) -> None:
    text, grey = tmp_path / "text.png", tmp_path / "grey.png"
    text.write_text("This is no picture.\n" * 20)
    write_png(grey, np.full((240, 320, 3), 128, np.uint8), None)
    cases = (
        (text, errors.ImageFormatError),
        (huge_png(tmp_path / "huge.png"), errors.ImageTooLargeError),
        (animated_webp(tmp_path / "moving.webp"), errors.ImageFormatError),
        (grey, errors.NoFaceError),
    )
    for path, kind in cases:
        upload(page, "protect-photo", path)
        assert title(kind) in message(page), path.name
    page.click("#sample-0")
    page.wait_for_selector("#protect-preview img")
    page.click("#protect-go")
    assert title(errors.PassphraseError) in message(page)
    field(page, "protect-passphrase").fill(SECRET)
    page.click("#protect-go")
    page.wait_for_selector("#protect-card .fv-card")


def test_bad_protected_files_each_get_their_message(
    page: Page, tmp_path: Path, server: Server
) -> None:
    photo_u8 = np.ascontiguousarray(sample("Astronaut")[:320, 65:385])
    made = protect(photo_u8, detect(photo_u8), SECRET, ProtectOptions())
    header = open_protected(made.png).header
    whole, cropped, jpeg, other = (tmp_path / name for name in ("a.png", "b.png", "c.jpg", "d.png"))
    whole.write_bytes(made.png)
    write_png(cropped, made.photo_u8[:, :-1], header)
    Image.fromarray(made.photo_u8).save(jpeg, quality=90)
    Image.fromarray(photo_u8).save(other)
    changed, changed_u8 = tmp_path / "e.png", made.photo_u8.copy()
    changed_u8[150:170, 150:170] ^= 32
    write_png(changed, changed_u8, header)
    tab(page, "Recover")
    field(page, "recover-passphrase").fill(SECRET)
    cases = (
        (cropped, errors.ReencodedError),
        (jpeg, errors.ReencodedError),
        (other, errors.NotProtectedError),
        (changed, errors.TamperedError),
    )
    for path, kind in cases:
        upload(page, "recover-photo", path)
        page.wait_for_timeout(1 * SECONDS)
        page.click("#recover-go")
        assert title(kind) in message(page), path.name
    upload(page, "recover-photo", whole)
    page.wait_for_timeout(1 * SECONDS)
    page.click("#recover-go")
    page.wait_for_selector("#recover-card .fv-card")
    assert "Traceback" not in server.log.read_text()
