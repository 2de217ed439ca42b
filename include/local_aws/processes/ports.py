"""Checks whether a server can listen on a port."""

import socket
import time

_POLL_S = 0.1


def becomes_free(port: int, *, address: str, within_s: float) -> bool:
    """Wait up to ``within_s`` seconds, because a killed server needs a moment to end; return whether it is free."""
    deadline = time.monotonic() + within_s
    while not is_free(port, address=address):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def is_free(port: int, *, address: str) -> bool:
    """Return whether no program listens on this port of this address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
