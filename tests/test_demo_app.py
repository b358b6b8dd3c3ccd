"""The demo as a program: its page is built well, and others can call it."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import numpy as np
import pytest
from demo_server import Server, running
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from sample_photos import group, portrait, psnr_db

from demo.samples import sample
from demo.tabs import protect_page
from engine.faces import detect
from engine.images import open_photo, open_protected, write_png
from engine.sources import find_source

DEMO = Path(__file__).resolve().parents[1] / "demo"
PICTURES = {"Image", "ImageSlider", "Gallery", "ImageEditor", "Plot", "PhotoInput"}
SECRET = "geese bite postmen at dawn"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("demo")) as started:
        yield started


def calls(tree: ast.AST) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rsplit(".", 1)[-1]
            yield name, {key.arg: key.value for key in node.keywords if key.arg}


def lossy(tree: ast.AST) -> list[str]:
    """Components that would send pictures in gradio's own lossy format."""
    return [
        name
        for name, options in calls(tree)
        if name in PICTURES
        and not (
            isinstance(options.get("format"), ast.Constant) and options["format"].value == "png"
        )
    ]


def test_every_picture_travels_as_png() -> None:
    assert lossy(ast.parse("gr.Image(); gr.Gallery(format='webp'); gr.Image(format='png')")) == [
        "Image",
        "Gallery",
    ]
    trees = {path: ast.parse(path.read_text()) for path in DEMO.rglob("*.py")}
    assert {path.name: found for path, tree in trees.items() if (found := lossy(tree))} == {}
    assert sum(name in PICTURES for tree in trees.values() for name, _ in calls(tree)) > 6


def test_nothing_of_the_page_comes_from_elsewhere() -> None:
    for path in [*DEMO.rglob("*.py"), *DEMO.rglob("*.css")]:
        assert not re.findall(r"https?://(?!localhost|www\.w3\.org)", path.read_text()), path.name


def test_the_demo_writes_no_stubs_beside_its_components() -> None:
    assert list(DEMO.rglob("*.pyi")) == []


