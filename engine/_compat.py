"""Lets torchvision be imported beside a CPU build of torch; before everything that imports it.

The registry's torchvision wheel is linked against CUDA. Beside a CPU torch its operators never
register, while its own Python code registers fakes for two of them and fails. Declaring the two
schemas first is enough for the parts that lpips, torchmetrics and diffusers use.
"""

import sys

import torch

_library: torch.library.Library | None = None


def ensure_torchvision() -> str:
    """Import torchvision, natively if that works and with two declared operators if not.

    Returns:
        "loaded" (it was already), "native", "absent" or "shimmed".

    Raises:
        RuntimeError: torchvision fails for another reason than its missing operators.
    """
    global _library
    if "torchvision" in sys.modules:
        return "loaded"
    try:
        import torchvision
    except ImportError:
        return "absent"
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    else:
        return "native"
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    # Only now, since declaring them beside a working native library would clash.
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        schema = f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        _library.define(schema)  # type: ignore[no-untyped-call]
    import torchvision  # noqa: F401

    return "shimmed"
