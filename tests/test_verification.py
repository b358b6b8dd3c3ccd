"""Verification: pairs as LFW draws them, and figures that are known by hand."""

import importlib.util
import io
import json
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_training import draw_face
from tiny_zoo import random_recognizer
from typer.testing import CliRunner

from engine import zoo
from engine.alignment import typical_landmarks
from engine.cli import app
from engine.data import FaceFile
from engine.errors import DataError
from engine.recognition import ONNX_FILE
from engine.verification import (
    FOLDS,
    MOST_OF_ONE,
    Pair,
    different_cosines,
    draw_pairs,
    read_pairs,
    threshold_at,
    verify,
    write_pairs,
)
from engine.zoo import RECOGNIZER

ROOT = Path(__file__).parents[1]
EVAL = ROOT / ".." / "shared" / "data" / "eval_112.zip"


def people(count: int, each: int, source: str = "here") -> list[FaceFile]:
    return [
        FaceFile(f"{source}/{person}_{i}.png", source, f"p{person}", None)
        for person in range(count)
        for i in range(each)
    ]


def vectors_of(records: list[FaceFile], noise: float, seed: int = 0) -> np.ndarray:
    """A direction for each person, and for each face some noise on it."""
    rng = np.random.default_rng(seed)
    own = {name: rng.normal(size=32) for name in sorted({r.identity for r in records})}
    raw = np.stack([own[r.identity] + noise * rng.normal(size=32) for r in records])
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


# --- the list -------------------------------------------------------------------------------------


def test_pairs_are_of_one_source_and_one_fold_and_what_they_say() -> None:
    records = [*people(40, 3), *people(40, 3, "there"), FaceFile("x", "here", "", None)]
    pairs = draw_pairs(records, seed=1)
    owner = {r.file: (r.source, r.identity) for r in records}
    folds: dict[tuple[str, str], set[int]] = {}
    for pair in pairs:
        first, second = owner[pair.first], owner[pair.second]
        assert first[0] == second[0]
        assert (first == second) == pair.same
        assert pair.first != pair.second
        for person in (first, second):
            folds.setdefault(person, set()).add(pair.fold)
    assert all(len(found) == 1 for found in folds.values()), "people are in one fold each"
    assert len(set(pairs)) == len(pairs)
    assert sum(pair.same for pair in pairs) * 2 == len(pairs) == 2 * 80 * 3
    assert {pair.fold for pair in pairs} == set(range(FOLDS))


def test_one_person_is_not_all_there_is() -> None:
    pairs = draw_pairs([*people(30, 2), *people(1, 12, "busy")])
    assert sum(pair.same and pair.first.startswith("busy") for pair in pairs) == MOST_OF_ONE


def test_the_seed_decides() -> None:
    records = people(30, 3)
    assert draw_pairs(records, 3) == draw_pairs(records, 3) != draw_pairs(records, 4)


def test_nobody_twice_is_told() -> None:
    with pytest.raises(DataError, match="two faces or more") as caught:
        draw_pairs(people(9, 1))
    assert caught.value.hint


def test_a_list_is_read_as_written(tmp_path: Path) -> None:
    pairs = draw_pairs(people(20, 2))
    write_pairs(tmp_path / "pairs.csv", pairs)
    assert read_pairs(tmp_path / "pairs.csv") == pairs


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "fold,first,second,same\n0,a,b,yes\n", "\n1\n"])
def test_another_file_is_no_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(DataError, match="must have the columns"):
        read_pairs(tmp_path / "pairs.csv")


# --- figures --------------------------------------------------------------------------------------


def test_who_is_told_apart_perfectly_scores_one() -> None:
    records = people(60, 3)
    found = verify(records, vectors_of(records, 0.02), draw_pairs(records), own_threshold=0.95)
    assert (found.accuracy, found.auc, found.tar) == (1.0, 1.0, 1.0)
    assert found.accuracy_deviation == 0
    assert found.different_pairs == 180 * 177 / 2
    assert (found.own_far, found.own_tar) == (0.0, 1.0)


def test_chance_scores_a_half() -> None:
    records = people(100, 3)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(300, 32))
    vectors = (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)
    found = verify(records, vectors, draw_pairs(records))
    assert found.accuracy == pytest.approx(0.5, abs=0.08)
    assert found.auc == pytest.approx(0.5, abs=0.06)
    assert found.tar < 0.02
    assert found.own_far is None


def test_noise_makes_every_figure_worse() -> None:
    records = people(60, 3)
    pairs = draw_pairs(records)
    some, much = (verify(records, vectors_of(records, noise), pairs) for noise in (0.8, 1.6))
    assert 1 > some.accuracy > much.accuracy
    assert some.auc > much.auc
    assert some.tar > much.tar


