"""Measures PRO-Face S's network on many faces at once; what comes out is the pipeline's."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.attacks.guesses import flip_share, one_bit_off, one_character_off
from engine.benchmark.judge import PLAIN, Exhibit
from engine.benchmark.photographs import clipped, through_png, whole
from engine.benchmark.plan import SHARES, BenchmarkConfig, Subject, drawn, passphrase
from engine.data import FaceFile, FaceSet
from engine.errors import MethodError
from engine.faces import merge_overlapping
from engine.header_bytes import context
from engine.images import batch_to_u8, from_u8
from engine.keys import SALT_BYTES, KdfParams, Key, key_map_tensor
from engine.masking import mask_faces
from engine.masks import mask_label
from engine.methods import find_method
from engine.methods.embedding import MAX_ERROR
from engine.methods.proface_s import ProfaceS
from engine.networks.embedder import Embedder
from engine.record import TAG_BYTES, VERSION, FaceRecord, Header
from engine.zoo import load_model

U8 = npt.NDArray[np.uint8]


def network_of(subject: Subject, device: str) -> Embedder:
    """Load the network of a method, or of a folder that training has written."""
    if subject.folder is not None:
        return _trained(subject.folder, device)
    method = find_method(subject.name)
    if not isinstance(method, ProfaceS):
        raise MethodError(
            f"{subject.name} must be a method of PRO-Face S's network",
            hint="measure it one face at a time",
        )
    return cast(Embedder, load_model(method.model, device))


@lru_cache(maxsize=8)
def _trained(folder: Path, device: str) -> Embedder:
    network: Embedder = Embedder.from_pretrained(folder, low_cpu_mem_usage=False)
    network = network.requires_grad_(False).to(memory_format=torch.channels_last)
    return cast(Embedder, network.eval().to(device))


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
        self._even = height + height % 2, width + width % 2
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


def show(
    faces: FaceSet,
    indices: Sequence[int],
    subject: Subject,
    mask: str,
    config: BenchmarkConfig,
    folder: Path,
    device: str,
) -> list[Exhibit]:
    """Protect, write, read and recover faces of equal size.

    The pixels are those that :func:`engine.pipeline.protect` makes, but for the salt and the seed
    of the mask: they come from ``config.seed``, so that figures can be made again.

    Returns:
        The pictures of each; only that it was refused, where the network hides too little.
    """
    records = [faces.records[index] for index in indices]
    originals = [faces.load(index) for index in indices]
    masks = [
        _masked(original_u8, record, mask, config)
        for original_u8, record in zip(originals, records, strict=True)
    ]
    shape = originals[0].shape[:2]
    keys = [Keys(subject, mask, config, record.file, shape) for record in records]
    medium = _Png(folder, shape) if config.protocol == "png" else _Floats(shape)
    lab = _Lab(network_of(subject, device), device, medium)
    named = lab.basics(_stack(originals), _stack(masks), keys, config.parts)
    extra = lab.extras(named, keys, config.parts)
    leaks = _leaks(named, lab.byproducts(named, keys)) if "byproducts" in config.parts else {}
    aim = "original" if subject.wrong == "rand" else "mask"
    aims = {"recovered": "original", "spoofed": "original", "protected": "mask"}
    exhibits = []
    for i, record in enumerate(records):
        exhibit = Exhibit(record, record.source)
        exhibits.append(exhibit)
        if (255 * (named["protected"][i] - named["mask"][i])).square().mean().item() > MAX_ERROR:
            exhibit.refuse()
            continue
        exhibit.shown = {n: medium.shown(n, t[i : i + 1]) for n, t in (named | extra).items()}
        others = [name for name in named if name not in ("original", "mask")]
        exhibit.compare(config.metrics, *(f"{aims.get(name, aim)}:{name}" for name in others))
        exhibit.compare(PLAIN, *(f"original:{name}" for name in extra))
        exhibit.values["wrong", "clipped"] = clipped(batch_to_u8(exhibit.shown["wrong"])[0])
        exhibit.values |= {pair: values[i] for pair, values in leaks.items()}
    return exhibits


def _masked(original_u8: U8, record: FaceFile, mask: str, config: BenchmarkConfig) -> U8:
    regions = merge_overlapping([whole(original_u8, record)], *original_u8.shape[:2])
    seed = int.from_bytes(drawn(config.seed, record.file, "mask")[:16], "big")
    return mask_faces(original_u8, regions, mask, preset=config.preset, seed=seed)


def _leaks(
    named: dict[str, Tensor], byproducts: dict[str, Tensor]
) -> dict[tuple[str, str], list[float]]:
    """What the networks' second outputs tell of the original, and the mask as the control."""
    return {
        (f"original:{name}", "fitted_psnr_db"): fitted_psnr_db(named["original"], picture)
        for name, picture in {**byproducts, "mask": named["mask"]}.items()
    }


