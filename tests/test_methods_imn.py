"""IMN knows no key, and nothing in the program pretends that it does."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sample_photos import Photo, group, portrait, psnr_db
from tiny_training import draw_face, options
from tiny_zoo import (
    RELEASED,
    forget,
    grey_imn,
    point_zoo_at,
    random_imn,
    random_recognizer,
    write_model,
)
from typer.testing import CliRunner

import engine
from engine import errors, zoo
from engine.attacks.keys import Trial, random_key
from engine.benchmark import benchmark
from engine.benchmark.plan import BenchmarkConfig
from engine.cli import app
from engine.data import FaceSet
from engine.faces import faces_from_boxes
from engine.images import from_u8, open_photo, open_protected, to_u8, write_png
from engine.keys import KdfParams
from engine.methods import DEFAULT_METHOD, METHODS, usable_methods
from engine.networks.imn import Imn
from engine.pipeline import Protected, ProtectOptions, protect, recover, recover_wrongly
from engine.results import Results
from engine.training.loop import Trainer, train
from engine.training.recipes import ImnRecipe, find_recipe

BOX = (72, 64, 184, 176)
GREY = {"fraction": 1.0}
MODEL = METHODS["imn"].model
SECRET = "a passphrase that protects nothing"


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An IMN set by hand, which hides in plain grey alone, as if it were the released one."""
    write_model(tmp_path / "models" / MODEL, grey_imn(), MODEL)
    point_zoo_at(monkeypatch, tmp_path / "models")
    yield
    forget()


@pytest.fixture
def unreleased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    released = {name: sha256 for name, sha256 in RELEASED.items() if name != MODEL}
    monkeypatch.setattr(zoo, "RELEASED", released)
    forget()
    yield
    forget()


def hide(**more: object) -> Protected:
    faces = faces_from_boxes([BOX], *portrait().shape[:2])
    chosen = ProtectOptions("imn", "box", strength=GREY, kdf=KdfParams.cheapest(), **more)  # type: ignore[arg-type]
    return protect(portrait(), faces, SECRET, chosen)


def cut(photo_u8: Photo) -> Photo:
    x0, y0, x1, y1 = BOX
    return np.ascontiguousarray(photo_u8[y0:y1, x0:x1])


# --- nobody is kept out ---------------------------------------------------------------------------


@pytest.mark.usefixtures("released")
def test_anyone_recovers_the_face_from_the_png_with_the_weights_alone(tmp_path: Path) -> None:
    """The attack: no passphrase, no header, nothing but the pixels and what everybody has."""
    write_png(tmp_path / "seen.png", open_photo(hide().png), None)
    shared_u8 = cut(open_photo(tmp_path / "seen.png"))
    assert psnr_db(shared_u8, cut(portrait())) < 15
    with torch.inference_mode():
        found = zoo.load_model(MODEL, "cpu").recover(from_u8(shared_u8)).clamp(0, 1)
    assert psnr_db(to_u8(found), cut(portrait())) > 35


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("secrets", [[SECRET], [SECRET[:-1]], ["x", "y"], []])
def test_any_passphrase_recovers_and_only_the_right_one_is_called_so(secrets: list[str]) -> None:
    file = open_protected(hide().png)
    found = recover(file, secrets)
    assert (found.opened, found.closed) == ((1,), ())
    assert found.verified == (SECRET in secrets)
    assert psnr_db(cut(found.photo_u8), cut(portrait())) > 35
    np.testing.assert_array_equal(found.photo_u8, recover(file, [SECRET]).photo_u8)


@pytest.mark.usefixtures("released")
def test_a_wrong_key_shows_the_face_and_no_other_picture_is_put_in_its_place() -> None:
    made = hide()
    assert made.header.wrong == ""
    file = open_protected(made.png)
    right_u8 = recover(file, [SECRET]).photo_u8
    np.testing.assert_array_equal(recover_wrongly(file, "another"), right_u8)
    trial = Trial(file)
    key = random_key()
    assert not trial.opens(key)
    np.testing.assert_array_equal(trial.show(key), cut(right_u8))
    with pytest.raises(errors.MethodError, match="key map"):
        trial.show_map(key, 0.1, 0)
    for wrong in ("rand", "obfs", "decoy"):
        with pytest.raises(errors.MethodError, match="knows no key") as caught:
            hide(wrong=wrong)
        assert caught.value.hint


@pytest.mark.usefixtures("released")
def test_without_a_tag_nothing_is_called_right() -> None:
    file = open_protected(hide(check_value=False).png)
    assert not recover(file, [SECRET]).verified
    assert not recover(file, []).verified


