"""The recogniser: a face of 112 x 112 to a unit vector that says whose it is."""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from engine.errors import ModelError
from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config


class Recognizer(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Tells faces apart: the cosine of two embeddings is high where it is the same person.

    ::

        face ── unshuffle ── stem ── 28 ── 14 ── 7 px ── 1 x 1 ── 7 x 7 ────── linear ── vector
        112 px  12 channels          residual blocks     wider    depthwise              length 1

    Size and head are MobileFaceNet's (Chen et al. 2018: about a million parameters, a learned
    global depthwise convolution instead of average pooling). The body has plain 3 x 3 convolutions
    at low resolution in place of depthwise ones: processors train those six times as fast.

    Args:
        widths: channels at 28, 14 and 7 pixels, multiples of 8.
        blocks: residual blocks at each of them.
        head_width: channels of the global convolution.
        dimensions: of the embedding.
        threshold: cosine from which two faces pass for one person, at a false accept rate of
            ``far`` on the training faces; None where it has not been measured.
        far: that rate.

    Raises:
        ModelError: other widths: channels last, torch 2.13 frees memory twice in their gradients.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        widths: tuple[int, int, int] = (32, 64, 128),
        blocks: tuple[int, int, int] = (1, 3, 2),
        head_width: int = 512,
        dimensions: int = 256,
        threshold: float | None = None,
        far: float = 1e-3,
    ) -> None:
        super().__init__()
        if any(width % 8 for width in widths):
            raise ModelError(
                f"widths must be multiples of 8, got {tuple(widths)}", hint="32, 64, 128 is usual"
            )
        layers: list[nn.Module] = [nn.PixelUnshuffle(2), *_convolution(12, widths[0], 3, stride=2)]
        layers.append(nn.PReLU(widths[0]))
        before = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for index in range(count):
                stride = 2 if stage and not index else 1
                layers.append(ResidualBlock(before, width, stride))
                before = width
        self.body = nn.Sequential(*layers)
        self.embedding = nn.Sequential(
            *_convolution(before, head_width, 1),
            nn.PReLU(head_width),
            nn.Conv2d(head_width, head_width, 7, groups=head_width, bias=False),
            nn.BatchNorm2d(head_width),
            nn.Flatten(),
            nn.Linear(head_width, dimensions),
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Embed aligned faces.

        Args:
            faces: (B, 3, 112, 112), RGB in [0, 1], landmarks where ArcFace has them, see
                :func:`engine.alignment.align`.

        Returns:
            (B, dimensions), of length 1: the cosine of two is their dot product.
        """
        return self.embed(2 * faces - 1)

    def embed(self, signed: Tensor) -> Tensor:
        """:meth:`forward` of pixels in [-1, 1], which is what insightface feeds its recognisers."""
        return functional.normalize(cast(Tensor, self.embedding(self.body(signed))))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a short cut (He et al. 2016), PReLU as in MobileFaceNet.

    Args:
        before: channels that come in.
        after: channels that go out.
        stride: 2 halves the sides.
    """

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(before, after, 3, stride),
            nn.PReLU(after),
            *_convolution(after, after, 3),
        )
        same = before == after and stride == 1
        self.short_cut = (
            nn.Identity() if same else nn.Sequential(*_convolution(before, after, 1, stride))
        )
        self.activation = nn.PReLU(after)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) to (B, after, H / stride, W / stride)."""
        return cast(Tensor, self.activation(self.body(x) + self.short_cut(x)))


def _convolution(before: int, after: int, side: int, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, side, stride, padding=side // 2, bias=False)
    return convolution, nn.BatchNorm2d(after)
