"""Small results databases for the dashboard's tests: a little of everything, nothing, rubbish."""

import io
import json
import math
from pathlib import Path

from PIL import Image

from engine.provenance import Provenance
from engine.results import Artifact, Cost, Loss, Results, Score

FACES = 6
SETS = ("lfw", "celeba", "ffhq")
FACE = "lfw/0.png"


def scores(method: str, mask: str, pair: str, value: float, metric: str = "psnr_db") -> list[Score]:
    """A figure of each face, a little apart from each other."""
    return [
        Score(f"{source}/{i}.png", source, method, mask, pair, metric, value * (1 + i / 400))
        for source in SETS
        for i in range(FACES)
    ]


def start(results: Results, kind: str, model: str, **config: object) -> int:
    command = f"python -m engine {kind} --model {model}"
    code = Provenance(commit="a" * 40, dirty=False, versions='{"python": "3.11"}')
    return results.start_run(
        kind, model, command, json.dumps(config), provenance=code, weights_hash="f" * 64,
        data_hash="d" * 64, seed=0, device="cpu", threads=1,
    )  # fmt: skip


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (40, 120, 110)).save(out, "PNG")
    return out.getvalue()


def small(path: Path) -> Path:
    """Two methods and sealed, keys and costs, two trainings, one picture.

    Runs: 1 benchmark, 2 attack, 3 and 4 training, the last without a later word of it: running.
    """
    results = Results(path)
    run = start(results, "benchmark", "proface-s-rand", masks=["gaussian", "sticker"])
    with results.running(run):
        for mask in ("gaussian", "sticker"):
            for method, wrong, shown in (
                ("proface-s-rand", "original:wrong", 8.0),
                ("proface-s-obfs", "mask:wrong", 33.0),
            ):
                results.add_scores(run, scores(method, mask, "mask:protected", 36.0))
                results.add_scores(run, scores(method, mask, "original:recovered", 48.0))
                results.add_scores(run, scores(method, mask, "original:recovered", 0.9, "ssim"))
                results.add_scores(run, scores(method, mask, wrong, shown))
                results.add_scores(run, scores(method, mask, "wrong", 0.01, "clipped"))
        exact = scores("sealed", "sticker", "original:recovered", math.inf)
        results.add_scores(run, [*scores("sealed", "sticker", "mask:protected", 50.0), *exact])
        for name, value in (("byproduct", 20.0), ("mask", 17.0)):
            leak = scores("proface-s-rand", "gaussian", f"original:{name}", value, "fitted_psnr_db")
            results.add_scores(run, leak)
        results.add_costs(run, [
            Cost("proface-s-rand", "", "parameters", 1, 1073040, 1073040, 1073040, ""),
            Cost("proface-s-rand", "gaussian", "protect_batch_s", 16, 0.9, 0.8, 1.0, "s"),
            Cost("sealed", "gaussian", "protect_photo_s", 1, 2.0, 1.9, 2.2, "s"),
        ])  # fmt: skip
        for name in ("original", "protected", "recovered"):
            thumbnail = Artifact(FACE, "sealed", "sticker", name, "drawn for a test", picture())
            results.add_artifact(run, thumbnail)
    run = start(results, "attack", "proface-s-rand")
    with results.running(run):
        for share, value in (("0.01", 40.0), ("0.1", 12.0)):
            pair = f"original:flipped_{share}"
            results.add_scores(run, scores("proface-s-rand", "gaussian", pair, value))
        for pair in ("original:one_char", "original:jpeg_90"):
            results.add_scores(run, scores("proface-s-rand", "gaussian", pair, 9.0))
    for rate in (0.001, 0.002):
        run = start(results, "train", "proface-s-rand", learning_rate=rate)
        losses = [
            Loss(step, name, value / step, float(step))
            for step in range(1, 30)
            for name, value in (("total", 1.0), ("mask:protected_db", 300.0))
        ]
        if rate == 0.001:
            with results.running(run):
                results.add_losses(run, losses)
        else:
            results.add_losses(run, losses)
    results.close()
    return path


def empty(path: Path) -> Path:
    """A database without a run."""
    Results(path).close()
    return path


def broken(path: Path) -> Path:
    """A file that is no database."""
    path.write_text("this is a letter, not a database" * 100)
    return path


def cut_short(path: Path) -> Path:
    """A database of which the end is missing."""
    whole = small(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path
