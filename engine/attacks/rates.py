"""How many keys a second, and what that makes of a list: here, and on a graphics card by a model.

The paper's key derivation stands here and nowhere else, for comparison: nothing is protected by it.
Its rates are of whole key maps of a face of 112 px, which is 49 blocks of PBKDF2; an attack that
needs but one of them is 49 times as fast.

The card is modelled, not measured: its rates follow from its memory's bandwidth
for Argon2id and from its SHA-256 rate for PBKDF2, by the calibration of S. Thomas ("tobtu") that
OWASP's Password Storage Cheat Sheet rests on, by which 600,000 iterations of PBKDF2-HMAC-SHA-256
are about 10,000 guesses a second, and Argon2id with m KiB and t passes is
10,000 * 93,750 / ((3 t - 1) m).
"""

import contextlib
import hashlib
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.keys import KdfParams, Key
from engine.results.records import Cost

__all__ = [
    "CORE_HOUR_USD",
    "GPU_HOUR_USD",
    "SPACES",
    "gpu_rates",
    "machine",
    "paper_key_map",
    "rate_costs",
]

PAPER_ITERATIONS: Final = 10
PAPER_SALT: Final = b"PRO-Face S"
"""Fixed, as the paper's is; which bytes it takes it does not print."""

SPACES: Final = {
    "2_16": 2.0**16,
    "1e6": 1e6,
    "14.34e6": 14.34e6,
    "6_words": 7776.0**6,
    "10_words": 7776.0**10,
}
"""How many keys: FIT's 16 bits, a short list, the size of the RockYou list, EFF words:
six, as ``--generate`` draws them, and ten."""

GPU_HOUR_USD: Final = 0.5
"""Assumed rent of the modelled card, for the order of magnitude alone."""

CORE_HOUR_USD: Final = 0.05
"""Assumed price of a core for an hour, about what clouds ask for a virtual one; a core that one
owns costs less. For the order of magnitude alone."""

_GPU_HASHES: Final = 6e9  # iterations of PBKDF2-HMAC-SHA-256 a second
_GPU_BANDWIDTH: Final = 10_000 * 93_750
_SIDE: Final = 112
_CPUINFO: Final = Path("/proc/cpuinfo")


def paper_key_map(passphrase: str, height: int, width: int) -> npt.NDArray[np.int8]:
    """Make a key map as PRO-Face S does (Yuan et al., IV-A): PBKDF2, fixed salt, ten iterations.

    The paper does not name the hash: SHA-256 is taken. Its output is one bit for each pixel.

    Args:
        passphrase: any.
        height: rows.
        width: columns.

    Returns:
        (height, width) of -1 and +1.
    """
    count = height * width
    stream = hashlib.pbkdf2_hmac(
        "sha256", passphrase.encode(), PAPER_SALT, PAPER_ITERATIONS, (count + 7) // 8
    )
    bits = np.unpackbits(np.frombuffer(stream, np.uint8), count=count)
    signs: npt.NDArray[np.int8] = bits.astype(np.int8) * np.int8(2) - np.int8(1)
    return signs.reshape(height, width)


def gpu_rates() -> dict[str, float]:
    """Keys a second of the modelled card, by key derivation."""
    ours = KdfParams()
    argon2 = _GPU_BANDWIDTH / ((3 * ours.iterations - 1) * ours.memory_kib)
    blocks = math.ceil(_SIDE**2 / 8 / hashlib.sha256().digest_size)
    return {"argon2id": argon2, "pbkdf2-10": _GPU_HASHES / PAPER_ITERATIONS / blocks}


def machine() -> str:
    """This machine in a few words, as far as it says: what it is, and nothing that is its own."""
    words = filter(None, (_processor(), platform.machine()))
    return f"{', '.join(dict.fromkeys(words)) or 'unknown'}, {os.cpu_count() or 1} cores"


def _processor() -> str:
    """The processor's model, as Linux names it, or else Python; empty where neither does."""
    with contextlib.suppress(OSError):
        for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, model = line.partition(":")
            if name.strip() == "model name" and model.strip():
                return " ".join(model.split())
    return platform.processor()


def rate_costs(repeats: int = 5) -> list[Cost]:
    """Measure keys a second here, model them on a card, and price the exhaustion of each space.

    Here means all cores at work: the rate follows from the processor time that a key takes, so that
    what else runs on the machine changes it little. The prices are assumed: :data:`CORE_HOUR_USD`
    here, :data:`GPU_HOUR_USD` on the card.

    Args:
        repeats: of each measurement, after a warm-up; median and quartiles are given.

    Returns:
        Rows whose method is the key derivation, followed by ``"(modelled GPU)"`` where it is:
        ``keys_per_second``, and ``exhaust_..._s`` and ``exhaust_..._usd`` for each of
        :data:`SPACES`. All of a space is tried: half of it is the mean.
    """
    salt, cost = bytes(16), KdfParams()
    calls: dict[str, tuple[Callable[[int], object], int]] = {
        "argon2id": (lambda i: Key.from_passphrase(f"guess {i}", salt, cost), 1),
        "pbkdf2-10": (lambda i: paper_key_map(f"guess {i}", _SIDE, _SIDE), 100),
    }
    found = []
    for name, (call, count) in calls.items():
        low, middle, high = _rates(call, count, repeats)
        found.append(Cost(name, "", "keys_per_second", 1, middle, low, high, "1/s"))
        found += _exhaustion(name, middle, (os.cpu_count() or 1) * CORE_HOUR_USD)
    for name, rate in gpu_rates().items():
        card = f"{name} (modelled GPU)"
        found.append(Cost(card, "", "keys_per_second", 1, rate, rate, rate, "1/s"))
        found += _exhaustion(card, rate, GPU_HOUR_USD)
    return found


def _exhaustion(name: str, rate: float, hour_usd: float) -> Iterator[Cost]:
    """Time and price of every space, at a rate and what an hour of the machine costs."""
    for space, keys in SPACES.items():
        seconds = keys / rate
        price = seconds / 3600 * hour_usd
        yield Cost(name, "", f"exhaust_{space}_s", 1, seconds, seconds, seconds, "s")
        yield Cost(name, "", f"exhaust_{space}_usd", 1, price, price, price, "USD")


def _rates(call: Callable[[int], object], count: int, repeats: int) -> tuple[float, float, float]:
    rates = []
    for i in range(repeats + 1):
        start = time.process_time()
        for j in range(count):
            call(i * count + j)
        if i:  # the first one warms up
            rates.append(count * (os.cpu_count() or 1) / (time.process_time() - start))
    low, middle, high = statistics.quantiles(rates, n=4, method="inclusive")
    return low, middle, high