def test_accuracy_by_hand() -> None:
    """Fold 0 is tested at fold 1's best threshold, .55, and fold 1 at fold 0's, .65."""
    records = [FaceFile(str(i), "s", "ab"[i % 2], None) for i in range(16)]
    cosines = [0.99, 0.31, 0.2, 0.1, 0.6, 0.5, 0.4, 0.7]
    same = [True, False, False, False, True, False, False, True]
    vectors = np.zeros((16, 2), np.float32)
    for i, cosine in enumerate(cosines):
        vectors[2 * i], vectors[2 * i + 1] = (1, 0), (cosine, np.sqrt(1 - cosine**2))
    pairs = [Pair(i // 4, str(2 * i), str(2 * i + 1), is_same) for i, is_same in enumerate(same)]
    found = verify(records, vectors, pairs)
    # At .65 the pair of one person at .6 is missed.
    assert found.accuracy == pytest.approx((1.0 + 0.75) / 2)


def test_a_threshold_lets_its_share_through() -> None:
    values = np.arange(1000, dtype=np.float32) / 1000
    assert np.mean(values >= threshold_at(values, 0.01)) == pytest.approx(0.01, abs=0.0011)


def test_only_pairs_of_two_persons_from_one_source_are_different() -> None:
    records = [*people(2, 2), *people(3, 1, "there")]
    assert len(different_cosines(records, vectors_of(records, 1))) == 4 + 3


def test_pairs_of_another_set_are_told() -> None:
    records = people(20, 2)
    with pytest.raises(DataError, match=r"got gone\.png") as caught:
        verify(records, vectors_of(records, 1), [Pair(0, "gone.png", "x", True)])
    assert caught.value.hint
    with pytest.raises(DataError, match="one person and of two"):
        verify(records, vectors_of(records, 1), draw_pairs(records)[:1])


# --- the verb -------------------------------------------------------------------------------------


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    """A zip of 24 drawn people, two faces each, with a csv that knows them."""
    path = tmp_path / "people.zip"
    points = ",".join(str(value) for value in typical_landmarks(40, 40).ravel())
    rows = ["file,source,identity," + ",".join(f"{axis}{i}" for i in range(5) for axis in "xy")]
    with zipfile.ZipFile(path, "w") as archive:
        for seed in range(48):
            picture = io.BytesIO()
            Image.fromarray(draw_face(seed % 24, 40)).save(picture, "PNG")
            archive.writestr(f"{seed}.png", picture.getvalue())
            rows.append(f"{seed}.png,drawn,p{seed % 24},{points}")
    path.with_suffix(".csv").write_text("\n".join(rows) + "\n")
    return path


def test_the_verb_draws_pairs_once_and_measures_recognisers_beside_each_other(
    small_set: Path, tmp_path: Path
) -> None:
    for seed, name in enumerate(("one", "other")):
        random_recognizer(seed, threshold=0.9).save_pretrained(tmp_path / name)
    pairs = tmp_path / "pairs.csv"
    words = ["verify", "--data", str(small_set), "--pairs", str(pairs), "--json"]
    words += ["--recognizer", str(tmp_path / "one"), "--recognizer", str(tmp_path / "other")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found) == ["one", "other"]
    for row in found.values():
        # The two pictures of a person are equal here, and nobody else's are.
        assert (row["auc"], row["tar"], row["own_tar"]) == (1, 1, 1)
        assert row["accuracy"] > 0.95
        assert row["different_pairs"] == 48 * 46 / 2
    first = pairs.read_text()
    spoken = [word for word in words if word != "--json"]
    twice = CliRunner().invoke(app, [*spoken, "--recognizer", str(tmp_path / "one")])
    assert twice.exit_code == 2
    guessed = CliRunner().invoke(app, [*spoken, "--guess", "--seed", "9"])
    assert guessed.exit_code == 0, guessed.output
    assert "aligned without landmarks" in guessed.stderr
    assert pairs.read_text() == first


def test_what_verify_printed_makes_a_release(tmp_path: Path) -> None:
    loader = SourceFileLoader("release", str(ROOT / "scripts" / "release"))
    release = importlib.util.module_from_spec(importlib.util.spec_from_loader("release", loader))
    loader.exec_module(release)
    trained = random_recognizer(3)
    trained.save_pretrained(tmp_path / "model")
    printed = tmp_path / "train.json"
    printed.write_text('{"model": {"threshold": 0.34567, "own_far": null}, "b.ts": {"auc": 0.5}}')
    settings = release.calibrated(printed)
    assert settings == {"threshold": 0.3457}
    release.write_network(tmp_path / "model", tmp_path / "out", "Recognizer", settings)
    network = zoo.read_network(tmp_path / "out", "Recognizer")
    assert network.config.threshold == 0.3457
    assert all(
        torch.equal(value, trained.state_dict()[name])
        for name, value in network.state_dict().items()
    )
    assert (tmp_path / "out" / ONNX_FILE).is_file()
    told = {"threshold of the training faces": 0.3457, "this threshold": 0.3457, "b.ts auc": 0.5}
    assert release.verified(printed, settings) == told
    with pytest.raises(SystemExit, match="--calibrated"):
        release.calibrated(None)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.skipif(not EVAL.is_file(), reason="the evaluation faces are not here")
@pytest.mark.skipif(RECOGNIZER not in zoo.RELEASED, reason=f"{RECOGNIZER} is not released")
def test_the_released_recogniser_reaches_what_its_card_says(tmp_path: Path) -> None:
    words = ["verify", "--data", str(EVAL), "--pairs", str(tmp_path / "pairs.csv"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)[RECOGNIZER]
    card = zoo.find_card(RECOGNIZER).figures
    for name in ("accuracy", "auc", "tar"):
        assert found[name] == pytest.approx(card[f"this {name}"], abs=0.005)
