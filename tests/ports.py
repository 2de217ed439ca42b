"""Finds ports for the servers that tests start."""

import socket


def free_port() -> int:
    """Return a port of 127.0.0.1 that no program used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
