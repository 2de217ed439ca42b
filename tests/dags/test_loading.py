import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_ALL_CLASSIFIERS = {
    "image_classifier_classify_existing",
    "image_classifier_roll_back",
    "image_classifier_teardown",
    "image_classifier_watch",
}

# Airflow is imported first: it may look up the machine's name. What follows is what the Dag processor does in a loop.
PARSE_WITHOUT_NETWORK = """
import socket
from airflow.dag_processing.dagbag import DagBag

def refuse(*arguments, **options):
    raise AssertionError(f"parsing opened a connection: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import botocore.session
botocore.session.Session.create_client = refuse
bag = DagBag()
print(sorted(bag.dags), bag.import_errors)
"""

PARSE_ONE_FILE = """
import sys
from airflow.dag_processing.dagbag import BundleDagBag
file = sys.argv[1]
bag = BundleDagBag(file, safe_mode=False, load_op_links=False, bundle_path=file.rpartition("/")[0])
assert bag.dags and not bag.import_errors, bag.import_errors
print(*sorted({".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("image_classifier.")}))
print(*sorted({"PIL", "boto3", "fastapi", "numpy", "sklearn"} & {name.split(".")[0] for name in sys.modules}))
"""
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))
# Their operators extend the Amazon provider's, whose import of boto3 takes most of the time of a parse.
WITH_THE_PROVIDERS_OPERATORS = {"train_and_deploy_dag", "classify_existing_dag", "roll_back_dag"}
TUNED_AND_APPROVED = "source: a\ntuning: {}\npromotion: {mode: approval}"
MAPPED, ON_INSTANCES = (f"source: s3://a/b/\npreparation: {{runner: {name}}}" for name in ("mapped", "processing"))
# Each task parses its Dag file; so a step imports what it needs in its function.
PARSED_WITH = {f"image_classifier.{name}" for name in ("aws", "classifier", "contracts", "shipped")}


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


# A task with one of these trigger rules fails if one of the tasks before it has failed.
PASSES_A_FAILURE_ON = {"all_success", "none_failed", "none_failed_min_one_success"}


def test_no_form_requires_a_text_that_is_empty_at_first(shipped):
    """Airflow's page disables the button that starts the run while a required text is empty."""
    fields = [dag.params.get_param(name) for dag in shipped.dags.values() for name in dag.params]
    empty = [field for field in fields if field.has_value and field.value == ""]

    assert len(fields) > 50
    assert [field.schema["title"] for field in empty if field.schema["type"] == "string"] == []


def test_the_repository_holds_exactly_these_dags(shipped):
    assert shipped.import_errors == {}
    assert set(shipped.dags) == {"digits_train_and_deploy"} | OF_ALL_CLASSIFIERS


def test_a_run_fails_if_any_of_its_tasks_has_failed(shipped):
    # The state of a run is that of its last tasks.
    for dag in shipped.dags.values():
        for task in dag.tasks:
            after = [one.trigger_rule for one in dag.get_task(task.task_id).downstream_list if not one.is_teardown]
            assert not after or PASSES_A_FAILURE_ON & set(after), f"{dag.dag_id}: {task.task_id}"


def test_every_classifier_file_of_every_folder_has_a_dag(parse, tmp_path):
    one, other = write(tmp_path / "one", cats="source: cats"), write(tmp_path / "other", dogs="source: dogs")

    parsed = parse(one, other)

    assert parsed.import_errors == {}
    assert set(parsed.dags) == {"cats_train_and_deploy", "dogs_train_and_deploy"} | OF_ALL_CLASSIFIERS


def test_a_broken_file_is_a_separate_import_error(parse, tmp_path):
    folder = write(tmp_path / "files", cats="source: cats", broken="source: x\nhyperparameters: {epochs: -1}")

    parsed = parse(folder)

    assert set(parsed.dags) == {"cats_train_and_deploy"} | OF_ALL_CLASSIFIERS
    assert list(parsed.import_errors) == [str(folder / "broken.yaml")]
    assert "hyperparameters.epochs is -1" in parsed.import_errors[str(folder / "broken.yaml")].splitlines()[-1]


def test_no_import_error_has_the_dag_files_own_path(parse, tmp_path):
    folder = write(
        tmp_path / "files",
        no_source="description: nothing",
        no_yaml="source: [",
        bad_schedule='source: x\nschedule: "61 * * * *"',
        unknown_field="source: x\nsorce: y",
        never_comes='source: x\nschedule: "0 0 31 2 *"',
    )

    errors = parse(folder).import_errors

    assert set(errors) == {str(file) for file in folder.glob("*.yaml")}


def test_a_leap_day_is_a_schedule(parse, tmp_path):
    assert parse(write(tmp_path / "files", cats='source: x\nschedule: "0 0 29 2 *"')).import_errors == {}


def test_a_name_that_a_folder_before_has_taken_is_an_import_error(parse, tmp_path):
    one, other = write(tmp_path / "one", cats="source: cats"), write(tmp_path / "other", cats="source: other")

    parsed = parse(one, other)

    assert "cats_train_and_deploy" in parsed.dags
    assert list(parsed.import_errors) == [str(other / "cats.yaml")]


def test_parsing_needs_no_network_no_aws_and_no_settings():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IMAGE_CLASSIFIER_")}

    done = subprocess.run(
        [sys.executable, "-c", PARSE_WITHOUT_NETWORK],
        env={**environment, "PYTHONPATH": str(ROOT / "include")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == f"{sorted({'digits_train_and_deploy', *OF_ALL_CLASSIFIERS})} {{}}"


@pytest.mark.parametrize("file", DAG_FILES, ids=lambda file: file.stem)
def test_a_dag_file_imports_no_task_groups_library(file, tmp_path):
    classifiers = write(tmp_path, plain="source: a", tuned=TUNED_AND_APPROVED, mapped=MAPPED, on_instances=ON_INSTANCES)

    done = subprocess.run(
        [sys.executable, "-c", PARSE_ONE_FILE, str(file)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "include"), str(ROOT / "plugins"))),
            "IMAGE_CLASSIFIER_CLASSIFIERS": str(classifiers),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    *_, libraries, others = done.stdout.split("\n")[:-1]
    assert set(libraries.split()) - PARSED_WITH == set()
    assert set(others.split()) == ({"boto3"} if file.stem in WITH_THE_PROVIDERS_OPERATORS else set())