def fitted_psnr_db(original: Tensor, picture: Tensor) -> list[float]:
    """PSNR once each colour of a picture has the contrast and brightness that suit it best.

    An upper bound for whoever looks at a picture that leaves [0, 1]: how it is stretched decides
    what is seen. Both (B, 3, H, W), any range; one value for each.
    """
    first, second = original.double().flatten(2), picture.double().flatten(2)
    first, second = (image - image.mean(2, keepdim=True) for image in (first, second))
    shared = (first * second).mean(2).square() / second.square().mean(2).clamp_min(1e-20)
    error = (first.square().mean(2) - shared).clamp_min(0).mean(1)
    values: list[float] = (-10 * torch.log10(error)).tolist()
    return values


class _Lab:
    """Runs a network on padded faces, and passes on what becomes of its output."""

    def __init__(self, network: Embedder, device: str, medium: "_Medium") -> None:
        self.network, self.device, self.medium = network, device, medium

    def run(self, call: Callable[..., Tensor], *images: Tensor) -> Tensor:
        """Pad, compute, cut to size, and keep as the medium does."""
        return self.medium.keep(self._run(call, *images))

    def _run(self, call: Callable[..., Tensor], *images: Tensor) -> Tensor:
        with torch.inference_mode():
            made = call(*(_padded(image).to(self.device) for image in images))
        height, width = self.medium.shape
        return made[..., :height, :width].float().cpu()

    def basics(
        self, original: Tensor, mask: Tensor, keys: Sequence[Keys], parts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Protect; recover with the right key, a wrong one, and those that the parts ask for."""
        right = _maps(keys, "right")
        protected = self.run(self.network.protect, original, mask, right)
        named = {"original": original, "mask": mask, "protected": protected}
        named["recovered"] = self.run(self.network.recover, protected, right)
        for name in ("wrong", *(("one_char", "one_bit") if "keys" in parts else ())):
            named[name] = self.run(self.network.recover, protected, _maps(keys, name))
        if "spoof" in parts:
            named["spoofed"] = self.run(self.network.recover, mask, right)
        return named

    def extras(
        self, named: dict[str, Tensor], keys: Sequence[Keys], parts: Sequence[str]
    ) -> dict[str, Tensor]:
        """Recover with a growing share of the key map wrong."""
        found = {}
        for share in SHARES if "sweep" in parts else ():
            maps = [flip_share(key.map("right"), share, key.seed) for key in keys]
            signs = torch.cat([key_map_tensor(key_map) for key_map in maps])
            found[f"flipped_{share:g}"] = self.run(self.network.recover, named["protected"], signs)
        return found

    def byproducts(self, named: dict[str, Tensor], keys: Sequence[Keys]) -> dict[str, Tensor]:
        """The networks' second outputs (PRO-Face S, V-D2), as floats.

        Only figures of them ever leave this module. In recovery the key stands for the byproduct
        of protection, once for each colour.
        """

        def second(run: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., Tensor]:
            return lambda *images: run(*images)[1]

        forward, inverse = second(self.network.forward), second(self.network.inverse)
        right, wrong = _maps(keys, "right"), _maps(keys, "wrong")
        coloured = [signs.expand(-1, 3, -1, -1) for signs in (right, wrong)]
        protected = named["protected"]
        return {
            "byproduct": self._run(forward, named["original"], named["mask"], right),
            "recovery_byproduct": self._run(inverse, protected, coloured[0], right),
            "wrong_byproduct": self._run(inverse, protected, coloured[1], wrong),
        }


class _Medium:
    """What a network's output becomes before it is measured or handed on."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape

    def keep(self, made: Tensor) -> Tensor:
        raise NotImplementedError

    def shown(self, name: str, picture: Tensor) -> Tensor:
        """What is measured, in [0, 1]."""
        return picture


class _Png(_Medium):
    """Rounded to 8 bits, written as PNG and read back."""

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        super().__init__(shape)
        self._folder = folder

    def keep(self, made: Tensor) -> Tensor:
        pictures = batch_to_u8(made.clamp(0, 1))
        return _stack([through_png(picture_u8, self._folder) for picture_u8 in pictures])


class _Floats(_Medium):
    """The papers' habit: floats are handed on as they are, and the wrong picture is stretched."""

    def keep(self, made: Tensor) -> Tensor:
        return made

    def shown(self, name: str, picture: Tensor) -> Tensor:
        if name in ("wrong", "one_char", "one_bit"):
            low, high = picture.aminmax()
            picture = (picture - low) / (high - low).clamp_min(1e-12)
        return picture.clamp(0, 1)


def _padded(image: Tensor) -> Tensor:
    """As :func:`engine.images.pad_to_even`, for what may leave [0, 1] as well."""
    height, width = image.shape[-2:]
    if height % 2 or width % 2:
        image = torch.nn.functional.pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    return image


def _stack(pictures: Sequence[U8]) -> Tensor:
    return torch.cat([from_u8(picture_u8) for picture_u8 in pictures])


def _maps(keys: Sequence[Keys], name: str) -> Tensor:
    return torch.cat([key_map_tensor(key.map(name)) for key in keys])
