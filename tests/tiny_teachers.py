"""Faces with landmarks, and two small recognisers: what networks learn from others."""

import csv
import io
import zipfile
from pathlib import Path

import torch
from PIL import Image
from tiny_training import draw_face
from torch import Tensor, nn
from torch.nn import functional

from engine.alignment import typical_landmarks


class Means(nn.Module):
    """A teacher that sees the mean colours of a grid of the face, turned at random."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.matrix = nn.Parameter(torch.randn(12, 6, generator=generator))

    def forward(self, faces: Tensor) -> Tensor:
        grid = functional.adaptive_avg_pool2d(faces, 2).flatten(1)
        return functional.normalize((grid - 0.45) @ self.matrix)


def write_taught_faces(folder: Path, faces: int) -> Path:
    """Write a zip of drawn faces with their landmarks, and two teachers; returns the folder."""
    folder.mkdir()
    points = typical_landmarks(40, 40).ravel()
    with zipfile.ZipFile(folder / "faces_train_0.zip", "w") as archive:
        for seed in range(faces):
            file = io.BytesIO()
            Image.fromarray(draw_face(seed, 40)).save(file, "PNG")
            archive.writestr(f"{seed}.png", file.getvalue())
    with (folder / "faces_train_0.csv").open("w", newline="") as text:
        table = csv.writer(text)
        columns = [f"{axis}{i}" for i in range(5) for axis in "xy"]
        table.writerow(["file", "source", "identity", *columns])
        table.writerows([f"{seed}.png", "drawn", f"p{seed % 4}", *points] for seed in range(faces))
    for seed, name in enumerate("ab"):
        traced = torch.jit.trace(Means(seed), torch.rand(2, 3, 112, 112))
        traced.save(str(folder / f"recognizer_{name}.ts"))
    return folder
