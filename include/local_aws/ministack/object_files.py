"""Finds and writes the files of an object as MiniStack does, with a third of its system calls.

Nothing makes a symbolic link below the folder of a bucket, so none is searched for.
"""

# ruff: noqa: PTH105, PTH107, PTH112, PTH113, PTH116, PTH118, PTH120 - pathlib would take as long as the search does

import functools
import os
import stat

from local_aws.ministack.modules import s3

_MOST_FOLDERS = 1024


@functools.lru_cache(_MOST_FOLDERS)
def _root(folder: str) -> str:
    """Return the folder of a bucket, or of an object's version, without symbolic links in the path of the state."""
    return os.path.realpath(folder)


def path_of(base: str, key: str) -> str:
    """Return the file of a key below `base`: its own path, or its encoded name if a file cannot have that path.

    No part of a plain key is "..", so its path is below `base`.
    """
    root = _root(base)
    if not s3._plain_path_key(key):
        return _encoded(root, key)
    plain = os.path.join(root, key)
    mode = _mode(plain)
    if stat.S_ISREG(mode) or os.path.isfile(plain + ".meta.json"):
        return plain
    if stat.S_ISDIR(mode) or _is_stored_encoded(root, key) or _is_below_a_file(plain, root=root):
        return _encoded(root, key)
    return plain


def other_path_of(base: str, key: str, path: str) -> str | None:
    """Return the other possible file of a key, of which a write removes an old copy; None if there can be no copy."""
    root = _root(base)
    if not path.startswith(os.path.join(root, s3._ENCODED_KEYS_DIR, "")):
        return _encoded(root, key) if _has_encoded_keys(root) else None
    return os.path.join(root, key) if s3._plain_path_key(key) else None


def write(path: str, data: bytes | str, *, text: bool = False) -> None:  # noqa: ARG001  MiniStack's signature
    """Write a file whole or not at all, as MiniStack does, but without the system calls of a file object.

    Raises:
        OSError: the file cannot be written; an earlier one of that name is unchanged.

    """
    os.replace(write_beside(path, data), path)


def write_beside(path: str, data: bytes | str) -> str:
    """Write the temporary file of `path`, which no key has as its path; return its path.

    Raises:
        OSError: it cannot be written; then there is none.

    """
    rest = memoryview(data.encode() if isinstance(data, str) else data)
    temporary = path + ".tmp"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError:
        os.remove(temporary)
        raise
    finally:
        os.close(file)
    return temporary


def _mode(path: str) -> int:
    """Return the type of a file as stat does; 0 if there is none."""
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return 0


def _has_encoded_keys(root: str) -> bool:
    return os.path.isdir(os.path.join(root, s3._ENCODED_KEYS_DIR))


def _is_stored_encoded(root: str, key: str) -> bool:
    if not _has_encoded_keys(root):
        return False
    encoded = _encoded(root, key)
    return os.path.isfile(encoded) or os.path.isfile(encoded + ".meta.json")


def _encoded(root: str, key: str) -> str:
    return os.path.join(root, s3._ENCODED_KEYS_DIR, s3._encoded_key_name(key))


def _is_below_a_file(path: str, *, root: str) -> bool:
    """Return whether a parent of `path` is a file, as that of the key "a/b" is if there is an object "a"."""
    parent = os.path.dirname(path)
    while parent != root and not os.path.isdir(parent):
        if os.path.isfile(parent):
            return True
        parent = os.path.dirname(parent)
    return False
