"""The attacks that need no training: each succeeds on a weak target and fails on a strong one."""

import dataclasses
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from attack_scenes import by_pair, faces_folder, quick
from tiny_zoo import RELEASED, forget, point_zoo_at, write_model
from weak_methods import Glass, Loud, Picky
from weak_targets import Whisper, write_faces

import engine
from engine.attacks import ATTACKS, dictionary, rates, wrong_keys
from engine.attacks.attack import AttackConfig, Scene, Target
from engine.attacks.common_passphrases import common_passphrases
from engine.attacks.dictionary import find_rank
from engine.attacks.distortions import DISTORTIONS
from engine.attacks.forgeries import FORGERIES
from engine.attacks.keys import SweepPoint, Trial
from engine.attacks.microscope import TIMES, estimate_mask
from engine.attacks.oracles import ORACLES, area_under_curve
from engine.attacks.rates import SPACES, gpu_rates, paper_key_map, rate_costs
from engine.attacks.remask import can_remask, remask
from engine.attacks.residual import MID_GREY, amplify, outline_correlation
from engine.attacks.tamper import noticed
from engine.attacks.wrong_keys import SHARES, distance_of_samples, holm
from engine.data import FaceSet
from engine.errors import DataError, MethodError
from engine.images import open_protected
from engine.keys import Key, key_map_tensor
from engine.masks import MASKS, make_mask, mask_label
from engine.methods import METHODS
from engine.methods.decoy import lay_decoy
from engine.methods.embedding import protect_crop, recover_by_map, recover_crop
from engine.methods.signature import BoundKey
from engine.networks.embedder import Embedder
from engine.passphrase import entropy_bits, generate_passphrase
from engine.results import Score


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    return FaceSet(faces_folder(tmp_path_factory.mktemp("faces")))


@pytest.fixture(autouse=True)
def weak(monkeypatch: pytest.MonkeyPatch) -> None:
    for method in (Glass(), Loud()):
        monkeypatch.setitem(METHODS, method.name, method)


def attacked(
    name: str, faces: FaceSet, method: str, mask: str = "pixelate", **more: object
) -> list[Score]:
    """Every figure that an attack gives."""
    scene = Scene(faces, quick(method, mask, **more))
    found = [score for outcome in ATTACKS[name].run(scene) for score in outcome.scores]
    assert scene.refused == []
    return found


# --- the mask again -------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["paper", "scaled"])
@pytest.mark.parametrize("mask", [name for name in MASKS if can_remask(name)])
def test_a_label_gives_the_mask_again(mask: str, preset: str, faces: FaceSet) -> None:
    face_u8 = faces.load(0)
    label = mask_label(mask, preset=preset)
    np.testing.assert_array_equal(remask(label, face_u8), make_mask(mask, face_u8, preset=preset))


def test_masks_with_a_secret_or_a_place_cannot_be_made_again() -> None:
    assert not any(can_remask(mask_label(name)) for name in ("sticker", "noise", "box"))
    assert can_remask(mask_label("gaussian"))


# --- microscope -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["gaussian", "pixelate", "median", "sticker"])
def test_the_microscope_sees_a_face_behind_glass(mask: str, faces: FaceSet) -> None:
    gains = by_pair(attacked("microscope", faces, "glass", mask), "outline_gain")
    assert min(gains["original:residual_x1"]) > 0.1  # some stickers cover more of it than others
    over = by_pair(attacked("microscope", faces, "glass", mask), "outline_over_control")
    assert sum(over["original:estimate"]) > 0.1
    assert {pair.rpartition("x")[2] for pair in gains} == {str(times) for times in TIMES}


def test_the_microscope_sees_nothing_of_a_sealed_face(faces: FaceSet) -> None:
    scores = attacked("microscope", faces, "sealed")
    gains = by_pair(scores, "outline_gain")
    assert max(abs(gain) for gain in gains["original:residual_x10"]) < 0.1
    assert max(abs(gain) for gain in gains["original:estimate_x10"]) < 0.1
    assert max(by_pair(scores, "outline_over_control")["original:estimate"]) < 0.05


