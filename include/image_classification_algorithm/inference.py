"""Makes ONNX Runtime sessions for the endpoint and for the features of a training job."""

from typing import Any, TypeAlias

import onnxruntime  # type: ignore[import-untyped]

from image_classification_algorithm.cores import usable_cores

Session: TypeAlias = Any  # onnxruntime.InferenceSession, which has no types


def quick_session(graph: bytes) -> Session:
    """Return a session with the lowest latency: its threads spin between layers and stop between requests."""
    return _session(graph, allow_spinning="1")


def polite_session(graph: bytes) -> Session:
    """Return a session for many images; its threads do not spin, which would only slow other programs."""
    return _session(graph, allow_spinning="0")


def _session(graph: bytes, *, allow_spinning: str) -> Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", allow_spinning)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
