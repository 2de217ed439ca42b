"""Checks which ports are free."""

import socket

from local_aws.processes.ports import becomes_free


def test_a_port_is_free_once_nothing_listens_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not becomes_free(port, address="127.0.0.1", within_s=0)

    assert becomes_free(port, address="127.0.0.1", within_s=0)