@pytest.mark.parametrize("mask", ["gaussian", "pixelate", "median"])
def test_noise_that_follows_the_mask_is_no_leak(mask: str, faces: FaceSet) -> None:
    config = quick("loud", mask)
    scores = attacked("microscope", faces, "loud", mask)
    over = by_pair(scores, "outline_over_control")["original:estimate"]
    assert max(abs(value) for value in over) < 0.05
    seen = by_pair(scores, "outline_gain")["original:estimate_x10"]
    for gain, target in zip(seen, Scene(faces, config).targets("loud", mask), strict=True):
        bare_u8 = amplify(target.mask_u8, estimate_mask(target.mask_u8, target.header.mask), 10)
        bare = outline_correlation(bare_u8.astype(np.float32) - MID_GREY, target.original_u8)
        # Beside the bare mask it would pass for one: its edges are there without any noise.
        assert gain - (bare.correlation - bare.shuffled) > 0.05


def test_a_ghost_is_seen_though_the_mask_has_edges_of_its_own(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "whisper", Whisper())
    for mask in ("gaussian", "pixelate", "median"):
        over = by_pair(attacked("microscope", faces, "whisper", mask), "outline_over_control")
        assert min(over["original:estimate"]) > 0.15, mask


def test_the_same_others_are_hidden_for_the_same_seed(tmp_path: Path) -> None:
    faces = FaceSet(write_faces(tmp_path, 6, 2, side=64))
    controls = [
        by_pair(attacked("microscope", faces, "glass", limit=1, seed=seed), "outline_gain")[
            "original:control_x10"
        ]
        for seed in (3, 3)
    ]
    assert controls[0] == controls[1]


def test_the_microscope_wants_somebody_else_for_its_control(tmp_path: Path) -> None:
    alone = FaceSet(write_faces(tmp_path, 1))
    with pytest.raises(DataError, match="got a set of one person") as caught:
        attacked("microscope", alone, "glass")
    assert "two people" in caught.value.hint


def test_a_face_in_whose_mask_nobody_else_can_be_hidden_is_refused(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METHODS, "picky", Picky([faces.load(0)]))
    scene = Scene(faces, quick("picky"))
    assert list(ATTACKS["microscope"].run(scene)) == []
    assert [score.image for score in scene.take_refused()] == ["b.png", "a.png"][::-1]


@pytest.mark.parametrize("mask", ["gaussian", "pixelate", "median"])
def test_the_estimate_is_nearer_to_the_mask_than_what_was_shared(mask: str, faces: FaceSet) -> None:
    mask_u8 = make_mask(mask, faces.load(0), preset="paper")
    noise = np.random.default_rng(0).normal(0, 6, mask_u8.shape)
    shared_u8 = np.rint(mask_u8 + noise).clip(0, 255).astype(np.uint8)
    estimated_u8 = estimate_mask(shared_u8, mask_label(mask, preset="paper"))
    error = np.square(estimated_u8.astype(float) - mask_u8).mean()
    assert error < np.square(shared_u8.astype(float) - mask_u8).mean() / 2


# --- wrong keys -----------------------------------------------------------------------------------


def test_any_key_opens_glass(faces: FaceSet) -> None:
    scores = attacked("wrong-keys", faces, "glass", tries=40)
    opened, tries = by_pair(scores, "opened"), by_pair(scores, "tries")
    assert opened["keys:seal"] == tries["keys:seal"] == [40]
    assert (opened["keys:random"], opened["keys:one_char"]) == ([0], [0])  # its tag holds
    assert (tries["keys:random"], tries["keys:one_char"]) == ([40], [4])
    assert min(by_pair(scores, "psnr_db")["original:random"]) > 25
    assert min(by_pair(scores, "identity_match")["original:random"]) == 1
    assert min(by_pair(scores, "identity_cosine")["original:one_char_nearest"]) > 0.8


