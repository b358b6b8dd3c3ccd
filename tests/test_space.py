"""The Space's manifest: what is wrong in it is said by name, and what it starts is what runs."""

import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "space"
FILES = ("Spacefile", "requirements.txt", "packages.txt", "README.md", "pyproject.toml")


def load_script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("space_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader("space_script", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules["space_script"] = module  # pydantic looks the module's names up
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


space = load_script()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the check reads, with programs in the place of ours."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("demo/space.py", "dashboard/app.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    (tmp_path / "assets").mkdir()
    Image.new("RGB", (512, 512)).save(tmp_path / "assets" / "icon.png")
    space.write_readme(tmp_path)
    assert list(space.faults(tmp_path)) == []
    return tmp_path


def edit(checkout: Path, name: str, pattern: str, new: str) -> None:
    """Change one place of one file."""
    text = (checkout / name).read_text(encoding="utf-8")
    changed, count = re.subn(pattern, new, text, count=1, flags=re.MULTILINE)
    assert count == 1, pattern
    (checkout / name).write_text(changed, encoding="utf-8")


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**{k: v for k, v in os.environ.items() if k != "GRADIO_SERVER_PORT"}, **variables},
        timeout=120,
    )


def test_this_repository_passes() -> None:
    assert list(space.faults(ROOT)) == []


def test_the_icon_is_small_and_made_by_its_script(tmp_path: Path) -> None:
    icon = ROOT / "assets" / "icon.png"
    assert icon.stat().st_size < 40_000
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "icon", tmp_path / "icon.png"], check=True, timeout=60
    )
    with Image.open(icon) as kept, Image.open(tmp_path / "icon.png") as drawn:
        assert kept.size == (512, 512)
        assert kept.convert("RGBA").tobytes() == drawn.convert("RGBA").tobytes()


@pytest.mark.parametrize(
    ("pattern", "new", "said"),
    [
        (r"^v: 0$", "v: 1", "v: Input should be 0"),
        (r"^v: 0$", "", "v: Field required"),
        (r"^icon: .*$", "icon: ../icon.png", "icon: String should match pattern"),
        (r"^icon: .*$", "icon: /etc/icon.png", "icon: String should match pattern"),
        (r"^  sdk: gradio$", "  sdk: streamlit", "space.sdk: Input should be 'gradio'"),
        (
            r"^  sdk_version: .*$",
            "  sdk_version: 6.31",
            "space.sdk_version: Input should be a valid",
        ),
        (r"^  python_version: .*$", "  python_version: 3.12", "space.python_version: Input should"),
        (r"^  colorTo: .*$", "  colorTo: teal", "space.colorTo: Input should be 'red'"),
        (r"^  suggested_hardware: .*$", "  suggested_hardware: h100", "space.suggested_hardware: "),
        (r"^  short_description: .*$", f"  short_description: {'x' * 61}", "at most 60 characters"),
        (r"^  port: .*$", "  port: 80", "space.port: Input should be 7860"),
        (r"^  title: .*$", "  titel: FaceVeil", "space.titel: Extra inputs are not permitted"),
        (r"^  title: .*$", "  title: [", "is no YAML in line"),
        (r"^  title: .*$", "  title: A\n  title: B", "title is there twice"),
        (r"^    primary: true$", "", "micros must have one primary"),
        (
            r"^    run: mounted$",
            "    run: streamlit run dashboard/app.py",
            "must have run: mounted",
        ),
        (r"^    path: /dashboard$", "    path: /", "must each have their own path"),
        (r"^  - name: dashboard$", "  - name: demo", "must each have their own name"),
        (r"^      - name: GRADIO_SERVER_PORT$", "      - name: gradio", "micros.0.env.0.name: "),
        (r"^    dev: python -m demo$", "", "micros.0.dev: Field required"),
    ],
)
def test_a_fault_of_the_schema_is_named(checkout: Path, pattern: str, new: str, said: str) -> None:
    edit(checkout, "Spacefile", pattern, new)
    with pytest.raises(space.SpaceError) as caught:
        list(space.faults(checkout))
    lines = str(caught.value).splitlines()
    assert any(line.startswith("Spacefile: ") and said in line for line in lines), lines


@pytest.mark.parametrize(
    ("name", "pattern", "new", "said"),
    [
        (
            "requirements.txt",
            r"^gradio\[mcp\]==.*$",
            "gradio==6.32.0",
            "requirements.txt pins 6.32.0",
        ),
        ("requirements.txt", r"^gradio\[mcp\]==.*$", "", "requirements.txt pins none"),
        (
            "requirements.txt",
            r"^torch==.*$",
            "torch>=2",
            "requirements.txt: torch>=2 is no exact pin",
        ),
        ("requirements.txt", r"\A", "-e .\n", "requirements.txt: -e . is no exact pin"),
        ("packages.txt", r"^libgl1$", "# for opencv", "packages.txt: '# for opencv' is no name"),
        (
            "pyproject.toml",
            r"^requires-python = .*$",
            'requires-python = ">=3.13"',
            "asks for >=3.13",
        ),
        (
            "Spacefile",
            r"^  python_version: .*$",
            '  python_version: "3.11"',
            "demo.engine python3.12",
        ),
        (
            "Spacefile",
            r"^    run: python demo/space.py$",
            "    run: python -m demo",
            "host's 'python",
        ),
        (
            "Spacefile",
            r"^  app_file: .*$",
            "  app_file: app.py",
            "app_file names app.py, which is not",
        ),
        ("Spacefile", r"^    src: dashboard$", "    src: board", "dashboard.src names board"),
        (
            "Spacefile",
            r"run dashboard/app.py$",
            "run dashboard/a.py",
            "starts dashboard/a.py, which is",
        ),
        (
            "Spacefile",
            r'^        default: "7860"$',
            '        default: "80"',
            "GRADIO_SERVER_PORT is 80",
        ),
        ("Spacefile", r"^icon: .*$", "icon: assets/none.png", "which is no picture that is there"),
        (
            "README.md",
            r"^sdk_version: .*$",
            "sdk_version: 6.30.0",
            "head says sdk_version '6.30.0'",
        ),
        ("README.md", r"^python_version: .*$", "python_version: 3.12", "says python_version 3.12"),
        ("README.md", r"^license: .*\n", "", "head says license none, the Spacefile 'apache-2.0'"),
        (
            "README.md",
            r"^license: .*$",
            "license: apache-2.0\npinned: true",
            "head says pinned True, the Spacefile none",
        ),
        ("README.md", r"^---\n", "", "has no head for Hugging Face"),
        ("README.md", r"^title: .*$", "title: [", "README.md: its head is no YAML"),
    ],
)
def test_what_does_not_fit_together_is_named(
    checkout: Path, name: str, pattern: str, new: str, said: str
) -> None:
    edit(checkout, name, pattern, new)
    found = list(space.faults(checkout))
    assert any(said in line for line in found), found


