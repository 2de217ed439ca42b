"""Makes ONNX Runtime sessions for the endpoint and for the features of a training job."""

from typing import Any, TypeAlias

import onnxruntime  # type: ignore[import-untyped]

from image_classifier.contracts.training.machine import usable_cores

Session: TypeAlias = Any  # onnxruntime.InferenceSession, which has no types


SMALL_PIXELS = 64 * 64  # up to this many of an image; a second thread does not speed such a network up


def serving_session(graph: bytes, *, pixels: int) -> Session:
    """Return the session of an endpoint whose images have so many pixels: `small_session` or `quick_session`."""
    return small_session(graph) if pixels <= SMALL_PIXELS else quick_session(graph)


def small_session(graph: bytes) -> Session:
    """Return a session of one thread: for 20 x 20 pixels it takes a quarter of the CPU time of threads that spin."""
    return _session(graph, threads=1, allow_spinning="0")


def quick_session(graph: bytes) -> Session:
    """Return a session with the lowest latency: its threads spin between layers and stop between requests."""
    return _session(graph, threads=usable_cores(), allow_spinning="1")


def polite_session(graph: bytes) -> Session:
    """Return a session for many images; its threads do not spin, which would only slow other programs."""
    return _session(graph, threads=usable_cores(), allow_spinning="0")


def _session(graph: bytes, *, threads: int, allow_spinning: str) -> Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", allow_spinning)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