def test_no_key_opens_what_is_sealed(faces: FaceSet) -> None:
    scores = attacked("wrong-keys", faces, "sealed", tries=400)
    assert by_pair(scores, "tries") == {
        "keys:random": [400], "keys:one_char": [40], "keys:seal": [400]
    }  # fmt: skip
    assert by_pair(scores, "opened") == {
        "keys:random": [0], "keys:one_char": [0], "keys:seal": [0]
    }  # fmt: skip
    assert max(by_pair(scores, "psnr_db")["original:random_nearest"]) < 12
    # No word on identity: to a recogniser of people, noise and a drawn face are both no face.
    (p_value,) = by_pair(scores, "ks_p")["random:one_char"]
    assert by_pair(scores, "ks_p_corrected")["random:one_char"] == [p_value]  # of one test alone


def test_no_edit_is_tried_twice_and_only_what_was_tried_is_counted(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    guessed: list[str] = []
    derive = Trial.derive

    def noted(trial: Trial, words: str) -> Key:
        guessed.append(words)
        return derive(trial, words)

    monkeypatch.setattr(Trial, "derive", noted)
    scores = attacked("wrong-keys", faces, "glass", tries=2000, limit=1)
    asked = guessed[:200]  # the others are for looking at what they show
    assert by_pair(scores, "tries")["keys:one_char"] == [200]
    assert len(set(asked)) == 200

    monkeypatch.setattr(wrong_keys, "all_one_character_off", lambda *_: iter(["one", "other"]))
    scores = attacked("wrong-keys", faces, "glass", tries=400)
    assert by_pair(scores, "tries")["keys:one_char"] == [4]  # two faces, two edits of each


def test_p_values_are_corrected_for_the_number_of_methods_and_masks(faces: FaceSet) -> None:
    config = AttackConfig(("glass", "sealed"), ("pixelate", "gaussian"), tries=320)
    found = [s for one in ATTACKS["wrong-keys"].run(Scene(faces, config)) for s in one.scores]
    plain, corrected = (
        {(s.method, s.mask): s.value for s in found if s.metric == name}
        for name in ("ks_p", "ks_p_corrected")
    )
    assert corrected == dict(zip(plain, holm([*plain.values()]), strict=True))
    assert set(plain) == {(m, mask) for m in config.methods for mask in config.masks}
    assert "8 pictures of either kind" in ATTACKS["wrong-keys"].budget(config)
    told = ATTACKS["wrong-keys"].budget(quick())
    for count in ("tag, 10000 random keys by the method", "1000 edited", "250 pictures"):
        assert count in told


def test_holms_correction_is_that_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_two_distributions_are_told_apart_and_one_is_not() -> None:
    draw = np.random.default_rng(0)
    statistic, p_value = distance_of_samples(draw.normal(9, 1, 300), draw.normal(10, 1, 300))
    assert statistic > 0.3 and p_value < 1e-6
    statistic, p_value = distance_of_samples(draw.normal(9, 1, 300), draw.normal(9, 1, 300))
    assert statistic < 0.15 and p_value > 0.01


def test_the_sweep_of_a_network_goes_from_right_to_wrong(
    faces: FaceSet, identity_zoo: Path
) -> None:
    found = by_pair(attacked("wrong-keys", faces, "proface-s-rand", tries=2), "psnr_db")
    assert len([pair for pair in found if "flipped_" in pair or "tile_" in pair]) == 12


def test_the_sweep_tells_at_which_share_the_person_is_gone(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the released network; and whoever is known with half of the bits wrong is told as well."""
    swept = ("wrong-keys", faces, "proface-s-rand")
    scores = attacked(*swept, tries=2)
    known, near = by_pair(scores, "identity_match"), by_pair(scores, "identity_cosine")
    for way in ("flipped", "tile"):
        assert known[f"original:{way}_0.0001"] == [1, 1]
        assert [len(known[f"original:{way}_{share:g}"]) for share in SHARES] == [2] * len(SHARES)
    assert sum(known["original:flipped_0.5"]) < 2
    right, wrong = near["original:flipped_0.0001"], near["original:flipped_0.5"]
    assert min(right) > 0.8 and sum(right) > sum(wrong) + 0.6

    def blind(trial: Trial, key: Key, original_u8: np.ndarray, *_: object) -> list[SweepPoint]:
        return [SweepPoint(share, 99.0, original_u8) for share in SHARES]

    monkeypatch.setattr(wrong_keys, "key_map_sweep", blind)
    known = by_pair(attacked(*swept, tries=2), "identity_match")
    assert known["original:flipped_0.5"] == known["original:tile_0.5"] == [1, 1]


# --- dictionary -----------------------------------------------------------------------------------


def test_the_list_is_long_and_says_nothing_twice() -> None:
    words = common_passphrases()
    assert len(words) > 5_000
    assert len(set(words)) == len(words)
    assert {"password", "123456", "qwerty1", "Summer2024", "111111"} <= set(words)


def test_a_common_passphrase_is_found_and_a_generated_one_is_not(faces: FaceSet) -> None:
    words = common_passphrases()[:30]
    scene = Scene(faces, quick("sealed"))
    for secret, rank in ((words[11], 12), (engine.generate_passphrase(), None)):
        target = scene.protect(0, "sealed", "pixelate", secret=secret)
        assert find_rank(Trial(target.file), words) == rank


def test_the_dictionary_tells_ranks_areas_and_prices(faces: FaceSet) -> None:
    scene = Scene(faces, quick("sealed", tries=20))
    outcomes = list(ATTACKS["dictionary"].run(scene))
    scores = [score for outcome in outcomes for score in outcome.scores]
    assert by_pair(scores, "found")["keys:dictionary"] == [1, 1]
    assert all(1 <= rank <= 20 for rank in by_pair(scores, "rank")["keys:dictionary"])
    areas = by_pair(scores, "auc")
    endings = ("", "_obfs", "_decoy")
    assert set(areas) == {f"oracle:{name}{end}" for name in ORACLES for end in endings}
    for pair, (area,) in areas.items():  # now and then a decoy is as sharp as a face
        assert area > 0.7 if pair.endswith("decoy") else area == 1, pair
    costs = {(cost.method, cost.name) for outcome in outcomes for cost in outcome.costs}
    assert {("argon2id", "keys_per_second"), ("sealed", "find_s"), ("sealed", "look_s")} <= costs


def test_what_has_no_tag_is_timed_with_a_look_at_every_guess(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    scene = Scene(faces, quick("glass", tries=20, limit=1))
    outcomes = list(ATTACKS["dictionary"].run(scene))
    (rank,) = by_pair([s for one in outcomes for s in one.scores], "rank")["keys:dictionary"]
    costs = {(c.method, c.name): c.median for one in outcomes for c in one.costs}
    rate, look = costs["pbkdf2-10", "keys_per_second"], costs["glass", "look_s"]
    assert costs["glass", "find_paper_s"] == pytest.approx(rank / rate)
    # Four cores derive, and four look.
    assert costs["glass", "find_paper_look_s"] == pytest.approx(rank / rate + rank * look / 4)
    assert costs["glass", "find_paper_look_s"] > costs["glass", "find_paper_s"]


def test_where_every_key_shows_the_same_no_oracle_can_tell(faces: FaceSet) -> None:
    scores = attacked("dictionary", faces, "glass", tries=3)
    assert by_pair(scores, "auc") == {f"oracle:{name}": [0.5] for name in ORACLES}


def test_a_mode_is_looked_at_on_two_faces_and_only_where_the_method_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three = FaceSet(write_faces(tmp_path, 3, side=64))
    seen: list[str] = []
    look = dictionary._look

    def noted(trial: Trial, target: Target) -> dict[str, float]:
        seen.append(target.header.wrong)
        return look(trial, target)

    monkeypatch.setattr(dictionary, "_look", noted)
    monkeypatch.setattr(Glass, "wrong_modes", ("rand", "obfs"))
    scores = attacked("dictionary", three, "glass", tries=3)
    assert seen == ["rand"] * 3 + ["obfs"] * 2
    areas = by_pair(scores, "auc")
    # Glass shows the same under any key, unless this program shows the shared picture instead.
    assert areas["oracle:sharpness"] == [0.5] and areas["oracle:sharpness_obfs"] == [1.0]
    assert "2 faces" in ATTACKS["dictionary"].budget(quick())


def test_an_area_is_one_for_the_right_key_on_top_and_half_for_chance() -> None:
    assert area_under_curve(3.0, [1.0, 2.0]) == 1.0
    assert area_under_curve(1.5, [1.0, 2.0]) == 0.5
    assert area_under_curve(1.0, [1.0, 1.0]) == 0.5
    assert area_under_curve(0.0, [1.0, 2.0]) == 0.0


@pytest.mark.parametrize("mask", ["gaussian", "pixelate"])
@pytest.mark.parametrize("wrong", ["rand", "obfs", "decoy"])
def test_oracles_tell_a_face_from_noise_masks_and_decoys(
    wrong: str, mask: str, faces: FaceSet
) -> None:
    target = Scene(faces, quick("sealed")).protect(0, "sealed", mask)
    header = dataclasses.replace(target.header, wrong=wrong)
    draw = np.random.default_rng(0)
    if wrong == "rand":
        others = [draw.integers(0, 256, target.mask_u8.shape, np.uint8) for _ in range(5)]
    elif wrong == "decoy":
        keys = (BoundKey(Key(bytes([i]) * 32), b"a face") for i in range(5))
        others = [lay_decoy(target.mask_u8, key, target.header.mask) for key in keys]
    else:
        others = [
            np.clip(target.mask_u8 + draw.integers(-2, 3, target.mask_u8.shape), 0, 255).astype(
                np.uint8
            )
            for _ in range(5)
        ]
    for name, oracle in ORACLES.items():
        values = oracle([target.original_u8, *others], target.protected_u8, header)
        assert values is not None
        assert area_under_curve(values[0], values[1:]) == 1.0, name
        alike = oracle([target.original_u8] * 6, target.protected_u8, header)
        assert alike is not None
        assert area_under_curve(alike[0], alike[1:]) == 0.5, name


def test_the_papers_key_map_is_whole_and_its_own() -> None:
    first = paper_key_map("face", 112, 112)
    assert first.shape == (112, 112) and set(np.unique(first)) == {-1, 1}
    np.testing.assert_array_equal(first, paper_key_map("face", 112, 112))
    assert abs(float((first == paper_key_map("face1", 112, 112)).mean()) - 0.5) < 0.05


def test_the_model_of_the_card_is_that_of_its_source() -> None:
    card = gpu_rates()
    assert card["argon2id"] == pytest.approx(1_788, abs=1)  # guesses a second
    assert card["pbkdf2-10"] == pytest.approx(1.2e7, rel=0.03)  # full maps a second


def test_the_machine_is_named_by_its_processor_and_not_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = tmp_path / "cpuinfo"
    monkeypatch.setattr(rates, "_CPUINFO", told)
    for name, word in (("machine", "x86_64"), ("processor", "arm"), ("node", "annas-laptop")):
        monkeypatch.setattr(platform, name, lambda word=word: word)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert rates.machine() == "arm, x86_64, 2 cores"  # no such file: not Linux
    told.write_text("processor: 0\nmodel name\t: Acme(R) 9  @ 2GHz\nserial: 77\nmodel name: B\n")
    assert rates.machine() == "Acme(R) 9 @ 2GHz, x86_64, 2 cores"
    budget = ATTACKS["dictionary"].budget(quick())
    assert rates.machine() in budget and "assumed prices of 0.05 USD for a core" in budget
    told.write_text("CPU implementer: 0x41\n")
    monkeypatch.setattr(platform, "processor", lambda: "x86_64")
    assert rates.machine() == "x86_64, 2 cores"


def test_every_space_has_its_time_and_its_price() -> None:
    drawn = generate_passphrase().split(" ")
    assert SPACES[f"{len(drawn)}_words"] == pytest.approx(2 ** entropy_bits(len(drawn)))
    costs = {(cost.method, cost.name): cost.median for cost in rate_costs(repeats=2)}
    for kdf in ("argon2id", "pbkdf2-10"):
        card = f"{kdf} (modelled GPU)"
        for space, keys in SPACES.items():
            rate = costs[kdf, "keys_per_second"]
            hours = keys / rate / 3600
            assert costs[kdf, f"exhaust_{space}_s"] == pytest.approx(3600 * hours)
            price = 0.05 * (os.cpu_count() or 1) * hours
            assert costs[kdf, f"exhaust_{space}_usd"] == pytest.approx(price)
            hours = keys / costs[card, "keys_per_second"] / 3600
            assert costs[card, f"exhaust_{space}_usd"] == pytest.approx(0.5 * hours)
    assert costs["pbkdf2-10", "keys_per_second"] > 50 * costs["argon2id", "keys_per_second"]


# --- tampering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["glass", "sealed"])
def test_with_a_tag_every_forgery_is_noticed_and_nothing_else_is(
    method: str, faces: FaceSet
) -> None:
    scores = attacked("tamper", faces, method, tries=4)
    found = by_pair(scores, "noticed")
    assert {f"protected:{one.name}{end}" for one in FORGERIES for end in ("", "_signed")} | {
        f"untagged:{one.name}_signed" for one in FORGERIES
    } == set(found)
    tagged = [value for pair, some in found.items() if "untagged" not in pair for value in some]
    assert set(tagged) == {1.0}
    assert by_pair(scores, "false_alarm")["protected:untouched"] == [0, 0]
    assert by_pair(scores, "accepted_with_sidecar")["protected:another_writer"] == [1, 1]
    assert by_pair(scores, "told")["protected:another_writer"] == [1, 1]


def test_glass_without_a_tag_is_forged_unnoticed(faces: FaceSet) -> None:
    found = by_pair(attacked("tamper", faces, "glass", tries=4), "noticed")
    for forgery in FORGERIES:
        assert set(found[f"untagged:{forgery.name}_signed"]) == {0.0}, forgery.name


def test_a_forgery_is_never_the_file_itself(faces: FaceSet) -> None:
    scene = Scene(faces, quick("sealed"))
    target, other = scene.targets("sealed", "pixelate")
    draw = np.random.default_rng(0)
    for forgery in FORGERIES:
        for signed in (False, True):
            forged = forgery.forge(target, other, draw, signed=signed)
            assert forged != target.png
            assert noticed(forged, target.passphrase) is not None
    assert noticed(target.png, target.passphrase) is None


# --- byproducts -----------------------------------------------------------------------------------


@pytest.fixture
def identity_zoo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Released models that do nothing: what is shared is the mask, the byproduct the original."""
    network = Embedder(blocks=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    for name in RELEASED:
        write_model(tmp_path / name, network.eval(), name)
    point_zoo_at(monkeypatch, tmp_path)
    yield tmp_path
    forget()


def test_the_byproduct_of_a_network_that_does_nothing_is_the_face(
    faces: FaceSet, identity_zoo: Path
) -> None:
    found = by_pair(attacked("byproducts", faces, "proface-s-rand"), "fitted_psnr_db")
    assert min(found["original:byproduct"]) > 80
    assert max(found["original:mask"]) < 40


def test_byproducts_need_a_network() -> None:
    with pytest.raises(MethodError, match="byproducts needs a network"):
        ATTACKS["byproducts"].check(quick("sealed"))


NO_PICTURE = "gives no picture of a face"
OWN_PICTURE = "gives the picture back that it was given"
WITHOUT_BYPRODUCT = {
    **dict.fromkeys(
        (
            "DEFAULT_METHOD", "GATE_KNOWN", "MASKS", "METHODS", "RELEASED", "Advice", "Attacked",
            "Box", "Face", "Key", "Lap", "MaskNote", "ProtectOptions", "Restored", "Source",
            "Standing",
            "advise", "available", "detect", "entropy_bits", "faces_from_boxes", "find_method",
            "find_recognizer", "find_source", "generate_passphrase", "gpu_rates",
            "identity_cosine", "identity_match", "landmarks_in", "learned_masks", "list_models",
            "merge_overlapping", "no_face_error", "one_bit_off",
            "one_character_off", "planted", "psnr_db", "race", "random_key",
            "refuse_hidden_faces", "restorations", "revealed_methods", "ssim", "standings",
            "usable_methods", "whole_face",
        ),
        NO_PICTURE,
    ),
    **dict.fromkeys(
        ("crop", "from_u8", "open_photo", "write_png"), OWN_PICTURE
    ),
    "load_model": "gives the network itself, whose forward tells its callers what not to let out",
    "restored": "runs the enhancer on a mask, and no network that hides",
    "reveal": "runs an attacker's network on a shared picture, and no network that hides",
}  # fmt: skip
"""Public names that need no look at their pictures, and why; a new one must be thought about."""


def test_no_public_function_returns_a_byproduct(faces: FaceSet, identity_zoo: Path) -> None:
    """Under a network whose byproduct is the original, none may give a picture like it."""
    original_u8, method = faces.load(0), "proface-s-rand"
    target = Scene(faces, quick(method)).protect(0, method, "pixelate")
    trial, bound = Trial(target.file), BoundKey(target.key, b"a face")
    network = engine.load_model("proface-s-rand.v1")
    key_map = target.key.map(b"a face", *original_u8.shape[:2])
    options = engine.ProtectOptions(method, "pixelate", "paper", kdf=target.header.kdf)
    whole = [engine.whole_face(original_u8)]
    regions = engine.merge_overlapping(whole, *original_u8.shape[:2])
    returned = {
        "protect": engine.protect(original_u8, whole, "words", options),
        "open_protected": engine.open_protected(target.png),
        "recover": engine.recover(target.file, [target.passphrase]),
        "recover_wrongly": engine.recover_wrongly(target.file, "another"),
        "Trial": [
            trial.show(target.key),
            trial.show_map(target.key, 0.1, 0),
            trial.spoof(target.mask_u8, target.key),
        ],
        "key_map_sweep": engine.key_map_sweep(trial, target.key, original_u8, (0.1,), 0),
        "estimate_mask": engine.estimate_mask(target.protected_u8, target.header.mask),
        "amplify": engine.amplify(target.protected_u8, target.mask_u8, 1),
        "make_mask": engine.make_mask("pixelate", original_u8, preset="paper"),
        "mask_faces": engine.mask_faces(original_u8, regions, "pixelate", preset="paper"),
        "lay_masks": engine.lay_masks(original_u8, regions, "pixelate", preset="paper"),
    }
    assert set(returned) | set(WITHOUT_BYPRODUCT) == set(engine.__all__)
    assert not set(returned) & set(WITHOUT_BYPRODUCT)
    returned["behind the door"] = [
        protect_crop(network, original_u8, target.mask_u8, bound),
        recover_crop(network, target.protected_u8, bound),
        recover_by_map(network, target.protected_u8, key_map),
    ]
    for name, value in returned.items():
        pictures = list(pictures_in(value))
        assert pictures, name
        close = [p for p in pictures if p.shape == original_u8.shape and like(p, original_u8)]
        assert not close, name
    images = (engine.from_u8(picture_u8) for picture_u8 in (original_u8, target.mask_u8))
    leak = network.forward(*images, key_map_tensor(key_map))[1]
    assert [like(picture, original_u8) for picture in pictures_in(leak)] == [True]


def like(one: np.ndarray, other: np.ndarray) -> bool:
    small = [cv2.GaussianBlur(p.astype(np.float32), (0, 0), 1.0).ravel() for p in (one, other)]
    if small[0].std() == 0:
        return False
    return abs(float(np.corrcoef(*small)[0, 1])) > 0.97


def pictures_in(value: object) -> Iterator[np.ndarray]:
    """Every picture in what a function returned, however deep."""
    if isinstance(value, np.ndarray) and value.ndim == 3:
        yield value
    elif isinstance(value, torch.Tensor):
        yield from value.reshape(-1, *value.shape[-3:]).permute(0, 2, 3, 1).numpy()
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for item in value:
            yield from pictures_in(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from pictures_in(getattr(value, field.name))


# --- the world ------------------------------------------------------------------------------------


def test_a_change_is_lossless_exactly_where_it_says_so(faces: FaceSet) -> None:
    face_u8 = faces.load(0)
    names = [one.name for one in DISTORTIONS]
    assert len(set(names)) == len(names) >= 20
    for one in DISTORTIONS:
        file = open_protected(one.apply(face_u8))
        assert file.format == one.format, one.name
        assert np.array_equal(file.photo_u8, face_u8) == one.lossless, one.name


def test_a_crop_takes_its_share_off_the_top_and_the_left() -> None:
    named = {one.name: one for one in DISTORTIONS}
    rows, columns = np.mgrid[:60, :200].astype(np.uint8)
    face_u8 = np.stack([rows, columns, rows], axis=-1)
    for name, first in (("crop_1px", (1, 1)), ("crop_0.05", (3, 10)), ("crop_0.1", (6, 20))):
        left_u8 = open_protected(named[name].apply(face_u8)).photo_u8
        assert left_u8.shape == (60 - first[0], 200 - first[1], 3)
        assert tuple(left_u8[0, 0, :2]) == first
    thin_u8 = np.zeros((4, 4, 3), np.uint8)
    assert open_protected(named["crop_0.05"].apply(thin_u8)).photo_u8.shape == (3, 3, 3)


def test_the_world_wears_glass_down_and_every_loss_is_told(faces: FaceSet) -> None:
    scores = attacked("world", faces, "glass")
    psnrs = by_pair(scores, "psnr_db")
    assert min(psnrs["original:png_rewritten"]) > 25
    assert max(psnrs["original:jpeg_50"]) < 15
    for metric in ("told", "told_with_sidecar"):
        told = by_pair(scores, metric)
        assert len(told) >= 18
        assert {value for some in told.values() for value in some} == {1.0}
    named = by_pair(scores, "told_reencoded")
    assert named["protected:jpeg_90"] == [1, 1]
    assert named["protected:noise_1"] == [0, 0]  # a PNG like any other: it cannot be known
    assert by_pair(scores, "recovered_with_sidecar")["protected:webp_lossless"] == [1, 1]


def test_a_sealed_face_survives_what_is_lossless_and_nothing_else(faces: FaceSet) -> None:
    scores = attacked("world", faces, "sealed")
    opened = by_pair(scores, "opened")
    lossless = {f"original:{one.name}" for one in DISTORTIONS if one.lossless}
    assert {pair for pair, values in opened.items() if max(values) > 0} == lossless
    for ending in ("", "_with_sidecar"):
        found = by_pair(scores, f"recovered{ending}")
        assert {value for some in found.values() for value in some} == {1.0}
    assert len(by_pair(scores, "recovered")) == len(lossless)
