"""Finds the files of an object as MiniStack does, but without its search for symbolic links.

Nothing makes a symbolic link below the folder of a bucket.
"""

# ruff: noqa: PTH112, PTH113, PTH118, PTH120 - pathlib would take as long as the search does

import functools
import os

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
    plain = os.path.join(root, key)
    if s3._plain_path_key(key) and os.path.isfile(plain):
        return plain
    encoded = _encoded(root, key)
    if not s3._plain_path_key(key):
        return encoded
    if os.path.isfile(plain + ".meta.json"):
        return plain
    if os.path.isfile(encoded) or os.path.isfile(encoded + ".meta.json") or os.path.isdir(plain):
        return encoded
    return encoded if _is_below_a_file(plain, root=root) else plain


def other_path_of(base: str, key: str, path: str) -> str | None:
    """Return the other possible file of a key, of which a write removes an old copy."""
    root = _root(base)
    encoded = _encoded(root, key)
    if path != encoded:
        return encoded
    return os.path.join(root, key) if s3._plain_path_key(key) else None


def _encoded(root: str, key: str) -> str:
    return os.path.join(root, s3._ENCODED_KEYS_DIR, s3._encoded_key_name(key))


def _is_below_a_file(path: str, *, root: str) -> bool:
    """Whether a parent of `path` is a file, as that of the key "a/b" is if there is an object "a"."""
    parent = os.path.dirname(path)
    while parent != root and not os.path.isdir(parent):
        if os.path.isfile(parent):
            return True
        parent = os.path.dirname(parent)
    return False
