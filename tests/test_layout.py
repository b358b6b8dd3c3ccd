"""The picture of the house, held to the code: reading order, doors, sizes, names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("engine", "demo", "dashboard", "scripts")
MAX_LINES = 300
MAX_FUNCTION_LINES = 60
STRAY_NAMES = {"utils", "helpers", "common", "core", "base", "config"}

FREE = ("errors", "_compat")
"""Anyone may import these; they import nothing of ours."""

READING_ORDER = (
    "boxes",
    "png",
    "decode",
    "files",
    "images",
    "passphrase",
    "keys",
    "stripes",
    "record",
    "header_bytes",
    "header",
    "wavelet",
    "emphasis",
    "rounding",
    "networks.mixins",
    "networks.coupling",
    "networks.emphasizing",
    "networks.embedder",
    "networks.imn",
    "networks.eigenfaces",
    "networks.recognizer",
    "networks.landmarks",
    "networks.reveal",
    "networks.swapper",
    "networks.enhancer",
    "networks.gallery",
    "networks",
    "scramble",
    "zoo",
    "crops",
    "detectors",
    "faces",
    "alignment",
    "recognition",
    "agents",
    "masks.inner_face",
    "masks.sunglasses",
    "masks.portrait",
    "landmarks",
    "sources",
    "masks.thin_plate",
    "masks.matching",
    "masks.filters",
    "masks.baselines",
    "masks.cartoon.pencil",
    "masks.cartoon.kinds",
    "masks.cartoon.character",
    "masks.cartoon.head",
    "masks.cartoon.eyes",
    "masks.cartoon.face",
    "masks.cartoon.hair",
    "masks.cartoon.wear",
    "masks.cartoon",
    "masks.sticker",
    "masks.enhance",
    "masks.ksame",
    "masks.swap",
    "masks.diffusion",
    "masks.table",
    "masks",
    "masking",
    "order",
    "codes",
    "carrier",
    "payload",
    "methods.signature",
    "methods.decoy",
    "methods.wrongly",
    "methods.embedding",
    "methods.networked",
    "methods.imn",
    "methods.proface_s",
    "methods.proface_k",
    "methods.sealed",
    "methods",
    "recovery",
    "options",
    "pipeline",
    "perceptual",
    "similarity",
    "identity",
    "metrics",
    "attacks.guesses",
    "attacks.keys",
    "attacks.residual",
    "data",
    "layouts",
    "frechet",
    "verification",
    "references",
    "provenance",
    "results.records",
    "results.views",
    "results.schema",
    "results.files",
    "results.numbering",
    "results.reader",
    "results.releasing",
    "results.writer",
    "results.matching",
    "results.judging",
    "results.standing",
    "results.advice",
    "results",
    "training.losses",
    "training.checkpoint",
    "training.ahead",
    "training.batches",
    "training.recipes",
    "training.sensitivity",
    "training.objective",
    "training.muon",
    "training.learner",
    "training.precision",
    "training.rounds",
    "training.loop",
    "training.teachers",
    "training.mixtures",
    "training.aligned",
    "training.alone",
    "training.pupil",
    "training.distil",
    "training.identities",
    "training.portraits",
    "training.shown",
    "training.critic",
    "training.opposed",
    "training.pairs",
    "training.swapping",
    "training.gallery",
    "training.swap",
    "training.swapped",
    "training.degrade",
    "training.landmarks",
    "training.enhancing",
    "training.enhance",
    "training.reveal",
    "training.crowd",
    "training.averages",
    "training",
    "likeness",
    "contact_sheet",
    "tables",
    "benchmark.plan",
    "benchmark.judge",
    "benchmark.photographs",
    "benchmark.rig",
    "benchmark.embedders",
    "benchmark.cost",
    "benchmark.units",
    "benchmark",
    "attacks.target",
    "attacks.plan",
    "attacks.attack",
    "attacks.remask",
    "attacks.wrong_keys",
    "attacks.common_passphrases",
    "attacks.rates",
    "attacks.oracles",
    "attacks.race",
    "attacks.dictionary",
    "attacks.forgeries",
    "attacks.tamper",
    "attacks.byproducts",
    "attacks.pairs",
    "attacks.microscope",
    "attacks.apart",
    "attacks.revealing",
    "attacks.revealed",
    "attacks.relaxed_map",
    "attacks.shuffle_match",
    "attacks.keyless",
    "attacks.deblur",
    "attacks.restore",
    "attacks.known_plaintext",
    "attacks.map_search",
    "attacks.distortions",
    "attacks.world",
    "attacks.multiset",
    "attacks",
    "cli.mask_choice",
    "cli.terminal",
    "cli.told",
    "cli.protect",
    "cli.recover",
    "cli.inspect",
    "cli.trainings",
    "cli.train",
    "cli.verify",
    "cli.masks",
    "cli.attack",
    "cli.benchmark",
    "cli",
    "__main__",
)
"""Each may import those above it, and no others of ours. The door, ``__init__``, comes first."""


def python_files(folder: str) -> list[Path]:
    """Every Python file of a folder, scripts without an ending too; none where it is absent."""
    return sorted(path for path in (ROOT / folder).rglob("*") if path.is_file() and is_python(path))


def is_python(path: Path) -> bool:
    if path.suffix:
        return path.suffix == ".py"
    with path.open("rb") as file:
        return file.read(64).split(b"\n")[0].rstrip().endswith(b"python3")


OURS = [path for folder in FOLDERS for path in python_files(folder)]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    """``engine/masks/__init__.py`` is ``masks``, ``engine/__init__.py`` is ``""``."""
    parts = path.relative_to(ROOT / "engine").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in python_files("engine")}


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every import, inside functions too, as (module, name); the name is "" for ``import x``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from ((node.module or "", alias.name) for alias in node.names)


def top(module: str) -> str:
    return module.split(".")[0]


def own_imports(tree: ast.AST) -> set[str]:
    """The engine's modules that a tree imports, without ``engine.``; "" is the door itself."""
    found = set()
    for module, name in imports(tree):
        if top(module) == "engine":
            inner = module.removeprefix("engine").removeprefix(".")
            longer = f"{inner}.{name}".removeprefix(".")
            found.add(longer if name and longer in MODULES else inner)
    return found


