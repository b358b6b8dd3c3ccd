"""Every exception of the engine; first of all because every other module raises some.

::

    EngineError
    ├── ImageError            (ValueError)   a picture that cannot be taken
    │   ├── ImageFormatError                 unknown format, animated, or not an image at all
    │   ├── ImageDamagedError                empty, truncated or corrupt
    │   ├── ImageTooLargeError               more pixels than the limit, or a decompression bomb
    │   ├── ImageShapeError                  an array or tensor of the wrong shape or type
    │   ├── ImageRangeError                  values outside [0, 1]
    │   ├── NoFaceError                      nothing to protect was found
    │   └── BoxError                         a box outside the picture, empty, or overlapping
    ├── MaskError             (ValueError)   unknown mask, or one that cannot be made for this face
    │   └── LandmarksError                   the face's landmarks cannot carry this mask
    ├── MethodError           (ValueError)   unknown method, or an option that it does not have
    │   └── CapacityError                    the carrier is too small for the payload
    ├── SecretError           (ValueError)   a passphrase or key that cannot be used
    │   ├── PassphraseError                  empty, too long or not text
    │   └── WrongKeyError                    the key does not open this picture
    ├── HeaderError           (ValueError)   the header that travels with a protected picture
    │   ├── NotProtectedError                there is none: not a picture of ours
    │   ├── AlreadyProtectedError            there is one: protecting again would destroy it
    │   ├── HeaderVersionError               a version this program does not know
    │   └── HeaderDamagedError               not canonical, out of limits, truncated
    ├── IntegrityError        (ValueError)   the pixels are not those that were shared
    │   ├── TamperedError                    a part of the picture was changed
    │   └── ReencodedError                   the whole picture was re-encoded, resized or cropped
    ├── ModelError                           networks and detectors
    │   ├── UnknownModelError (LookupError)  no released model has this name or hash
    │   ├── WeightsMissingError (OSError)    the file is not there
    │   └── WeightsHashError  (ValueError)   the file is not the released one
    ├── MetricError           (ValueError)   a metric that cannot be had, with the reason
    ├── DataError             (ValueError)   a training or evaluation set that cannot be read
    └── ResultsError          (ValueError)   the results database

Each carries a ``hint``: what to do, one line, lower case, no full stop. The message says what was
expected and what came; neither ever holds a passphrase, a key or a piece of a picture.
"""


class EngineError(Exception):
    """Root of all errors that a user of the engine may meet."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ImageError(EngineError, ValueError):
    """A picture that cannot be taken."""


class ImageFormatError(ImageError):
    """Unknown format, animated, or not an image at all."""


class ImageDamagedError(ImageError):
    """Empty, truncated or corrupt."""


class ImageTooLargeError(ImageError):
    """More pixels than the limit, or a decompression bomb."""


class ImageShapeError(ImageError):
    """An array or tensor of the wrong shape or type."""


class ImageRangeError(ImageError):
    """Values outside [0, 1], or not numbers."""


class NoFaceError(ImageError):
    """Nothing to protect was found."""


class BoxError(ImageError):
    """A box outside the picture, empty, or overlapping another person's."""


class MaskError(EngineError, ValueError):
    """Unknown mask, or one that cannot be made for this face."""


class LandmarksError(MaskError):
    """The landmarks of this face are not known, or cannot carry this mask."""


class StillKnownError(MaskError):
    """A mask that gives a face another identity failed to: a recogniser still knows the person."""


class MethodError(EngineError, ValueError):
    """Unknown method, or an option that it does not have."""


class CapacityError(MethodError):
    """The carrier is too small for the payload."""


class SecretError(EngineError, ValueError):
    """A passphrase or key that cannot be used."""


class PassphraseError(SecretError):
    """A passphrase that is empty, too long or not text."""


class WrongKeyError(SecretError):
    """The key does not open this picture."""


class HeaderError(EngineError, ValueError):
    """The header that travels with a protected picture."""


class NotProtectedError(HeaderError):
    """The file holds no header: it is not a protected picture."""


class AlreadyProtectedError(HeaderError):
    """The picture to protect hides faces already, which a second protection would destroy."""


class HeaderVersionError(HeaderError):
    """A header version that this program does not know."""


class HeaderDamagedError(HeaderError):
    """A header that is not canonical, out of limits or truncated."""


class IntegrityError(EngineError, ValueError):
    """The pixels are not those that were shared."""


class TamperedError(IntegrityError):
    """A part of the picture was changed."""


class ReencodedError(IntegrityError):
    """The whole picture was re-encoded, resized or cropped."""


class ModelError(EngineError):
    """Networks and detectors."""


class UnknownModelError(ModelError, LookupError):
    """No released model has this name or hash."""


class WeightsMissingError(ModelError, OSError):
    """The weights file is not there."""


class WeightsHashError(ModelError, ValueError):
    """The weights file is not the released one."""


class MetricError(EngineError, ValueError):
    """A metric that cannot be had, with the reason."""


class DataError(EngineError, ValueError):
    """A training or evaluation set that cannot be read."""


class ResultsError(EngineError, ValueError):
    """The results database."""
