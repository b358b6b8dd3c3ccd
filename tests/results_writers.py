"""Programs that write to a results database and are killed, run side by side, or out of space.

    python tests/results_writers.py kill DB TIMES SEED
    python tests/results_writers.py crowd DB PROCESSES SECONDS
    python tests/results_writers.py full DB BYTES
    python tests/results_writers.py stream DB SECONDS

Each prints one JSON object. They are processes of their own because they fork: the tests have torch
and its threads loaded.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

from engine.errors import ResultsError
from engine.results import Loss, Results, Score

METRICS = ("psnr_db", "ssim", "mae")


def scores(image: int) -> list[Score]:
    return [
        Score(f"{image}.png", "lfw", "sealed", "gaussian", "mask:protected", metric, image + i / 8)
        for i, metric in enumerate(METRICS)
    ]


def write_until_killed(path: Path, first: int, pipe: int) -> None:
    """Store a face and a step at a time, and say so once the call is back."""
    results = Results(path)
    run_id = results.start_run("benchmark", "sealed", "kill", "{}")
    os.write(pipe, f"run {run_id}\n".encode())
    for i in range(first, first + 10**6):
        results.add_scores(run_id, scores(i))
        results.add_losses(run_id, [Loss(i, "total", float(i), 0.0)])
        os.write(pipe, f"{i}\n".encode())


def kill(path: Path, times: int, seed: int) -> dict[str, object]:
    draw = random.Random(seed)
    acknowledged, faults = 0, []
    Results(path).close()
    for turn in range(times):
        if turn % 4 == 0:  # killed while it makes the file
            path = path.with_name(f"new_{turn}.db")
        elif turn % 4 == 1:
            path = path.with_name("old.db")
            Results(path).close()
        out, pipe = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(out)
            write_until_killed(path, 0, pipe)
        os.close(pipe)
        with os.fdopen(out) as said:
            # Half of them are killed after the first acknowledgement, however slow the machine.
            lines = [said.readline().strip() for _ in range(2 if turn % 4 > 1 else 0)]
            time.sleep(draw.uniform(0.0, 0.08))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            lines += said.read().splitlines()
        done = len([line for line in lines if line.isdigit()])
        acknowledged += done
        faults += check(path, lines, done)
    return {"kills": times, "acknowledged": acknowledged, "faults": faults}


def check(path: Path, lines: list[str], done: int) -> list[str]:
    """What is wrong after a kill: nothing that was acknowledged may be missing or in parts."""
    results = Results(path)
    run_id = int(lines[0].split()[1]) if lines else 0
    connection = results._db.conn
    (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
    (broken,) = connection.execute("SELECT count(*) FROM pragma_foreign_key_check").fetchone()
    faces = len(results.scored_images(run_id, "sealed", "gaussian"))
    losses = len(results.losses(run_id))
    means = results.mean_scores(run_id)
    results.close()
    faults = [] if whole == "ok" and not broken else [f"{whole}, {broken} broken references"]
    if lines and not (done <= faces <= done + 1 and done <= losses <= done + 1):
        faults.append(f"{done} acknowledged, {faces} faces and {losses} losses found")
    if any(mean.images != faces for mean in means):
        faults.append(f"{faces} faces, means over {[mean.images for mean in means]}")
    return faults


def crowd(path: Path, processes: int, seconds: float) -> dict[str, object]:
    outs = []
    for number in range(processes):
        out, pipe = os.pipe()
        if os.fork() == 0:
            os.close(out)
            try:
                results, i = Results(path), 0
                run_id = results.start_run("benchmark", "sealed", f"crowd {number}", "{}")
                deadline = time.monotonic() + seconds
                while time.monotonic() < deadline:
                    results.add_scores(run_id, scores(i))
                    i += 1
                results.close()
                os.write(pipe, f"{run_id} {i}".encode())
            except ResultsError as error:
                os.write(pipe, f"error {error}".encode())
            finally:
                os._exit(0)
        os.close(pipe)
        outs.append(out)
    said = []
    for out in outs:
        with os.fdopen(out) as file:
            said.append(file.read())
    errors = [line for line in said if line.startswith("error") or not line]
    wanted = dict(tuple(map(int, line.split())) for line in said if line not in errors)
    results = Results(path)
    found = {run: len(results.scored_images(run, "sealed", "gaussian")) for run in wanted}
    results.close()
    return {"errors": errors, "wanted": wanted, "lost": wanted != found}


def full(path: Path, size: int) -> dict[str, object]:
    """No file may grow beyond ``size``: what a full disk looks like from here."""
    results = Results(path)
    run_id = results.start_run("benchmark", "sealed", "full", "{}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    done, message, hint = 0, "", ""
    try:
        for i in range(10**5):
            results.add_scores(run_id, scores(i))
            done += 1
    except ResultsError as error:
        message, hint = str(error), error.hint
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    results.add_scores(run_id, scores(10**6))
    found = len(results.scored_images(run_id, "sealed", "gaussian"))
    (whole,) = results._db.conn.execute("PRAGMA integrity_check").fetchone()
    results.close()
    return {"done": done, "found": found, "whole": whole, "message": message, "hint": hint}


def stream(path: Path, seconds: float) -> dict[str, object]:
    results = Results(path)
    run_id = results.start_run("benchmark", "sealed", "stream", "{}")
    print("ready", flush=True)
    deadline, i = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        results.add_scores(run_id, [score for n in range(10) for score in scores(10 * i + n)])
        i += 1
    results.close()
    return {"batches": i}


PARTS = {"kill": kill, "crowd": crowd, "full": full, "stream": stream}
if __name__ == "__main__":
    part, path, *numbers = sys.argv[1:]
    print(json.dumps(PARTS[part](Path(path), *map(int, numbers))))
