"""The demo as a program: its page is built well, and others can call it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_server import Server, running
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from sample_photos import portrait, psnr_db

from demo.samples import sample
from engine.images import open_photo, open_protected, write_png

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


def test_every_action_is_described_for_programs(server: Server) -> None:
    endpoints = Client(server.url, verbose=False).view_api(return_format="dict")
    assert isinstance(endpoints, dict)
    wanted = {"faces", "preview", "protect", "recover", "start_lab", "try_key", "random_keys"}
    wanted |= {"wrong_share", "spoof", "residual", "compare"}
    assert {f"/{name}" for name in wanted} == set(endpoints["named_endpoints"])


def test_a_session_tries_ten_passphrases_a_minute(server: Server, tmp_path: Path) -> None:
    photo = tmp_path / "plain.png"
    write_png(photo, portrait(), None)
    client = Client(server.url, verbose=False)
    uploaded = handle_file(str(photo))
    for _ in range(10):
        with pytest.raises(AppError, match="Not one of ours"):
            client.predict(uploaded, "guess", api_name="/recover")
    with pytest.raises(AppError, match="Not so fast"):
        client.predict(uploaded, "guess", api_name="/recover")
