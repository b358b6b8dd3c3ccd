"""A results database after every attack of the lab, of a few faces, for the dashboard's tests."""

from collections.abc import Iterator
from pathlib import Path

import dashboard_examples as examples

from engine.results import Cost, Results, Score

METHODS = ("sealed", "proface-s-rand")
MASKS = ("gaussian", "pixelate")
FACES = 40
KEYLESS, SAME_KEY, WORLD = 1, 2, 3
"""Numbers of runs."""

GAINS = {"sealed": 0.05, "proface-s-rand": 6.0}


def faces(
    method: str, mask: str, pair: str, value: float, metric: str = "psnr_db", spread: float = 0.2
) -> list[Score]:
    """A figure of each face, the same steps up and down about a mean."""
    return [
        Score(f"{i}.png", "lfw", method, mask, pair, metric,
              value + spread * (-1 if i % 2 else 1))
        for i in range(FACES)
    ]  # fmt: skip


def whole(method: str, mask: str, pair: str, metric: str, value: float) -> Score:
    """A figure of a whole run."""
    return Score("all", "all", method, mask, pair, metric, value)


def attacked(path: Path) -> Path:
    """Every attack, finished; one that still runs; one of an unknown name."""
    results = Results(path)
    made: tuple[tuple[str, str, str, list[Score]], ...] = (
        ("keyless", "large", "5 minutes for all networks", list(_keyless(GAINS))),
        ("keyless", "same-key", "5 minutes for all networks", list(_keyless({"sealed": 9.0}))),
        ("world", "", "28 changes of each file", list(_world())),
        ("known-plaintext", "", "1, 10, 100 known pairs", list(_pairs())),
        ("deblur", "", "2 minutes of one U-Net", list(_strengths())),
        ("wrong-keys", "", "10000 random keys", list(_keys())),
        ("tamper", "", "10 single pixels", list(_tamper())),
        ("haruspex", "", "one liver", faces("sealed", "gaussian", "liver:spleen", 0.5, "omen")),
    )
    for name, variant, budget, rows in made:
        run = examples.start(results, "attack", "sealed", attack=name, variant=variant,
                             budget=budget)  # fmt: skip
        with results.running(run):
            results.add_scores(run, rows)
    run = examples.start(results, "attack", "sealed", attack="dictionary", budget="a list")
    with results.running(run):
        results.add_scores(run, list(_oracles()))
        results.add_costs(run, list(_costs()))
        results.add_scores(run, list(_oracles()))
    for name, rows in (
        ("microscope", list(_outlines())),
        ("map-search", list(_searches())),
        ("byproducts", list(_byproducts())),
        ("multiset", list(_gallery())),
        ("restore", list(_restored())),
    ):
        run = examples.start(results, "attack", "sealed", attack=name, budget="a little")
        with results.running(run):
            results.add_scores(run, rows)
    run = examples.start(results, "attack", "sealed", attack="keyless")
    results.add_scores(run, list(_keyless({"sealed": 33.0})))
    results.close()
    return path


def _keyless(gains: dict[str, float]) -> Iterator[Score]:
    for method, gain in gains.items():
        for i, mask in enumerate(MASKS):
            yield from faces(method, mask, "original:revealed", 22.0 + gain + i / 100)
            yield from faces(method, mask, "original:control", 22.0)
            yield from faces(method, mask, "original:revealed", 0.01, "identity_match", 0.01)
            yield from faces(method, mask, "original:control", 0.01, "identity_match", 0.0)
            yield whole(method, mask, "revealed:control", "gain_psnr_db", gain + i / 100)
            yield whole(method, mask, "revealed:control", "gain_psnr_db_margin", 0.04)
            match = "gain_identity_match_together"
            yield whole(method, mask, "revealed:control", match, 0.0)
            yield whole(method, mask, "revealed:control", f"{match}_margin", 0.003)


def _world() -> Iterator[Score]:
    for mask in MASKS:
        for method in METHODS:
            yield from faces(method, mask, "original:mask", 22.0)
            yield from faces(method, mask, "original:recovered", 45.0)
            yield from faces(method, mask, "original:png_rewritten", 45.0)
            yield from faces(method, mask, "protected:png_rewritten", 1.0, "recovered", 0.0)
            yield from faces(method, mask, "protected:jpeg_90", 1.0, "told", 0.0)
            yield from faces(method, mask, "protected:jpeg_90", 1.0, "told_reencoded", 0.0)
            yield from faces(method, mask, "protected:noise_1", 1.0, "told", 0.0)
            yield from faces(method, mask, "protected:noise_1", 0.0, "told_reencoded", 0.0)
        yield from faces("proface-s-rand", mask, "original:jpeg_90", 12.0)
        yield from faces("sealed", mask, "original:jpeg_90", 0.0, "opened", 0.0)


def _pairs() -> Iterator[Score]:
    for keys, best in (("same_key", 9.0), ("salted", 0.1)):
        for count, share in ((1, 0.3), (10, 0.7), (100, 1.0)):
            ending = f"{count}_{keys}"
            for way in ("revealed", "fitted"):
                value = 20.0 + best * share
                yield from faces("proface-s-rand", "gaussian", f"original:{way}_{ending}", value)
            yield from faces("proface-s-rand", "gaussian", f"original:control_{ending}", 20.0)
            # The fit's as runs store it now, the network's as the first ones did.
            for pair in (f"fitted_{ending}:control_{ending}", f"revealed:control_{ending}"):
                margin = 0.02 if pair.startswith("fitted") else 0.03
                yield whole("proface-s-rand", "gaussian", pair, "gain_psnr_db_margin", margin)


