"""Every sentence that people read more than once, so that the tone is decided in one place."""

from typing import Final

from engine import errors

NAME: Final = "FaceVeil"
LEAD: Final = "Hide the faces in a photo. Only your passphrase brings them back."

MASK_TITLES: Final[dict[str, str]] = {
    "gaussian": "Blur",
    "pixelate": "Mosaic",
    "median": "Painting",
    "sticker": "Cartoon",
    "superpixel": "Shards",
    "edge": "Line drawing",
    "extreme_blur": "8 x 8 pixels",
    "noise": "Noise",
    "box": "Grey box",
    "ksame": "Average face",
    "simswap": "Nobody's face",
    "faceshifter": "Nobody's face, drawn otherwise",
}
"""Every mask that is offered here; one that draws with a network of the user's choice is not."""

METHOD_TITLES: Final[dict[str, str]] = {
    "sealed": "Sealed",
    "proface-k": "ProFace-K",
    "proface-s-rand": "RandWR",
    "proface-s-obfs": "ObfsWR",
    "imn": "IMN",
}

WRONG_OWN: Final = {
    "": "the face itself, for there is no key",
    "rand": "noise",
    "obfs": "the mask",
    "decoy": "somebody else's face",
}
WRONG_TITLES: Final = {"rand": "Noise", "obfs": "The mask", "decoy": "Somebody else"}
WRONG_ABOUT: Final = {
    "": "What the method itself gives.",
    "rand": "Whoever tries sees at once that the key is wrong.",
    "obfs": "The picture stays as it was shared, as if nothing were hidden.",
    "decoy": (
        "The face of nobody, the same for the same wrong key: this fools an onlooker, not someone "
        "with this code."
    ),
}
"""What a wrong key may show, by the engine's names; the first is the method's own."""

WRONG_WHERE: Final = "This app refuses a wrong key and shows nothing; other viewers may show it."
KEYLESS: Final = (
    "This method knows no key: anyone who has this program brings the face back, with any "
    "passphrase and without one. It is here to compare others with."
)

SCOPE: Final = (
    "Trained attackers learned whole faces of 112 px under masks at about the papers' "
    "strength, and were measured so; of other sizes and strengths their results say less."
)
"""What every verdict of a trained attacker holds for."""

SOURCE: Final = (
    "If you like, a photograph of a person whose face is laid instead of nobody's. <b>The "
    "protected picture then looks like that person: ask them first.</b> No passphrase hides who "
    "they are. "
    "Their photograph is wiped like yours."
)
NO_SOURCE_FACE: Final = (
    "No face in the second photograph",
    "Choose one that shows the person's face large and from the front.",
)
NO_SOURCE_TAKEN: Final = (
    "This mask lays nobody else's face",
    "Choose one of the two called Nobody's face, or leave the photograph of the other person out.",
)

NOTED: Final = "Not the mask you chose", "hidden all the same"
"""Of a face that could not carry the mask; title and value, as of :data:`REMARKED`."""

REMARKED: Final = "Look at this face", "the mask is laid"
"""Of a face that carries it, and whose mask may not do."""

ANOTHER: Final = "The preview shows another one now."
NO_OTHER: Final = "There is no other for this face."
"""After "Draw another"."""

OOPS: Final = "Something went wrong on our side. Nothing was kept; please try again."
BUSY: Final = (
    "That is more passphrases within a minute than this page tries on one picture, or for one "
    "visitor. Try again in {} s."
)
NO_FACE: Final = (
    "No face found in this photo",
    "Nothing is protected yet. If there is a face, small, turned or half hidden, look harder; or "
    "protect the whole picture.",
)
WIPED: Final = (
    "Pictures are wiped from this server within a minute of their last use. Choose it again."
)
WIPED_RESULT: Final = "Wiped after a minute: make it anew to download"
UNSEEN_DB: Final = 40.0
"""A usual rule of thumb: above it hardly anybody sees a difference."""

KEPT: Final = "Download it within a minute; then it is wiped from this server."

_FILE_HINT: Final = "Ask for the original PNG, sent as a file."

TROUBLES: Final[dict[type[errors.EngineError], tuple[str, str]]] = {
    errors.ImageFormatError: (
        "Not a photo we can read",
        "This is not a JPEG, PNG or still WebP picture, whatever its name says. "
        "Choose a photo in one of these formats.",
    ),
    errors.ImageDamagedError: (
        "The file is damaged",
        "It breaks off or is corrupt. Choose another copy of the picture.",
    ),
    errors.ImageTooLargeError: (
        "Too many pixels",
        "The picture is larger than this program opens. Scale it down and choose it again.",
    ),
    errors.NoFaceError: (
        "No face found",
        "Nothing was protected, so nothing leaves. If there is a face, open More options and look "
        "harder, or protect the whole picture.",
    ),
    errors.BoxError: (
        "Too many faces, or one too large",
        "{said}. Cut the photo into parts or scale it down, or protect the whole picture under "
        "More options.",
    ),
    errors.MaskError: (
        "This mask cannot be made here",
        "Choose another mask, or its usual strength.",
    ),
    errors.PassphraseError: (
        "A passphrase is needed",
        "Type one, of 1024 bytes at most; six drawn words are a good one.",
    ),
    errors.WrongKeyError: (
        "Wrong passphrase",
        "The picture is intact, but this passphrase does not open it. "
        "Capitals, spaces and every sign count.",
    ),
    errors.TamperedError: (
        "Changed since it was shared",
        f"A part of this picture is not what was protected, so it is not opened. {_FILE_HINT}",
    ),
    errors.ReencodedError: (
        "Re-encoded by another program",
        "This is not the file that FaceVeil made: it was saved anew, resized or cropped "
        "(messengers and screenshots do this), and whatever was hidden in it is lost. "
        f"{_FILE_HINT}",
    ),
    errors.NotProtectedError: (
        "Nothing of ours found",
        "Either this picture was never protected with FaceVeil, or another program has saved it "
        "anew (messengers, screenshots and editors do this) and so removed what opens it. "
        f"{_FILE_HINT}",
    ),
    errors.AlreadyProtectedError: (
        "Already protected",
        "Faces are hidden in this picture already, and protecting it again would destroy them. "
        "Recover it first, or choose the photo that it was made from.",
    ),
    errors.HeaderVersionError: (
        "Made by a newer version",
        "This program does not know the format of the picture. Update it and try again.",
    ),
    errors.HeaderDamagedError: (
        "Changed since it was shared",
        f"What travels with the picture is damaged, so it is not opened. {_FILE_HINT}",
    ),
    errors.UnknownModelError: (
        "Made by another model",
        "The picture was protected by a network that is not installed here.",
    ),
    errors.ModelError: (
        "A network is missing",
        "What this method or the search for faces needs is not on this server, or it is damaged. "
        "Choose Sealed, or tell whoever runs this page.",
    ),
    errors.CapacityError: (
        "The faces do not fit",
        "It is too small to hold them. Choose fewer faces, a larger picture, or ProFace-K.",
    ),
    errors.MethodError: (
        "This method cannot take this face",
        "Choose Sealed, or another mask.",
    ),
}
"""Title and sentence by error; the nearest class counts. ``{said}`` is what the engine says."""
