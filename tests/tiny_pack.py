"""Writes an insightface pack of two tiny networks, so that tests run its true loading code.

The "detector" finds red cells of a 32 px grid instead of faces: enough to check channel order,
scale, thresholds and landmarks. The "recogniser" embeds the means of a 2 x 2 grid of the crop.
Nothing is learned and nothing is downloaded.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

CELL = 32
# The five points of the "face" as fractions of its cell, in ArcFace order.
POINTS = ((0.34, 0.46), (0.66, 0.46), (0.50, 0.64), (0.37, 0.82), (0.63, 0.82))


def write_pack(folder: Path, *, size: int | None = 640, seed: int = 0) -> Path:
    """Write ``det.onnx`` (SCRFD layout) and ``rec.onnx`` (ArcFace layout) into ``folder``.

    Args:
        folder: made if it is not there.
        size: side of the detector's input; None leaves it free.
        seed: of the recogniser's projection.

    Returns:
        The folder, as ``insightface.app.FaceAnalysis(name=str(folder))`` takes it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_detector(size), folder / "det.onnx")
    onnx.save(_recogniser(seed), folder / "rec.onnx")
    return folder


def _constant(name: str, values: npt.ArrayLike, dtype: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def _head(
    name: str, stride: int, weight: npt.NDArray[np.float32], bias: list[float], squash: bool
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """One output, ``(cells * 2 anchors, k)``: a convolution of one cell each, rows by cell."""
    width = len(bias) // 2
    kernel = np.repeat(weight[:, :, None, None], stride, 2).repeat(stride, 3) / stride**2
    constants = [
        _constant(f"{name}_w", kernel),
        _constant(f"{name}_b", bias),
        _constant(f"{name}_s", [-1, width], np.int64),
    ]
    side = [stride, stride]
    last = f"{name}_raw" if squash else name
    nodes = [
        helper.make_node(
            "Conv", ["x", f"{name}_w", f"{name}_b"], [f"{name}_c"], kernel_shape=side, strides=side
        ),
        helper.make_node("Transpose", [f"{name}_c"], [f"{name}_t"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{name}_t", f"{name}_s"], [last]),
    ]
    if squash:
        nodes.append(helper.make_node("Sigmoid", [last], [name]))
    return nodes, constants


def _detector(size: int | None) -> onnx.ModelProto:
    """Nine outputs: scores, boxes and points at strides 8, 16 and 32, two anchors each."""
    nodes, constants, names = [], [], []
    red = np.zeros((2, 3), np.float32)
    red[0] = (10.0, -5.0, -5.0)
    boxes = [0.0, 0.0, 1.0, 1.0] * 2
    points = [float(value) for point in POINTS for value in point] * 2
    for kind, weight, bias in (
        ("score", red, [-12.0, -20.0]),
        ("box", np.zeros((8, 3), np.float32), boxes),
        ("points", np.zeros((20, 3), np.float32), points),
    ):
        for stride in (8, 16, CELL):
            silent = kind == "score" and stride != CELL
            name = f"{kind}_{stride}"
            more_nodes, more_constants = _head(
                name, stride, weight * (not silent), bias, kind == "score"
            )
            nodes += more_nodes
            constants += more_constants
            names.append((name, len(bias) // 2))
    shape = [1, 3, size or "height", size or "width"]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, k]) for n, k in names]
    return _model(nodes, shape, outputs, constants)


def _recogniser(seed: int) -> onnx.ModelProto:
    """``(n, 3, 112, 112)`` to ``(n, 512)``: a seeded projection of the means of a 2 x 2 grid."""
    matrix = np.random.default_rng(seed).normal(size=(12, 512))
    nodes = [
        helper.make_node("AveragePool", ["x"], ["mean"], kernel_shape=[56, 56], strides=[56, 56]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
    ]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 512])]
    return _model(nodes, ["n", 3, 112, 112], outputs, [_constant("matrix", matrix)])


def _model(
    nodes: list[onnx.NodeProto],
    shape: list[int | str],
    outputs: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto],
) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model