def forbidden(name: str, tree: ast.AST) -> set[str]:
    """What a module of the engine imports against the order."""
    if name in FREE:
        return own_imports(tree)
    allowed = {*FREE, *READING_ORDER[: READING_ORDER.index(name)]}
    return own_imports(tree) - allowed


def test_every_module_has_its_place_in_the_order() -> None:
    assert {"", *FREE, *READING_ORDER} == set(MODULES)
    assert len(set(READING_ORDER)) == len(READING_ORDER)


@pytest.mark.parametrize("name", [name for name in MODULES if name])
def test_a_module_imports_only_what_stands_above_it(name: str) -> None:
    assert forbidden(name, parse(MODULES[name])) == set()


def test_the_door_imports_nothing_when_it_is_opened() -> None:
    body = parse(MODULES[""]).body
    named = {module for node in body if not isinstance(node, ast.If) for module, _ in imports(node)}
    assert named == {"importlib", "typing"}
    guards = [ast.unparse(node.test) for node in body if isinstance(node, ast.If)]
    assert guards == ["TYPE_CHECKING"]


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("keys", "from engine.header import encode", {"header"}),
        ("keys", "def f():\n    import engine.zoo", {"zoo"}),
        ("keys", "from engine import pipeline", {"pipeline"}),
        ("methods.sealed", "from engine import carrier, protect", {""}),
        ("keys", "import engine", {""}),
        ("errors", "from engine.boxes import Box", {"boxes"}),
        ("header", "from engine.keys import Key\nfrom engine.errors import EngineError", set()),
    ],
)
def test_the_order_law_sees_what_breaks_it(name: str, source: str, found: set[str]) -> None:
    assert forbidden(name, ast.parse(source)) == found


def test_the_engine_knows_no_user_interface() -> None:
    barred = {"gradio", "streamlit", "plotly", "argparse", "demo", "dashboard"}
    for name, path in MODULES.items():
        taken = {top(module) for module, _ in imports(parse(path))}
        assert not taken & barred, name
        assert "typer" not in taken or top(name) == "cli", name


