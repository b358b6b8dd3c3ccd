"""Why here: identities of nobody: drawn as the embeddings of faces are spread."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class IdentityLaw:
    """How the embeddings of faces are spread: a Gaussian, put back on the sphere.

    Attributes:
        mean: (D,).
        root: (D, D): times a vector of standard normal numbers, what is added to the mean.
    """

    mean: F32
    root: F32

    @classmethod
    def of(cls, embeddings: F32) -> "IdentityLaw":
        """Fit it to (N, D) embeddings of length 1, N at least D.

        Raises:
            ModelError: too few of them.
        """
        count, dimensions = embeddings.shape
        if count < dimensions:
            raise ModelError(
                f"expected {dimensions} embeddings or more, got {count}",
                hint="give a set of more faces",
            )
        mean = embeddings.mean(0)
        values, axes = np.linalg.eigh(np.cov(embeddings, rowvar=False))
        root = axes * np.sqrt(np.maximum(values, 0))
        return cls(mean.astype(np.float32), root.astype(np.float32))

    def draw(self, count: int, rng: np.random.Generator) -> F32:
        """Draw (count, D) identities of length 1."""
        found = self.mean + rng.standard_normal((count, len(self.mean))) @ self.root.T
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)
