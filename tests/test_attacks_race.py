"""The race of two key derivations; and what is said where no attacker is released."""

from functools import cache

import pytest
from sample_photos import portrait

import engine
from engine.attacks.common_passphrases import common_passphrases
from engine.attacks.race import DERIVATIONS, Lap, planted, race
from engine.errors import EngineError, MethodError, PassphraseError
from engine.images import open_protected
from engine.keys import KdfParams
from engine.methods import METHODS
from engine.pipeline import ProtectOptions, protect

SECRET = "letmein12"


@cache
def trial() -> engine.Trial:
    face_u8 = portrait()[40:152, 60:172]
    options = ProtectOptions("sealed", kdf=KdfParams.cheapest())
    made = protect(face_u8, [engine.whole_face(face_u8)], SECRET, options)
    return engine.Trial(open_protected(made.png))


def last_laps(words: list[str], seconds: float = 20.0) -> dict[str, Lap]:
    laps = [*race(trial(), SECRET, words, seconds)]
    assert [lap.derivation for lap in laps if lap.done] == [*DERIVATIONS]
    return {lap.derivation: lap for lap in laps if lap.done}


def test_a_listed_passphrase_keeps_its_place() -> None:
    words, place, listed = planted(SECRET)
    assert listed
    assert words[place - 1] == SECRET
    assert words == [*common_passphrases()]


def test_another_one_is_put_in_the_middle() -> None:
    words, place, listed = planted("geese bite postmen at dawn")
    assert not listed
    assert words.pop(place - 1) == "geese bite postmen at dawn"
    assert words == [*common_passphrases()]
    assert place == len(words) // 2 + 1


def test_what_can_protect_nothing_is_not_planted() -> None:
    with pytest.raises(PassphraseError):
        planted("")


def test_both_runners_find_the_right_one_at_its_place() -> None:
    for lap in last_laps(["wrong", "letmein1", SECRET, "letmein123"]).values():
        assert lap.place == 3
        assert lap.found_s is not None
        assert 0 < lap.found_s <= lap.seconds
        assert lap.rate == pytest.approx(lap.tried / lap.seconds)


def test_a_list_without_it_is_run_to_its_end() -> None:
    for lap in last_laps(["wrong", "letmein1", "letmein123"]).values():
        assert (lap.tried, lap.place) == (3, None)


def test_time_is_bounded() -> None:
    words = [f"guess {i}" for i in range(100_000)]
    for lap in last_laps(words, seconds=0.1).values():
        assert 1 <= lap.tried < len(words)
        assert lap.place is None


def test_without_a_tag_ours_cannot_be_raced() -> None:
    face_u8 = portrait()[40:152, 60:172]
    options = ProtectOptions("sealed", check_value=False, kdf=KdfParams.cheapest())
    made = protect(face_u8, [engine.whole_face(face_u8)], SECRET, options)
    with pytest.raises(MethodError, match="a tag must tell"):
        [*race(engine.Trial(open_protected(made.png)), SECRET, [SECRET], 0.1)]


def test_where_no_attacker_is_released_that_is_said() -> None:
    for method in {*METHODS} - {*engine.revealed_methods()}:
        with pytest.raises(EngineError, match="releas"):
            engine.reveal(portrait(), method)
