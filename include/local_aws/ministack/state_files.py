"""Writes MiniStack's state to disk, or says that it cannot: MiniStack logged the error and went on."""

import hashlib
import json
import logging
from collections.abc import Iterable
from pathlib import Path

from local_aws.errors import DamagedStateError
from local_aws.ministack.modules import persistence
from local_aws.processes.state_folder import write_atomically

log = logging.getLogger(__name__)

_written: dict[str, bytes] = {}  # the hash of what each file holds


def save(service: str, state: object) -> None:
    """Write the state of a service, unless its file holds it; it is on the disk when this returns.

    Raises:
        OSError: it cannot be written; the file has the earlier state.

    """
    document = {"__ministack_format__": persistence._state_format_version(service), "payload": state}
    text = json.dumps(document, default=persistence._json_default)
    digest = hashlib.sha256(text.encode()).digest()
    file = _file(service)
    if _written.get(service) == digest and file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text)
    _written[service] = digest


def save_at_the_end(service: str, state: object) -> None:
    """Write the state of a service while MiniStack ends; log why it cannot be written."""
    try:
        save(service, state)
    except (OSError, TypeError, ValueError) as error:
        log.error("The state of %s cannot be saved: %s", service, error)


def check(services: Iterable[str]) -> None:
    """Check that the saved states can be read: MiniStack would start without a damaged one, and write over it.

    Raises:
        DamagedStateError: one is damaged, as by a power cut or a faulty disk.

    """
    for service in services:
        try:
            json.loads(_file(service).read_text())
        except FileNotFoundError:
            continue
        except ValueError as error:
            raise DamagedStateError(
                f"The saved state of {service} in {_file(service)} is damaged ({error}). Restore the file from a "
                "backup, or delete the folder of the local AWS to start from an empty account."
            ) from error


def _file(service: str) -> Path:
    return Path(persistence.STATE_DIR) / f"{service}.json"
