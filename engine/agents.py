"""Why here: identities of nobody: drawn as the embeddings of faces are spread, refused near any."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from engine.errors import ModelError
from engine.zoo import load_model

if TYPE_CHECKING:
    from engine.networks.gallery import AgentGallery

F32 = npt.NDArray[np.float32]

GALLERY = "agents.v5"
"""The released gallery for simswap, and for whatever has none of its own."""

APART = 0.3
"""Cosine to the face that it replaces from which on an agent is passed over for the next one."""

_DRAWN_AT_ONCE = 2048
_DRAWS = 100


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
        """Fit it to (N, D) embeddings of length 1, two or more.

        Raises:
            ModelError: fewer.
        """
        if len(embeddings) < 2:
            raise ModelError(
                f"expected two embeddings or more, got {len(embeddings)}",
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


def draw_gallery(embeddings: F32, count: int, most: float, rng: np.random.Generator) -> F32:
    """Draw identities that are near to no embedding and to none of each other.

    Args:
        embeddings: (N, D) of length 1, of every training face.
        count: how many are wanted.
        most: cosine that none exceeds, to any embedding and to any other of them.
        rng: decides everything.

    Returns:
        (count, D), of length 1.

    Raises:
        ModelError: so many cannot be found; or too few embeddings, as :meth:`IdentityLaw.of`.
    """
    law = IdentityLaw.of(embeddings)
    kept = np.empty((0, embeddings.shape[1]), np.float32)
    for _ in range(_DRAWS):
        drawn = law.draw(_DRAWN_AT_ONCE, rng)
        for agent in drawn[(drawn @ embeddings.T).max(1) <= most]:
            if not len(kept) or (kept @ agent).max() <= most:
                kept = np.concatenate([kept, agent[None]])
            if len(kept) == count:
                return kept
    raise ModelError(
        f"expected {count} identities of cosine {most:g} or less, found {len(kept)}",
        hint="ask for fewer, or let them be nearer to each other",
    )


def choose_agents(seed: int, face: F32 | None = None, gallery: str = GALLERY) -> F32:
    """Order the identities of nobody for a face: the first is to be given to it.

    Args:
        seed: 0 or more; equal seeds give the same order for the same face.
        face: (D,), the face's own embedding by :data:`engine.zoo.IDENTITIES`, where it is known:
            agents of cosine :data:`APART` or more to it are left out, but for the furthest.
        gallery: name of a released one.

    Returns:
        (N, D), of length 1; N is 1 or more.

    Raises:
        ModelError: as :func:`engine.zoo.load_model`.
    """
    network = cast("AgentGallery", load_model(gallery, "cpu"))
    agents = network.identities.float().numpy()
    agents = agents / np.linalg.norm(agents, axis=1, keepdims=True)
    # One after the other for neighbouring seeds, so that these never begin with the same; but then
    # shuffled, so that who tries several in turn seldom meets the next seed's agents.
    others = np.random.default_rng(seed).permutation(len(agents))
    agents = agents[np.concatenate([[seed % len(agents)], others[others != seed % len(agents)]])]
    if face is None:
        return np.asarray(agents, np.float32)
    near = agents @ face
    near[np.argmin(near)] = -1
    return np.asarray(agents[near < APART], np.float32)