def _strengths() -> Iterator[Score]:
    for times, value in ((0.5, 30.0), (1.0, 24.0), (2.0, 19.0)):
        label = f"gaussian:kernel=21,sigma={8 * times:g}"
        yield from faces("mask", label, "original:control", value)
        yield from faces("mask", label, "original:mask", value - 2)
        yield whole("mask", label, "control:mask", "strength", times)
        yield from faces("mask", label, "original:control", 0.1 / times, "identity_match", 0.05)


def _keys() -> Iterator[Score]:
    yield whole("sealed", "gaussian", "keys:random", "tries", 10_000.0)
    yield whole("sealed", "gaussian", "keys:random", "opened", 0.0)
    yield whole("sealed", "gaussian", "random:one_char", "ks", 0.11)
    yield whole("sealed", "gaussian", "random:one_char", "ks_p", 0.008)
    yield whole("sealed", "gaussian", "random:one_char", "ks_p_corrected", 0.032)
    yield from faces("sealed", "gaussian", "original:one_char", 9.0)
    yield from faces("sealed", "gaussian", "original:one_char", 0.0, "identity_match", 0.0)
    yield from faces("sealed", "gaussian", "original:recovered", 1.0)
    for way, some, many in (("flipped", 40.0, 10.0), ("tile", 34.0, 20.0)):
        for share, value in (("0.001", some), ("0.2", many)):
            pair = f"original:{way}_{share}"
            yield from faces("proface-s-rand", "gaussian", pair, value)
    # Tiles were not tried on it.
    yield from faces("proface-s-rand", "pixelate", "original:flipped_0.2", 30.0)


def _tamper() -> Iterator[Score]:
    yield from faces("sealed", "gaussian", "protected:pixel", 1.0, "noticed", 0.0)
    yield from faces("sealed", "gaussian", "untagged:pixel", 0.5, "noticed", 0.0)


def _oracles() -> Iterator[Score]:
    for oracle, area in (("sharpness", 0.6), ("outlier", 0.1)):
        yield whole("sealed", "gaussian", f"oracle:{oracle}", "auc", area)
    for ending, area in (("", 0.9), ("_obfs", 0.8), ("_decoy", 0.7)):
        yield whole("sealed", "gaussian", f"oracle:mask_consistency{ending}", "auc", area)
    yield from faces("sealed", "gaussian", "keys:dictionary", 1.0, "found", 0.0)


def _outlines() -> Iterator[Score]:
    for method, value in (("sealed", 0.01), ("proface-s-rand", 0.4)):
        pair, metric = "original:estimate", "outline_over_control"
        yield from faces(method, "gaussian", pair, value, metric, 0.02)


def _searches() -> Iterator[Score]:
    shown = {"searched": 23.0, "searched_signs": 22.5, "climbed": 21.0, "prior": 22.2,
             "protected": 22.0, "wrong_key": 9.0, "right_key": 45.0}  # fmt: skip
    for way, value in shown.items():
        yield from faces("proface-s-rand", "gaussian", f"original:{way}", value)
    for way, margin in (("searched", 0.25), ("searched_signs", 0.05), ("climbed", 0.1)):
        pair, gain = f"{way}:prior", shown[way] - shown["prior"]
        yield whole("proface-s-rand", "gaussian", pair, "gain_psnr_db", gain)
        yield whole("proface-s-rand", "gaussian", pair, "gain_psnr_db_margin", margin)


def _byproducts() -> Iterator[Score]:
    for name, value in (("byproduct", 13.0), ("recovery_byproduct", 19.5), ("mask", 20.0)):
        pair = f"original:{name}"
        yield from faces("proface-s-rand", "gaussian", pair, value, "fitted_psnr_db")


def _restored() -> Iterator[Score]:
    for name, known in (("restored", 0.3), ("mask", 0.2)):
        yield from faces("mask", "gaussian", f"original:{name}", known, "identity_match", 0.1)


def _gallery() -> Iterator[Score]:
    for name, photo in (("multiset", 0.7), ("mask_multiset", 0.1)):
        yield from faces("sealed", "sticker", f"original:{name}", photo, "same_photo", 0.1)
        yield from faces("sealed", "sticker", f"original:{name}", 0.0, "same_person", 0.0)


def _costs() -> Iterator[Cost]:
    for name, rate in (("argon2id", 4.0), ("pbkdf2-10 (modelled GPU)", 6e8)):
        yield Cost(name, "", "keys_per_second", 1, rate, 0.9 * rate, 1.1 * rate, "1/s")
        for space, keys in (("2_16", 2.0**16), ("10_words", 7776.0**10)):
            seconds = keys / rate
            yield Cost(name, "", f"exhaust_{space}_s", 1, seconds, seconds, seconds, "s")
            price = seconds / 3600 * (0.5 if "GPU" in name else 0.1)
            yield Cost(name, "", f"exhaust_{space}_usd", 1, price, price, price, "USD")
    for name, seconds in (("find_paper_s", 0.43), ("find_paper_look_s", 150.0), ("look_s", 0.1)):
        yield Cost("sealed", "gaussian", name, 1, seconds, seconds, seconds, "s")