@pytest.mark.usefixtures("released")
def test_changed_pixels_are_still_told() -> None:
    made = hide()
    changed_u8 = made.photo_u8.copy()
    changed_u8[100, 100] ^= 64
    png = write_png(None, changed_u8, engine.header.encode(made.header))
    with pytest.raises(errors.TamperedError):
        recover(open_protected(png), [])


def test_no_other_method_opens_without_a_passphrase() -> None:
    faces = faces_from_boxes([BOX], *portrait().shape[:2])
    made = protect(portrait(), faces, SECRET, ProtectOptions(kdf=KdfParams.cheapest()))
    with pytest.raises(errors.WrongKeyError):
        recover(open_protected(made.png), [])


@pytest.mark.usefixtures("released")
def test_the_command_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_png("photo.png", portrait(), None)
    Path("secret").write_text(SECRET, encoding="utf-8")
    box = ("--box", ",".join(map(str, BOX)), "--passphrase-file", "secret", "--method", "imn")
    hidden = CliRunner().invoke(app, ["protect", "photo.png", "-o", "p.png", *box, "--json"])
    assert hidden.exit_code == 0, hidden.stderr
    assert "warning: imn has no key: anyone who has this program" in hidden.stderr
    assert json.loads(hidden.stdout)["keyless"] is True
    plain = CliRunner().invoke(app, ["recover", "p.png", "-o", "r.png"])  # and nobody is asked
    assert plain.exit_code == 0, plain.stderr
    assert "anyone can, without a passphrase" in plain.stderr
    told = CliRunner().invoke(
        app, ["recover", "p.png", "-o", "r.png", "--passphrase-file", "secret", "--json"]
    )
    assert json.loads(told.stdout)["passphrase_verified"] is True
    helped = CliRunner().invoke(app, ["protect", "--help"], env={"COLUMNS": "200"}).stdout
    assert "imn has no key and protects from nobody" in " ".join(helped.split())


# --- as long as no model of it is released --------------------------------------------------------


@pytest.mark.usefixtures("unreleased")
def test_without_a_released_model_it_is_known_and_refused() -> None:
    assert DEFAULT_METHOD != "imn"
    assert "imn" in METHODS and "imn" not in usable_methods()
    assert {"sealed", "proface-s-rand"} <= {*usable_methods()}
    with pytest.raises(errors.UnknownModelError, match=MODEL) as caught:
        hide()
    assert caught.value.hint


# --- training and measuring -----------------------------------------------------------------------


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    folder = tmp_path / "faces"
    folder.mkdir()
    for seed in range(4):
        Image.fromarray(draw_face(seed)).save(folder / f"{seed}.png")
    return FaceSet(folder)


def tiny(name: str) -> ImnRecipe:
    recipe = find_recipe(name)
    assert isinstance(recipe, ImnRecipe)
    batches = dataclasses.replace(
        recipe.batches, masks={"gaussian": 1.0}, batch=2, crop=16, paper_share=0, sides=(16, 24)
    )
    return dataclasses.replace(
        recipe, batches=batches, blocks=2, growth=4, learning_rate=1e-3, warm_up_steps=1
    )


@pytest.mark.parametrize(("name", "ending"), [("imn", ""), ("imn-paper", "_l2")])
def test_a_training_is_gone_on_with_and_can_be_measured(
    name: str, ending: str, faces: FaceSet, tmp_path: Path
) -> None:
    trainer = train(tiny(name), [faces], options(tmp_path, max_steps=1))
    trainer = train(tiny(name), [faces], options(tmp_path, max_steps=3))
    assert trainer.progress.step == 3
    terms = {part + ending for part in ("protect", "recover", "low_frequency")}
    assert trainer.figures.keys() == terms | {
        "mask:protected_db", "original:recovered_db", "total", "gradient_norm",
    }  # fmt: skip
    with pytest.raises(errors.DataError, match="growth"):
        train(dataclasses.replace(tiny(name), growth=5), [faces], options(tmp_path, max_steps=4))
    assert isinstance(zoo.read_network(tmp_path / "run" / "model", "Imn"), Imn)


def test_the_papers_weights_and_its_gaussian() -> None:
    paper, ours = find_recipe("imn-paper"), find_recipe("imn")
    assert isinstance(paper, ImnRecipe) and isinstance(ours, ImnRecipe)
    weights = [getattr(paper.weights, f"{term}_l2") for term in ("protect", "recover", "low_frequency")]  # fmt: skip  # noqa: E501
    assert weights == [1.0, 3.0, 1.0]
    assert (paper.blocks, paper.growth, paper.auxiliary) == (16, 32, 1.0)
    assert (ours.blocks, ours.auxiliary) == (16, 1.0)
    weights = [getattr(ours.weights, term) for term in ("protect", "recover", "low_frequency")]
    assert weights == [1.0, 3.0, 1.0]


