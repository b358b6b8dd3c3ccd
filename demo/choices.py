"""How masks, methods and what a wrong key shows are put to who chooses among them."""

from demo import standing, words
from engine import MASKS, METHODS


def mask_about(name: str) -> str:
    """Describe a mask, and where a person may be chosen whose face it lays."""
    chosen = ", or those of a person you choose under More options" * MASKS[name].takes_source
    return f"{MASKS[name].description}{chosen}."


def another_label(name: str) -> str:
    """Say what the button draws where a mask draws something."""
    return "Draw another face" if MASKS[name].replaces else "Draw another character"


def method_label(name: str) -> str:
    """Name a method, and give its promise in its own words."""
    return f"{words.METHOD_TITLES.get(name, name)}: {standing.promise(name)}"


def method_choice(name: str) -> str:
    """Name a method, give its promise, and what was measured of it, a line each."""
    promise = standing.promise(name)
    title, measured = words.METHOD_TITLES.get(name, name), standing.result(name)
    return f"{title}\n{promise[:1].upper()}{promise[1:]}.\n{measured}"


def wrong_choices(method: str) -> list[tuple[str, str]]:
    """What a method may show under a wrong key, its own first; titles and the engine's names."""
    own, *others = METHODS[method].wrong_modes
    first = (f"The method's own: {words.WRONG_OWN[own]}", "")
    return [first, *((words.WRONG_TITLES[mode], str(mode)) for mode in others)]


def wrong_about(method: str, mode: str) -> str:
    """Say in a line or two what a choice is good for, and where it shows."""
    if METHODS[method].keyless:
        return words.KEYLESS
    return f"{words.WRONG_ABOUT[mode]} {words.WRONG_WHERE}"
