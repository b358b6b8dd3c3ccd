"""Training state on disk: everything a run needs to go on, in safetensors and JSON."""

import json
import os
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn, optim

from engine.errors import DataError

if TYPE_CHECKING:
    from diffusers import ModelMixin


@dataclass
class Progress:
    """How far a run has come: optimizer steps, seconds of training, and its number in the log."""

    step: int = 0
    seconds: float = 0.0
    run_id: int = 0
    faces_seen: int = 0


Settings = dict[str, Any]
"""A recipe as JSON gives it back."""


def save(
    folder: Path,
    modules: dict[str, nn.Module],
    optimizer: optim.Optimizer,
    progress: Progress,
    recipe: Settings,
) -> None:
    """Write a checkpoint so that a crash at any moment leaves the old one or the new one whole."""
    fresh = _start_beside(folder)
    for name, module in modules.items():
        save_file(_contiguous(module.state_dict()), fresh / f"{name}.safetensors")
    tensors, scalars = _flatten(optimizer.state_dict()["state"])
    save_file(tensors, fresh / "optimizer.safetensors")
    state = {"progress": progress.__dict__, "recipe": recipe, "scalars": scalars}
    (fresh / "state.json").write_text(json.dumps(state))
    _put_in_place(fresh, folder)


def save_fitted(folder: Path, model: "ModelMixin", progress: Progress, recipe: Settings) -> None:
    """Write what was fitted at one stroke as a run's folder: nothing of it can be gone on with."""
    fresh = _start_beside(folder / "checkpoint")
    (fresh / "state.json").write_text(json.dumps({"progress": asdict(progress), "recipe": recipe}))
    _put_in_place(fresh, folder / "checkpoint")
    export(folder / "model", model)


def export(folder: Path, model: "ModelMixin") -> None:
    """Write a model folder, ready to be loaded, as whole as a checkpoint."""
    fresh = _start_beside(folder)
    model.save_pretrained(fresh)
    _put_in_place(fresh, folder)


def _start_beside(folder: Path) -> Path:
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def _put_in_place(fresh: Path, folder: Path) -> None:
    old = folder.with_name(folder.name + ".old")
    if folder.exists():  # if not, the old one is all there is until the next line but one
        shutil.rmtree(old, ignore_errors=True)
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def find(folder: Path) -> Path | None:
    """Where the checkpoint of this name lies: there, or beside it if a save was cut short."""
    candidates = (folder, folder.with_name(folder.name + ".old"))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def load(
    folder: Path, modules: dict[str, nn.Module], optimizer: optim.Optimizer, recipe: Settings
) -> Progress:
    """Restore modules and optimizer in place and return how far the run had come.

    Raises:
        DataError: the folder holds no whole checkpoint, or one of another recipe.
    """
    found = find(folder)
    if found is None or not (found / "state.json").is_file():
        raise DataError(
            f"no checkpoint in {folder.name}",
            hint="name another folder with --resume, or delete this one to start over",
        )
    state = json.loads((found / "state.json").read_text())
    _check_recipe(state.get("recipe"), recipe)
    for name, module in modules.items():
        module.load_state_dict(load_file(found / f"{name}.safetensors"), strict=True)
    tensors = load_file(found / "optimizer.safetensors")
    restored = optimizer.state_dict()
    restored["state"] = _unflatten(tensors, state["scalars"])
    optimizer.load_state_dict(restored)
    known = {field.name for field in fields(Progress)}
    return Progress(**{name: value for name, value in state["progress"].items() if name in known})


def _check_recipe(before: Settings | None, now: Settings) -> None:
    """Refuse to go on under other settings; the first checkpoints did not note theirs.

    A setting that there was none of then was off.
    """
    now = json.loads(json.dumps(now))
    if before is None or {name: type(value)() for name, value in now.items()} | before == now:
        return
    raise DataError(
        f"the run was started as {before.get('name')} with other settings: "
        f"{', '.join(_changed(before, now))}",
        hint="name another folder with --resume or --keep, or give what it was started with",
    )


def _changed(before: Settings, now: Settings) -> list[str]:
    """Names of the settings that differ; of one that is a table, those of its own."""
    found = []
    for name in {**now, **before}:
        first, second = before.get(name), now.get(name)
        if isinstance(first, dict) and isinstance(second, dict):
            found += [f"{name}.{one}" for one in _changed(first, second)]
        elif first != second:
            found.append(name)
    return found


def _contiguous(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().contiguous() for name, value in state.items()}


def _flatten(state: dict[int, dict[str, Any]]) -> tuple[dict[str, Tensor], dict[str, float]]:
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, float] = {}
    for parameter, entries in state.items():
        for name, value in entries.items():
            key = f"{parameter}/{name}"
            if isinstance(value, Tensor):
                tensors[key] = value.detach().clone().contiguous()
            else:
                scalars[key] = value
    return tensors, scalars


def _unflatten(tensors: dict[str, Tensor], scalars: dict[str, float]) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in [*tensors.items(), *scalars.items()]:
        parameter, name = key.split("/")
        state.setdefault(int(parameter), {})[name] = value
    return state


def copy_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move an exponential moving average towards a model: a <- decay a + (1 - decay) m."""
    with torch.no_grad():
        for a, m in zip(average.parameters(), model.parameters(), strict=True):
            a.lerp_(m, 1 - decay)
