"""Checks the wheel, which is built, installed into its own environment and used outside the repository."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHECK = """
import sys
from importlib.metadata import entry_points
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
import image_classifier
from image_classifier.account.stack import TEMPLATE
from image_classifier.connect.function_package import LAMBDA_FOLDER
home = Path(sys.prefix)
for path in (Path(image_classifier.__file__), TEMPLATE, LAMBDA_FOLDER / "image_classifier_inference/handler.py"):
    assert path.is_relative_to(home) and path.is_file(), path
[plugin] = entry_points(group="airflow.plugins", name="image_classifier")
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
[pages] = plugin.load()().fastapi_apps
assert any(route.path == "/{classifier}/gallery" for route in pages["app"].routes), pages["app"].routes
print(plugin.load().name, *sorted(bag.dag_ids))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment that has the wheel, and its dependencies from the environment of these tests."""
    home = tmp_path_factory.mktemp("wheel")
    run(home, sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home / "dist"), cwd=ROOT)
    venv.create(home / "venv", with_pip=False, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home / "venv")}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    [wheel] = (home / "dist").glob("*.whl")
    python = home / "venv/bin/python"
    run(home, python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", wheel)
    return home


def run(home, *command, cwd=None):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "IMAGE_CLASSIFIER"))}
    env = {**kept, "AIRFLOW_HOME": str(home), "IMAGE_CLASSIFIER_CLASSIFIERS": str(home / "project/classifiers")}
    ran = subprocess.run(command, cwd=cwd or home, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout


def test_a_new_project_gets_dags_a_classifier_plugin_and_pages(installed):
    written = run(installed, installed / "venv/bin/image-classifier", "init", "project", "--source", "s3://b/cats/")
    assert written.count("written ") == 6
    assert "s3://b/cats/" in (installed / "project/classifiers/photographs.yaml").read_text()

    found = run(installed, installed / "venv/bin/python", "-c", CHECK, installed / "project/dags")

    assert found.splitlines()[-1].split() == [
        "image_classifier",
        "image_classifier_classify_existing",
        "image_classifier_roll_back",
        "image_classifier_teardown",
        "image_classifier_watch",
        "photographs_train_and_deploy",
    ]
    again = run(installed, installed / "venv/bin/image-classifier", "init", "project", "--source", "s3://b/dogs/")
    assert (again.count("kept "), again.count("written ")) == (6, 0)
