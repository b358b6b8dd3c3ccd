"""Runs the networks of a benchmark: padded faces, their keys, and what becomes of the output."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.attacks.guesses import flip_share, one_bit_off, one_character_off
from engine.benchmark.photographs import through_png
from engine.benchmark.plan import SHARES, BenchmarkConfig, Subject, drawn, network_named, passphrase
from engine.errors import MethodError
from engine.header_bytes import context
from engine.images import batch_to_u8, from_u8
from engine.keys import SALT_BYTES, KdfParams, Key, key_map_tensor
from engine.masks import mask_label
from engine.methods import find_method
from engine.methods.embedding import padded
from engine.methods.networked import Networked
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.record import TAG_BYTES, VERSION, FaceRecord, Header
from engine.scramble import Shuffle, keyed_shuffle, scramble, unscramble
from engine.zoo import load_model, read_network

U8 = npt.NDArray[np.uint8]


def network_of(subject: Subject, device: str) -> Embedder | Imn:
    """Load the network of a method, or of a folder that training has written."""
    if subject.folder is not None:
        return _trained(subject.folder, device)
    method = find_method(subject.name)
    if not isinstance(method, Networked):
        raise MethodError(
            f"{subject.name} must be a method of a network",
            hint="measure it one face at a time",
        )
    return cast(Embedder | Imn, load_model(method.model, device))


@lru_cache(maxsize=8)
def _trained(folder: Path, device: str) -> Embedder | Imn:
    network = read_network(folder, network_named(folder))
    network = network.requires_grad_(False).to(memory_format=torch.channels_last)
    return cast(Embedder | Imn, network.eval().to(device))


class Keys:
    """The key of one face, and those that are tried on it."""

    def __init__(
        self,
        subject: Subject,
        mask: str,
        config: BenchmarkConfig,
        file: str,
        shape: tuple[int, int],
    ) -> None:
        kdf, (height, width) = KdfParams.cheapest(), shape
        salt = drawn(config.seed, file, "salt")[:SALT_BYTES]
        face = FaceRecord((0, 0, width, height), 0, b"", bytes(TAG_BYTES))
        header = Header(
            version=VERSION, kdf=kdf, salt=salt, method=subject.name,
            model_hash=bytes.fromhex(subject.weights_hash()),
            mask=mask_label(mask, preset=config.preset), wrong=subject.wrong,
            height=height, width=width, stripes=b"", faces=(face,),
        )  # fmt: skip
        self._context = context(header, 0)
        self._shape, self._even = shape, (height + height % 2, width + width % 2)
        self.seed = int.from_bytes(drawn(config.seed, file, "edit")[:4], "big")
        secret = passphrase(config.seed, file, "right")

        def derive(words: str) -> Key:
            return Key.from_passphrase(words, salt, kdf)

        right = derive(secret)
        self._known: dict[str, Callable[[], Key]] = {
            "right": lambda: right,
            "wrong": lambda: derive(passphrase(config.seed, file, "wrong")),
            "one_char": lambda: derive(one_character_off(secret, self.seed)),
            "one_bit": lambda: one_bit_off(right, self.seed % 256),
        }

    def map(self, name: str) -> npt.NDArray[np.int8]:
        """The key map under one of the keys."""
        return self._known[name]().map(self._context, *self._even)

    def shuffle(self, name: str) -> Shuffle:
        """The scrambling by one of the keys."""
        return keyed_shuffle(self._known[name](), self._context, *self._shape)


class Medium:
    """What a network's output becomes before it is measured or handed on.

    Attributes:
        rounds: whether what is shared has 8 bits, which the network likes rounded in its own way.
    """

    rounds = True

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape

    def keep(self, made: Tensor) -> Tensor:
        """What is left of it, (B, 3, H, W)."""
        raise NotImplementedError

    def shown(self, name: str, picture: Tensor) -> Tensor:
        """What is measured, in [0, 1]."""
        return picture


class Png(Medium):
    """Rounded to 8 bits, written as PNG and read back."""

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        self._folder = folder

    def keep(self, made: Tensor) -> Tensor:
        """As it is read back, in [0, 1]."""
        pictures = batch_to_u8(made.clamp(0, 1))
        return stack([through_png(picture_u8, self._folder) for picture_u8 in pictures])


class Floats(Medium):
    """The papers' habit: floats are handed on as they are, and the wrong picture is stretched."""

    rounds = False

    def keep(self, made: Tensor) -> Tensor:
        """The same."""
        return made

    def shown(self, name: str, picture: Tensor) -> Tensor:
        """Cut off at 0 and 1."""
        if name in ("wrong", "one_char", "one_bit"):
            low, high = picture.aminmax()
            picture = (picture - low) / (high - low).clamp_min(1e-12)
        return picture.clamp(0, 1)


