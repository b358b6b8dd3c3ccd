"""The gallery: identities of nobody, chosen once and kept, for the swappers to give to faces."""

from torch import nn, zeros

from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config


class AgentGallery(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Vectors that no training face is near to, nor any other of them.

    Nothing is learned: :func:`engine.agents.draw_gallery` draws them from how the embeddings of
    faces are spread, and refuses what is near to somebody. They are kept instead of the spread,
    since whoever draws anew would have to ask the training faces again.

    Args:
        count: identities.
        dimensions: of each, the recogniser's.
        most: cosine to any training face, and to any other of them, that none exceeds.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, count: int = 1024, dimensions: int = 256, most: float = 0.4) -> None:
        super().__init__()
        self.identities = nn.Parameter(zeros(count, dimensions), requires_grad=False)
