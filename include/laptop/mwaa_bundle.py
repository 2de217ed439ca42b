"""Builds the bundle for Amazon MWAA: `python -m laptop.mwaa_bundle FOLDER` writes dags/, plugins.zip, requirements.txt.

MWAA unpacks plugins.zip into the plugins folder, which is on the import path
(https://docs.aws.amazon.com/mwaa/latest/userguide/configuring-dag-import-plugins.html); so plugins.zip contains the
packages of include/ beside the plugin's. The same sources give the same bytes.
"""

import re
import shutil
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLUGINS = ("plugins/image_classifier_airflow", "include/image_classifier", "include/classifiers", "lambda")
OF_MWAA = (
    "apache-airflow",
    "apache-airflow-providers-amazon",
)  # MWAA's image contains these; our pins would conflict with them
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can store
READABLE = 0o100644 << 16


def main(arguments: list[str]) -> int:
    """Write the bundle to the folder in `arguments`; return the process's exit code."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "mwaa"
    make_bundle(folder)
    print(f"{folder}: upload what is in it to the MWAA environment's bucket; see docs/where-airflow-runs.md")
    return 0


def make_bundle(folder: Path) -> None:
    """Replace `folder` with the bundle."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "dags").mkdir(parents=True)
    for file in sorted((ROOT / "dags").glob("*.py")):
        shutil.copyfile(file, folder / "dags" / file.name)
    _write_zip(folder / "plugins.zip")
    (folder / "requirements.txt").write_text("\n".join([*requirements(), ""]))


def requirements() -> list[str]:
    """Return the requirements besides MWAA's own packages, with the amazon provider's extra at MWAA's release."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    own = [one for one in dependencies if re.split(r"[\[=<>]", one)[0] not in OF_MWAA]
    return ["apache-airflow-providers-amazon[aiobotocore]", *own]


def _write_zip(file: Path) -> None:
    names = {".airflowignore": ROOT / "plugins/.airflowignore"}
    for folder in PLUGINS:
        parent = ROOT / folder if folder == "lambda" else (ROOT / folder).parent
        prefix = "lambda/" if folder == "lambda" else ""
        found = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        names |= {prefix + path.relative_to(parent).as_posix(): path for path in found}
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, date_time=ZIP_EPOCH)
            entry.external_attr, entry.create_system = READABLE, 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, names[name].read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
