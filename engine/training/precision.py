"""In what precision networks compute while they learn: bfloat16 where the hardware does it fast."""

from contextlib import AbstractContextManager, nullcontext

import torch

__all__ = ["autocast", "has_fast_bfloat16"]


def has_fast_bfloat16(device: str) -> bool:
    """Tell whether convolutions in bfloat16 are computed in hardware on this device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


def autocast(device: str) -> AbstractContextManager[object]:
    """Compute convolutions in bfloat16 inside, where that is fast; else change nothing.

    Elsewhere bfloat16 is emulated, and many times as slow. What comes out is to be made float again
    before a loss sees it.
    """
    if has_fast_bfloat16(device):
        return torch.autocast(device.split(":")[0], dtype=torch.bfloat16)
    return nullcontext()
