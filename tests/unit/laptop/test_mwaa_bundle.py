"""Checks the bundle in the layout of MWAA, outside the repository."""

import os
import subprocess
import sys
import zipfile

import pytest
from airflow._shared.module_loading.file_discovery import find_path_from_directory

from laptop import mwaa_bundle

IMPORTS = """
import sys
from pathlib import Path
home = Path(sys.argv[1])
sys.path.insert(0, str(home / "plugins"))
from image_classifier_airflow.plugin import ImageClassifierPlugin
from airflow.dag_processing.dagbag import DagBag
import image_classifier
from image_classifier.connect import function_package
bag = DagBag(str(home / "dags"))
assert not bag.import_errors, bag.import_errors
assert Path(image_classifier.__file__).is_relative_to(home)
assert (function_package.LAMBDA_FOLDER / "requirements.txt").is_relative_to(home)
assert (function_package.LAMBDA_FOLDER / "image_classifier_inference/handler.py").is_file()
[pages] = ImageClassifierPlugin().fastapi_apps
assert any(route.path == "/{classifier}/gallery" for route in pages["app"].routes), pages["app"].routes
print(ImageClassifierPlugin.name, *sorted(bag.dag_ids))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("airflow")
    mwaa_bundle.make_bundle(folder)
    with zipfile.ZipFile(folder / "plugins.zip") as archive:
        archive.extractall(folder / "plugins")
    return folder


def test_dags_plugin_and_pages_are_imported_from_the_bundle_alone(home):
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "AIRFLOW_HOME")}
    environment = {**kept, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    command = [sys.executable, "-c", IMPORTS, str(home)]

    ran = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.splitlines()[-1].split() == [
        "image_classifier",
        "digits_train_and_deploy",
        "image_classifier_classify_existing",
        "image_classifier_roll_back",
        "image_classifier_teardown",
        "image_classifier_watch",
    ]


def test_airflow_runs_only_the_entry_file_of_the_bundle_s_plugins(home):
    found = find_path_from_directory(str(home / "plugins"), ".airflowignore", "glob")

    assert [path.rsplit("/", 1)[-1] for path in found if path.endswith(".py")] == ["plugin.py"]


def test_the_same_sources_give_the_same_bytes(home, tmp_path):
    mwaa_bundle.make_bundle(tmp_path / "again")

    assert (tmp_path / "again/plugins.zip").read_bytes() == (home / "plugins.zip").read_bytes()


def test_the_requirements_leave_airflow_and_the_provider_to_mwaa(home):
    lines = (home / "requirements.txt").read_text().splitlines()

    assert lines[0] == "apache-airflow-providers-amazon[aiobotocore]"
    assert not [line for line in lines if line.startswith("apache-airflow==")]
    assert [line for line in lines if line.startswith("pillow==")]
