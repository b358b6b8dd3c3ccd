"""Changes protected files, and asks whether the owner notices before anything is shown.

The attacker has the protected file, another one made by the same method, the mask, and the program,
but no key, and wants the owner to recover something that is not what was protected: a pixel
changed, a patch of another picture, the mask alone, another salt. Each is done
naively, and with the public digests made to fit, against files with a tag and without one: without
a tag what goes unnoticed is published as it is. The other side of the coin is the false alarm: the
untouched file, and the same pixels saved by another program.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.forgeries import FORGERIES, rewritten
from engine.benchmark.plan import drawn
from engine.errors import EngineError, NotProtectedError
from engine.images import open_protected
from engine.pipeline import recover
from engine.record import Header
from engine.results.records import Score

__all__ = ["ATTACK", "noticed"]

_TRIES = 10
_PER_UNTAGGED = 5
"""Without a tag a try costs a recovery: one of them for so many with a tag."""


def noticed(png: bytes, passphrase: str, header: Header | None = None) -> EngineError | None:
    """What the owner of the right passphrase is told is wrong with a file; None for nothing.

    Args:
        png: the file as it came.
        passphrase: the right one.
        header: from a sidecar.
    """
    try:
        recover(open_protected(png), [passphrase], header=header)
    except EngineError as error:
        return error
    return None


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has protected files, the mask and no key wants the owner not to notice a change."""
    tries = scene.config.tries or _TRIES
    for method, mask in scene.combinations():
        tagged = list(scene.targets(method, mask))
        for i, target in enumerate(tagged):
            yield Outcome(tuple(_false_alarms(target)))
            draw = _chance(scene.config.seed, target)
            other = _other(tagged, i)
            for name, signed in (("", False), ("_signed", True)):
                yield Outcome(tuple(_forge(target, other, "protected", name, signed, tries, draw)))
        untagged = list(scene.targets(method, mask, check_value=False))
        for i, target in enumerate(untagged):
            draw, few = _chance(scene.config.seed, target), -(-tries // _PER_UNTAGGED)
            other = _other(untagged, i)
            yield Outcome(tuple(_forge(target, other, "untagged", "_signed", True, few, draw)))


def _chance(seed: int, target: Target) -> np.random.Generator:
    return np.random.default_rng(list(drawn(seed, target.record.file, "tamper")))


def _other(targets: Sequence[Target], place: int) -> Target | None:
    """Another face's file, of the same size; None where there is none."""
    shape = targets[place].protected_u8.shape
    others = (*targets[place + 1 :], *targets[:place])
    return next((one for one in others if one.protected_u8.shape == shape), None)


def _forge(
    target: Target,
    other: Target | None,
    first: str,
    ending: str,
    signed: bool,
    tries: int,
    draw: np.random.Generator,
) -> Iterator[Score]:
    """The share of forgeries that are noticed, of each kind; no splice without another file."""
    for forgery in FORGERIES:
        if forgery.needs_other and other is None:
            continue
        answers = []
        for _ in range(tries if forgery.draws else 1):
            png = forgery.forge(target, other or target, draw, signed=signed)
            answers.append(noticed(png, target.passphrase) is not None)
        pair = f"{first}:{forgery.name}{ending}"
        yield target.score(pair, "noticed", float(np.mean(answers)))


def _false_alarms(target: Target) -> Iterator[Score]:
    """What is told of files that nobody forged."""
    alarm = noticed(target.png, target.passphrase)
    yield target.score("protected:untouched", "false_alarm", float(alarm is not None))
    png = rewritten(target.protected_u8)
    alone, helped = (noticed(png, target.passphrase, header) for header in (None, target.header))
    # Told plainly: nothing of ours is in the file, and that it may have been stripped.
    plain = alone is None or isinstance(alone, NotProtectedError)
    yield target.score("protected:another_writer", "accepted", float(alone is None))
    yield target.score("protected:another_writer", "told", float(plain))
    yield target.score("protected:another_writer", "accepted_with_sidecar", float(helped is None))


def _budget(config: AttackConfig) -> str:
    tries = config.tries or _TRIES
    return (
        f"for each face {tries} single pixels and {tries} patches, the mask and another salt, "
        f"naively and with public digests made to fit; a {_PER_UNTAGGED}th of that without a tag"
    )


ATTACK = Attack(
    name="tamper",
    title="Tampering",
    knowledge="the protected file, another one, the mask and the program, and no key",
    goal="that the owner recovers something else and does not notice",
    budget=_budget,
    run=_run,
)
