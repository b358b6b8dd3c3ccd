import traceback
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import errors, keys, passphrase


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_compositions_of_a_text_are_one_passphrase(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len({keys.normalize_passphrase(form) for form in [text, *forms]}) == 1


def test_refused_passphrase_stays_out_of_the_error() -> None:
    secret = "hunter2hunter2"
    for text in (secret + "\ud800", secret * 100):
        with pytest.raises(errors.PassphraseError) as caught:
            keys.normalize_passphrase(text)
        told = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
        assert "hunter2" not in told
        assert caught.value.__context__ is None


@pytest.mark.parametrize("words", [4, 6, 20])
def test_generated_passphrase_holds_words_of_the_list(words: int) -> None:
    made = keys.generate_passphrase(words)
    listed = set(passphrase._word_list())
    assert len(listed) == 7776
    assert len(made.split(" ")) == words
    assert set(made.split(" ")) <= listed
    assert keys.normalize_passphrase(made) == made.encode("ascii")


def test_generated_passphrases_differ_and_use_the_list_evenly() -> None:
    draws = [keys.generate_passphrase(20) for _ in range(1000)]
    assert len(set(draws)) == 1000
    counts = np.zeros(16)
    place = {word: i * 16 // 7776 for i, word in enumerate(passphrase._word_list())}
    for word in " ".join(draws).split(" "):
        counts[place[word]] += 1
    chi_squared = float(((counts - 1250) ** 2 / 1250).sum())
    assert chi_squared < 60  # 15 degrees of freedom: chance of more is below 1e-6


@pytest.mark.parametrize("words", [-1, 0, 3, 21])
def test_passphrase_of_too_few_or_many_words_is_refused(words: int) -> None:
    with pytest.raises(errors.SecretError, match="4 to 20 words"):
        keys.generate_passphrase(words)
    with pytest.raises(errors.SecretError, match="4 to 20 words"):
        keys.entropy_bits(words)


def test_entropy_of_six_words() -> None:
    assert keys.entropy_bits(6) == pytest.approx(77.548875, abs=1e-6)