def test_a_deepened_network_shares_the_same_and_fears_noise_less() -> None:
    shallow = random_imn(1)
    assert shallow.deepened(1) is shallow
    deep = shallow.deepened(5)
    assert (len(deep.couplings), deep.config["blocks"]) == (5, 5)
    original, mask = torch.rand(2, 1, 3, 16, 16)
    protected = shallow.protect(original, mask)
    torch.testing.assert_close(deep.protect(original, mask), protected)
    torch.testing.assert_close(deep.recover(protected), shallow.recover(protected))
    noise = torch.randn(1, 3, 16, 16)
    harm, harm_deep = (
        (one.recover(protected, noise) - one.recover(protected)).std() for one in (shallow, deep)
    )
    assert harm_deep < harm / 100


def test_what_a_deepened_network_sees_of_the_magnified_is_no_larger() -> None:
    """The first layer of each magnifying block gives features of one size."""
    deep = random_imn(1).deepened(4)
    sizes: list[float] = []

    def note(layer: object, seen: object, features: torch.Tensor) -> None:
        sizes.append(float(features.detach().std()))

    for name in ("1", "2", "3"):
        deep.get_submodule(f"couplings.{name}.phi.convolutions.0").register_forward_hook(note)
    deep(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32))
    assert len(sizes) == 3
    assert max(sizes) < 3 * min(sizes)


def test_a_training_goes_on_from_a_network_of_fewer_blocks(tmp_path: Path) -> None:
    random_imn(1).save_pretrained(tmp_path / "shallow")
    recipe = dataclasses.replace(tiny("imn"), blocks=3)
    begun = options(tmp_path, start_from=tmp_path / "shallow")
    trainer = Trainer(recipe, begun)
    assert [len(one.couplings) for one in (trainer.model, trainer.average)] == [3, 3]
    known = random_imn(1).state_dict()
    assert all(torch.equal(trainer.model.state_dict()[name], known[name]) for name in known)


def test_the_benchmark_measures_a_folder_and_shows_that_any_key_recovers(
    tmp_path: Path, faces: FaceSet
) -> None:
    random_imn(1).save_pretrained(tmp_path / "model")
    (tmp_path / "set").mkdir()
    Image.fromarray(group()[100:147, 60:101]).save(tmp_path / "set" / "a.png")
    config = BenchmarkConfig(
        (f"imn={tmp_path / 'model'}",), ("gaussian",), ("psnr_db",),
        parts=("keys", "spoof", "sweep", "byproducts", "cost"),
    )  # fmt: skip
    results = Results(tmp_path / "results.db")
    means = results.mean_scores(benchmark(FaceSet(tmp_path / "set"), config, results))
    results.close()
    found = {(m.method, m.pair, m.metric): m.mean for m in means}
    recovered = found["imn", "original:recovered", "psnr_db"]
    for name in ("wrong", "one_char", "one_bit"):
        assert found["imn", f"original:{name}", "psnr_db"] == recovered
        assert ("imn", f"mask:{name}", "psnr_db") not in found
    assert not any("flipped" in pair or "wrong_byproduct" in pair for _, pair, _ in found)
    assert ("imn", "original:recovery_byproduct", "fitted_psnr_db") in found


@pytest.mark.usefixtures("released")
def test_the_benchmark_measures_the_released_one_as_the_pipeline_shows_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "set").mkdir()
    Image.fromarray(cut(portrait())).save(tmp_path / "set" / "a.png")
    results = Results(tmp_path / "results.db")
    config = BenchmarkConfig(("imn",), ("box",), ("psnr_db",))
    means = results.mean_scores(benchmark(FaceSet(tmp_path / "set"), config, results))
    results.close()
    found = {m.pair: m.mean for m in means if m.metric == "psnr_db"}
    assert found["original:wrong"] == found["original:recovered"]


def test_a_folder_of_another_network_is_refused(tmp_path: Path) -> None:
    random_recognizer(0).save_pretrained(tmp_path / "other")
    for name, error in (("nothing", errors.WeightsMissingError), ("other", errors.MethodError)):
        config = BenchmarkConfig((f"imn={tmp_path / name}",), ("gaussian",))
        with pytest.raises(error) as caught:
            config.check()
        assert caught.value.hint