def test_an_icon_of_another_size_is_named(checkout: Path) -> None:
    Image.new("RGB", (256, 256)).save(checkout / "assets" / "icon.png")
    assert list(space.faults(checkout)) == [
        "Spacefile: icon must be a PNG of 512x512, assets/icon.png is not"
    ]


def test_without_a_spacefile_that_is_said(checkout: Path) -> None:
    (checkout / "Spacefile").unlink()
    with pytest.raises(space.SpaceError, match=r"^Spacefile: is not there$"):
        list(space.faults(checkout))


def test_the_readme_keeps_everything_below_its_head(checkout: Path) -> None:
    file = checkout / "README.md"
    first = file.read_text(encoding="utf-8")
    assert not space.write_readme(checkout)
    assert file.read_text(encoding="utf-8") == first
    _, body = space.split_readme(first)
    file.write_text(body, encoding="utf-8")
    assert space.write_readme(checkout)
    assert file.read_text(encoding="utf-8") == first
    assert body == space.split_readme((ROOT / "README.md").read_text(encoding="utf-8"))[1]
    assert body.startswith("# FaceVeil")


def test_the_head_is_what_hugging_face_reads(checkout: Path) -> None:
    head: dict[str, Any] = yaml.safe_load(
        (checkout / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    )
    assert (head["title"], head["sdk"], head["python_version"]) == ("FaceVeil", "gradio", "3.12")
    assert head["sdk_version"] == space.read_pins(ROOT)[0]["gradio"]
    assert {"emoji", "colorFrom", "colorTo", "app_file", "suggested_hardware", "license"} <= set(
        head
    )
    assert len(head["short_description"]) <= 60
    assert "port" not in head


def test_the_command_says_what_is_wrong_and_fails(checkout: Path) -> None:
    assert run("check", "--root", checkout).returncode == 0
    edit(checkout, "Spacefile", r"^v: 0$", "v: 7")
    for verb in ("check", "readme", "run"):
        done = run(verb, "--root", checkout)
        assert done.returncode == 1
        assert done.stderr.startswith("space: error: Spacefile: v: Input should be 0")
        assert "Traceback" not in done.stderr


def test_run_starts_what_the_space_starts(checkout: Path) -> None:
    (checkout / "demo" / "space.py").write_text(
        "import json, os, sys\n"
        "print(json.dumps([sys.argv, os.getcwd(), os.environ['GRADIO_SERVER_PORT']]))\n"
        "sys.exit(7)\n"
    )
    for port in ("", "7999"):
        done = run("run", "--root", checkout, **({"GRADIO_SERVER_PORT": port} if port else {}))
        assert done.returncode == 7
        assert json.loads(done.stdout) == [["demo/space.py"], str(checkout), port or "7860"]


def test_the_app_file_starts_the_demo_from_any_folder(tmp_path: Path) -> None:
    """With a stand-in for the demo, whose start takes seconds and a port."""
    (tmp_path / "demo").mkdir()
    shutil.copy(ROOT / "demo" / "space.py", tmp_path / "demo" / "space.py")
    (tmp_path / "demo" / "__init__.py").write_text("")
    (tmp_path / "demo" / "words.py").write_text("GREETING = 'hello'\n")
    (tmp_path / "demo" / "__main__.py").write_text(
        "import sys\nfrom demo.words import GREETING\n"
        "if __name__ == '__main__':\n    print(GREETING, sys.path[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "../demo/space.py"],
        cwd=tmp_path / "demo",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["hello", str(tmp_path)], done.stderr


USES_GPU = """
from demo.gpu import gpu
@gpu(duration=20)
def double(x: int) -> int:
    return 2 * x
print(double(4), getattr(double, "lent", None))
"""


@pytest.mark.parametrize("lends", [False, True])
def test_the_gpu_is_asked_for_only_where_it_is_lent(tmp_path: Path, lends: bool) -> None:
    """With a stand-in for the host's own package, which exists nowhere else."""
    if lends:
        (tmp_path / "spaces.py").write_text(
            "def GPU(duration):\n"
            "    def mark(function):\n"
            "        function.lent = duration\n"
            "        return function\n"
            "    return mark\n"
        )
    done = subprocess.run(
        [sys.executable, "-c", USES_GPU],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["8", "20" if lends else "None"], done.stderr