class Rig:
    """Runs a network on padded faces, and passes on what becomes of its output."""

    def __init__(
        self, network: Embedder | Imn, device: str, medium: Medium, subject: Subject
    ) -> None:
        self.network, self.device, self.medium = network, device, medium
        self.scrambled, self.keyless = subject.scrambled, subject.keyless

    def protect(self, original: Tensor, mask: Tensor, keys: Sequence[Keys]) -> Tensor:
        """Hide under the right keys."""
        made = self._run(
            self._hide, self._scrambled(original, keys), mask, *self._maps(keys, "right")
        )
        return self.medium.keep(made)

    def _hide(self, *images: Tensor) -> Tensor:
        made: Tensor = self.network.protect(*images)
        return self.network.rounded(made.float()) if self.medium.rounds else made

    def recover(self, protected: Tensor, keys: Sequence[Keys], name: str) -> Tensor:
        """Bring back under the keys of this name."""
        made = self._run(self.network.recover, protected, *self._maps(keys, name))
        if self.scrambled:
            made = unscramble(made, _shuffles(keys, name))
        return self.medium.keep(made)

    def _run(self, call: Callable[..., Tensor], *images: Tensor) -> Tensor:
        with torch.inference_mode():
            made = call(*(padded(image).to(self.device) for image in images))
        height, width = self.medium.shape
        return made[..., :height, :width].float().cpu()

    def _scrambled(self, original: Tensor, keys: Sequence[Keys]) -> Tensor:
        """What the network is given to hide."""
        if not self.scrambled:
            return original
        return scramble(original, _shuffles(keys, "right"))

    def _maps(self, keys: Sequence[Keys], name: str) -> list[Tensor]:
        """The key maps as one batch; none for a network that takes none."""
        if self.keyless:
            return []
        maps = torch.cat([key_map_tensor(key.map(name)) for key in keys])
        return [torch.zeros_like(maps) if self.scrambled else maps]

    def basics(
        self, original: Tensor, mask: Tensor, keys: Sequence[Keys], parts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Protect; recover with the right key, a wrong one, and those that the parts ask for.

        Where no key is known, every one of them gives the same, which is what the rows then say:
        the network takes none, and runs once.
        """
        protected = self.protect(original, mask, keys)
        named = {"original": original, "mask": mask, "protected": protected}
        named["recovered"] = self.recover(protected, keys, "right")
        for name in ("wrong", *(("one_char", "one_bit") if "keys" in parts else ())):
            again = not self.keyless
            named[name] = self.recover(protected, keys, name) if again else named["recovered"]
        if "spoof" in parts:
            named["spoofed"] = self.recover(mask, keys, "right")
        return named

    def extras(
        self, named: dict[str, Tensor], keys: Sequence[Keys], parts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Recover with a growing share of the key map wrong, where there is a key map."""
        found = {}
        mapped = not (self.scrambled or self.keyless)
        for share in SHARES if "sweep" in parts and mapped else ():
            maps = [flip_share(key.map("right"), share, key.seed) for key in keys]
            signs = torch.cat([key_map_tensor(key_map) for key_map in maps])
            made = self._run(self.network.recover, named["protected"], signs)
            found[f"flipped_{share:g}"] = self.medium.keep(made)
        return found

    def byproducts(self, named: dict[str, Tensor], keys: Sequence[Keys]) -> dict[str, Tensor]:
        """The networks' second outputs (PRO-Face S, V-D2), as floats.

        Only figures of them ever leave this module. In recovery the key stands for the byproduct
        of protection, once for each colour; without keys zeros do, and no key is wrong.
        """

        def second(run: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
            return lambda *images: run(*images)[1]

        forward, inverse = second(self.network.forward), second(self.network.inverse)
        protected, hidden = named["protected"], self._scrambled(named["original"], keys)
        found = {"byproduct": self._run(forward, hidden, named["mask"], *self._maps(keys, "right"))}
        for name, title in (("right", "recovery_byproduct"), ("wrong", "wrong_byproduct")):
            signs = self._maps(keys, name)
            if signs:
                found[title] = self._run(inverse, protected, signs[0].expand(-1, 3, -1, -1), *signs)
        if self.keyless:
            found["recovery_byproduct"] = self._run(inverse, protected, torch.zeros_like(protected))
        return found


def stack(pictures: Sequence[U8]) -> Tensor:
    """Pictures of equal size, (h, w, 3) uint8, as one batch."""
    return torch.cat([from_u8(picture_u8) for picture_u8 in pictures])


def _shuffles(keys: Sequence[Keys], name: str) -> Shuffle:
    found = [key.shuffle(name) for key in keys]
    return Shuffle(torch.cat([s.source for s in found]), torch.cat([s.signs for s in found]))
