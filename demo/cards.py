"""What the tab Protect says of a preview and of a protected picture: cards, and their figures."""

from typing import Any

from demo import actions, exhibits, words
from demo.draw import in_db

Fact = tuple[str, str, str]


def _noted(told: actions.Previewed | actions.Shared) -> list[Fact]:
    """Each face that is hidden otherwise than by the chosen mask, or is to be looked at."""
    return [(*words.NOTED, note) for note in told.notes] + [
        (*words.REMARKED, remark) for remark in told.remarks
    ]


def preview_card(seen: actions.Previewed) -> str:
    """Say of a preview what the card of the result will say; empty where there is nothing."""
    facts = _noted(seen)
    return exhibits.card("Before you protect", facts, "bad") if facts else ""


def figures_of(shared: actions.Shared, method: str) -> dict[str, Any]:
    """Give the figures of a protected picture to programs.

    Cosine and threshold are not rounded, since rounded they may look equal. Like ``still_known``
    they are of the hidden faces: one that was left clear is not compared.

    Args:
        shared: what protecting gave.
        method: that protected it.
    """
    alike = shared.likeness
    return {
        "mask_protected_db": round(shared.mask_db, 2),
        "bit_exact": shared.exact,
        "faces": shared.faces,
        "still_known": alike and alike.known,
        "identity_cosine": alike and alike.nearest,
        "identity_threshold": alike and alike.threshold,
        "notes": [*shared.notes, *shared.remarks],
        "source": shared.sourced,
        "bytes": len(shared.png),
        "seconds": round(shared.seconds, 3),
        "method": method,
        "keyless": shared.keyless,
    }


def identity_fact(shared: actions.Shared) -> Fact:
    """Say whether a recogniser still knows a hidden face; one left clear is not compared."""
    alike = shared.likeness
    if alike is None:
        return "Identity check", "not measured", "no recogniser here, or no face to line up"
    if alike.known:
        hidden = "1 hidden face is" if alike.known == 1 else f"{alike.known} hidden faces are"
        stronger = f"choose a stronger mask, or {words.MASK_TITLES['sticker']}"
        return "Identity check", f"{hidden} still known", f"{alike.told}; {stronger}"
    small = "to our small recogniser; a better one may see more"
    return "Identity check", "none of the hidden faces is known", f"{alike.told}, {small}"


def protected_card(shared: actions.Shared, left_clear: int) -> str:
    """Say what the file is, in figures and in words."""
    kilobytes = len(shared.png) / 1024
    size = f"{kilobytes / 1024:.1f} MB" if kilobytes > 999 else f"{kilobytes:.0f} kB"
    faces = "the face" if shared.faces == 1 else "the faces"
    back, how = "close, not exact", f"small differences stay in {faces}"
    if shared.exact:
        back, how = "bit-exact", f"every pixel of {faces} as it was, with the passphrase"
    if shared.keyless:
        how = "for anyone who has this program, with any passphrase and without one"
    clear = f"{left_clear} left clear, as you chose" if left_clear else "none left clear"
    seen = (
        "hardly anybody sees that"
        if shared.mask_db > words.UNSEEN_DB
        else ("small; it may be seen from close by")
    )
    sourced = [("Looks like", "the person you chose", "ask them first: no passphrase hides them")]
    facts = [
        *_noted(shared),
        *sourced[: shared.sourced],
        ("Places hidden", str(shared.faces), clear),
        ("Differs from its mask", in_db(shared.mask_db), seen),
        ("Faces come back", back, how),
        identity_fact(shared),
        ("File", size, "PNG; send it as a file"),
        ("Kept here", "one minute", words.KEPT),
        ("Took", f"{shared.seconds:.1f} s", "a part of it on purpose: it makes guessing slow"),
    ]
    if shared.keyless:
        return exhibits.card("Hidden from the eye, not protected", facts, "bad")
    return exhibits.card("Ready to share", facts, "good")
