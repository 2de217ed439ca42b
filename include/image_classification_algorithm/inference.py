"""ONNX Runtime sessions, for the endpoint and for the features of a training job."""

from typing import Any, TypeAlias

import onnxruntime  # type: ignore[import-untyped]

from image_classification_algorithm.cores import usable_cores

Session: TypeAlias = Any  # onnxruntime.InferenceSession, which has no types


def session_for(graph: bytes) -> Session:
    """Run a graph on every core, one image or batch at a time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the cores from the other request, and from whatever else a laptop runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