def test_a_program_protects_and_recovers(server: Server, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    write_png(photo, sample("Astronaut"), None)
    client = Client(server.url, download_files=str(tmp_path), verbose=False)
    chosen = (handle_file(str(photo)), "usual", ["all"], "sticker", 1)
    *_, seed = client.predict(chosen[0], "usual", "sticker", 1, api_name="/faces")
    seen, said, same = client.predict(*chosen, None, seed, api_name="/preview")
    assert said == "" and same == seed and seed.isdigit()
    secret = (*chosen, "sealed", SECRET, "", None)
    client.predict(*chosen, api_name="/preview")  # somebody else's, who shares the session
    _, path, _, figures = client.predict(*secret, seed, api_name="/protect")
    x0, y0, x1, y1 = detect(sample("Astronaut"))[0].box
    middle = np.s_[y0 + 40 : y1 - 40, x0 + 40 : x1 - 40]
    paths = [path, *(client.predict(*secret, api_name="/protect")[1] for _ in range(2))]
    seen_u8, laid_u8, *others = (open_photo(each)[middle] for each in (seen, *paths))
    assert psnr_db(seen_u8, laid_u8) > 45
    for other_u8 in others:
        assert psnr_db(other_u8, laid_u8) < 30
    assert psnr_db(*others) < 30, "without a seed each is drawn anew"
    with pytest.raises(AppError, match="This is no seed"):
        client.predict(*secret, "a ghost", api_name="/protect")
    assert figures["identity_cosine"] < figures["identity_threshold"] < 1
    _, path, _, figures = client.predict(
        handle_file(str(photo)), "usual", ["all"], "gaussian", 1, "sealed", SECRET,
        api_name="/protect",
    )  # fmt: skip
    png = Path(path).read_bytes()
    assert figures["bytes"] == len(png)
    assert open_protected(png).header is not None
    _, back, _, figures = client.predict(handle_file(path), SECRET, api_name="/recover")
    assert figures["bit_exact"]
    assert psnr_db(open_photo(Path(back).read_bytes()), sample("Astronaut")) > 50
    with pytest.raises(AppError, match="Wrong passphrase"):
        client.predict(handle_file(path), "something else", api_name="/recover")
    assert SECRET not in server.log.read_text()


def test_a_program_names_whose_face_is_laid(server: Server, tmp_path: Path) -> None:
    photo, other, sky = (tmp_path / f"{name}.png" for name in ("photo", "other", "sky"))
    six_u8 = group()
    (face,) = detect(six_u8)[1:2]
    x0, y0, x1, y1 = face.box
    write_png(photo, np.ascontiguousarray(six_u8[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20]), None)
    write_png(other, portrait(), None)
    write_png(sky, np.full((64, 96, 3), 200, np.uint8), None)
    client = Client(server.url, download_files=str(tmp_path), verbose=False)

    def ask(mask: str, source: Path | None) -> tuple[str, str, dict[str, Any]]:
        _, path, card, figures = client.predict(
            handle_file(str(photo)), "usual", ["all"], mask, 1, "sealed", SECRET, "",
            *([] if source is None else [handle_file(str(source))]), api_name="/protect",
        )  # fmt: skip
        return path, card, figures

    path, card, figures = ask("simswap", other)
    assert figures["source"] and figures["notes"] == [] and figures["still_known"] == 0
    assert "ask them first" in card
    made, source = find_source(open_photo(path)), find_source(portrait())
    assert made.identity @ source.identity > 0.4
    _, card, figures = ask("simswap", None)
    assert not figures["source"] and "ask them first" not in card
    with pytest.raises(AppError, match="No face in the second photograph"):
        ask("simswap", sky)
    with pytest.raises(AppError, match="This mask lays nobody else's face"):
        ask("gaussian", other)


STATELESS = {"faces", "preview", "protect", "recover", "compare"}
OF_A_SESSION = {
    "start_lab",
    "try_key",
    "random_keys",
    "wrong_share",
    "spoof",
    "residual",
    "attack",
    "resave",
    "race",
}


def test_every_action_is_described_for_programs(server: Server) -> None:
    endpoints = Client(server.url, verbose=False).view_api(return_format="dict")
    assert isinstance(endpoints, dict)
    assert {f"/{name}" for name in STATELESS} == set(endpoints["named_endpoints"])


def mcp(server: Server, method: str, **params: object) -> str:
    """Ask the server as an assistant does."""
    answer = httpx.post(
        f"{server.url}/gradio_api/mcp/",
        json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        headers={"accept": "application/json, text/event-stream"},
        timeout=60,
    )
    return answer.text


def test_assistants_get_no_tool_that_reads_a_session(server: Server) -> None:
    (told,) = [line for line in mcp(server, "tools/list").splitlines() if line.startswith("data:")]
    tools = {tool["name"] for tool in json.loads(told.removeprefix("data:"))["result"]["tools"]}
    assert {name for name in STATELESS if any(tool.endswith(name) for tool in tools)} == STATELESS
    assert len(tools) == len(STATELESS)
    prefix = next(tool for tool in tools if tool.endswith("faces")).removesuffix("faces")
    for name in OF_A_SESSION:
        assert "Unknown tool" in mcp(server, "tools/call", name=prefix + name, arguments={})


def test_a_lab_is_seen_by_its_own_session_only(server: Server) -> None:
    mine, other = Client(server.url, verbose=False), Client(server.url, verbose=False)
    mine.predict("Astronaut", None, "gaussian", "a quiet river 7", api_name="/start_lab")
    assert "<figure" in mine.predict(api_name="/spoof")
    with pytest.raises(AppError, match="No face on the table"):
        other.predict(api_name="/spoof")


def test_a_new_session_gives_no_more_tries_on_the_same_picture(
    server: Server, tmp_path: Path
) -> None:
    photo = tmp_path / "plain.png"
    write_png(photo, portrait(), None)
    uploaded = handle_file(str(photo))
    client = Client(server.url, verbose=False)
    for _ in range(10):
        with pytest.raises(AppError, match="Nothing of ours found"):
            client.predict(uploaded, "guess", api_name="/recover")
    for again in (client, Client(server.url, verbose=False)):
        with pytest.raises(AppError, match=r"Not so fast.*Try again in \d+ s"):
            again.predict(uploaded, "guess", api_name="/recover")


@pytest.mark.parametrize("place", [0, 1])
def test_nothing_is_fetched_from_an_address(server: Server, place: int) -> None:
    asked: list[object] = [None, "guess"]
    address = "http://example.invalid/photo.png"
    asked[place] = {"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}
    call = f"{server.url}/gradio_api/call/recover"
    event = httpx.post(call, json={"data": asked}).json()["event_id"]
    assert "No addresses" in httpx.get(f"{call}/{event}", timeout=30).text


def test_a_source_that_goes_with_its_mask_hides_no_result() -> None:
    """Blur may be protected already when the source that it cannot lay has been looked at."""
    assert protect_page._before_source("photo", "gaussian") == (gr.skip(),) * 5
    assert protect_page._before_source("photo", "simswap") == protect_page._before_result("photo")
