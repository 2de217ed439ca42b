"""Compiles the function's modules for its zip: Lambda cannot keep bytecode, so each cold start would compile them."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from image_classifier.contracts.errors import FunctionError

TASK_ROOT = "/var/task"  # where Lambda unpacks the zip


def bytecode(files: Mapping[str, bytes], *, runtime: str) -> dict[str, bytes]:
    """Compile every module among ``files``, which are named as in the zip; return the ``.pyc`` files by their names.

    They are of the kind that Python takes without looking at the source (PEP 552), so that no date gets in. The result
    is empty if ``runtime`` is another release of Python than this one: bytecode is of one release only.

    Raises:
        FunctionError: a module has a syntax error.

    """
    if runtime != f"python{sys.version_info.major}.{sys.version_info.minor}":
        return {}
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        for name, content in files.items():
            if name.endswith(".py"):
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        _compile(root)
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.pyc")}


def _compile(root: Path) -> None:
    """Compile in a process of its own: what Python writes depends on what else the process has loaded."""
    command = [sys.executable, "-s", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(root), "-p", TASK_ROOT, str(root)]
    # Without variables that change what is compiled, and with one order of sets.
    result = subprocess.run(
        command,
        env={"PYTHONHASHSEED": "0"},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise FunctionError(f"The function's modules cannot be compiled: {(result.stdout + result.stderr).strip()}")