def past_the_door(folder: str, tree: ast.AST) -> set[str]:
    """What a file of demo/ or dashboard/ imports of the engine, or of the other, without right."""
    doors = {"demo": "engine", "dashboard": "engine.results"}
    other = ({"demo", "dashboard"} - {folder}).pop()
    found = set()
    for module, name in imports(tree):
        if top(module) == other:
            found.add(module)
        elif top(module) == "engine":
            is_module = module == "engine" and name and name in MODULES
            longer = f"engine.{name}" if is_module else module
            if longer not in (doors[folder], *(f"engine.{name}" for name in FREE)):
                found.add(longer)
    return found


@pytest.mark.parametrize("folder", ["demo", "dashboard"])
def test_the_apps_keep_to_their_door(folder: str) -> None:
    broken = {
        path.name: found
        for path in python_files(folder)
        if (found := past_the_door(folder, parse(path)))
    }
    assert broken == {}


@pytest.mark.parametrize(
    ("folder", "source", "found"),
    [
        ("demo", "from engine import protect\nfrom demo.actions import act", set()),
        ("demo", "def f():\n    from engine.pipeline import protect", {"engine.pipeline"}),
        ("demo", "from engine import masks", {"engine.masks"}),
        ("demo", "from engine.errors import EngineError", set()),
        ("demo", "import dashboard.app", {"dashboard.app"}),
        ("dashboard", "from engine.results import Results\nimport engine.results", set()),
        ("dashboard", "from engine import results", set()),
        ("dashboard", "from engine import protect", {"engine"}),
        ("dashboard", "import demo", {"demo"}),
    ],
)
def test_the_door_law_sees_what_breaks_it(folder: str, source: str, found: set[str]) -> None:
    assert past_the_door(folder, ast.parse(source)) == found


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_says_in_one_sentence_why_it_is_here(path: Path) -> None:
    summary = (ast.get_docstring(parse(path)) or "").split("\n\n")[0]
    assert summary, "no docstring"
    assert "\n" not in summary, "the first paragraph is more than a line"
    assert summary.endswith((".", ":")), summary
    assert not re.search(r"[.!?] [A-Z]", summary), "more than one sentence"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"


def test_no_file_has_a_name_that_says_nothing() -> None:
    stems = {path.stem: path for path in [*OURS, *(ROOT / "tests").rglob("*.py")]}
    folders = {path.parent.name: path for path in stems.values()}
    assert not STRAY_NAMES & (set(stems) | set(folders))


def torch_loads(tree: ast.AST) -> bool:
    """Whether ``torch.load`` is named: it unpickles, and a pickle runs code."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    attribute = any(ast.unparse(node) == "torch.load" for node in calls)
    return attribute or ("torch", "load") in imports(tree)


def test_nothing_is_ever_unpickled() -> None:
    assert torch_loads(ast.parse("def f(p):\n    return torch.load(p)"))
    assert torch_loads(ast.parse("from torch import load"))
    assert [path.name for path in OURS if torch_loads(parse(path))] == []


def test_every_named_error_says_what_to_do() -> None:
    errors = {node.name for node in parse(MODULES["errors"]).body if isinstance(node, ast.ClassDef)}
    silent = [
        f"{name}:{node.lineno}"
        for name, path in MODULES.items()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in errors
        and not any(keyword.arg == "hint" for keyword in node.keywords)
    ]
    assert silent == []


def tree_names(readme: str) -> list[str]:
    """The files and folders that the README's tree names, in its order."""
    tree = readme.split("<!-- tree -->")[1].split("<!-- /tree -->")[0]
    lines = (re.match(r"[\s│├└─]*([A-Za-z_]+(?:\.py|/))(\s|$)", line) for line in tree.splitlines())
    return [line[1] for line in lines if line and line[1] != "engine/"]


def file_name(module: str) -> str:
    package = MODULES[module].name == "__init__.py" and module
    return f"{module}/" if package else f"{module or '__init__'}.py"


def test_the_tree_of_the_readme_is_the_reading_order() -> None:
    wanted = ["", *FREE, *(name for name in READING_ORDER if "." not in name)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tree_names(readme) == [file_name(name) for name in wanted]
