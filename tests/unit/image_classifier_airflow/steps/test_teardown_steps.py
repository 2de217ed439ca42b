from types import SimpleNamespace

import pytest

from image_classifier.contracts.errors import ClassifierFileError, ResourceBusyError
from image_classifier.teardown import delete as library
from image_classifier.teardown import inventory as inventories
from image_classifier.teardown.inventory import Inventory, Teardown
from image_classifier_airflow.retries import WHY_NOT_AGAIN
from image_classifier_airflow.steps import clients, teardown

PARAMS = {
    "classifier": "cats",
    "confirm": "cats",
    "keep_images": True,
    "keep_models": False,
    "keep_predictions": False,
    "even_while_active": False,
}
DELETING = [
    "delete_upload_trigger",
    "stop_training_jobs",
    "delete_function",
    "delete_endpoint",
    "delete_endpoint_configs",
    "delete_models",
    "delete_logs",
    "delete_objects",
]


# What the same task deletes or stops beside it.
BESIDE = {
    "stop_training_jobs": ["stop_transform_jobs", "stop_processing_jobs"],
    "delete_models": ["delete_model_packages"],
}


class Airflow:
    """What a task may ask Airflow about other Dags."""

    def __init__(self, *, active=0, paused=True):
        self.active, self.paused, self.asked = active, paused, []

    def get_dr_count(self, *, dag_id, states):
        self.asked.append((dag_id, tuple(states)))
        return self.active

    def get_dag(self, dag_id):
        return SimpleNamespace(dag_id=dag_id, is_paused=self.paused)


@pytest.fixture(autouse=True)
def connections(monkeypatch, bucket, tmp_path):
    """The connections that were used; classifier files are in tmp_path."""
    used = []
    monkeypatch.setenv("IMAGE_CLASSIFIER_CLASSIFIERS", str(tmp_path))
    monkeypatch.setattr(clients, "of_a_classifier", used.append)
    return used


@pytest.fixture
def done(monkeypatch):
    """What the library was asked to do, instead of doing it."""
    asked = []
    for name in [*DELETING, *(beside for listed in BESIDE.values() for beside in listed)]:
        monkeypatch.setattr(library, name, lambda _, request, name=name: asked.append((name, request)))
    return asked


@pytest.mark.parametrize("name", DELETING)
def test_each_task_asks_the_library_for_the_thing_of_its_name(done, name):
    getattr(teardown, name)(PARAMS)

    asked = Teardown("cats", "a-bucket", keep_images=True)
    assert done == [(one, asked) for one in (name, *BESIDE.get(name, []))]


@pytest.mark.parametrize("name", [*DELETING, "list_resources", "check_nothing_costs"])
def test_no_task_does_anything_before_the_name_was_typed_twice(done, connections, name):
    airflow = [Airflow()] if name not in DELETING else []

    with pytest.raises(ClassifierFileError, match="type one name twice"):
        getattr(teardown, name)({**PARAMS, "confirm": "dogs"}, *airflow)

    assert done == connections == []


def test_the_list_is_passed_on_as_counts_only(monkeypatch):
    monkeypatch.setattr(inventories, "inventory", lambda *_: Inventory(models=("a", "b")))

    assert teardown.list_resources(PARAMS, Airflow())["models"] == 2


@pytest.fixture
def listed(monkeypatch):
    """Record that the list of resources was made, instead of making it."""
    made = []
    monkeypatch.setattr(inventories, "inventory", lambda *_: made.append("list") or Inventory())
    return made


def test_nothing_is_deleted_under_a_run_that_would_build_it_again(listed):
    airflow = Airflow(active=1)

    with pytest.raises(ResourceBusyError, match=r"1 run\(s\) of the Dag cats_train_and_deploy are active"):
        teardown.list_resources(PARAMS, airflow)

    assert airflow.asked == [("cats_train_and_deploy", ("running", "queued"))]
    assert listed == []


def test_a_schedule_is_paused_first(listed, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\nschedule: '@daily'\n")

    with pytest.raises(ClassifierFileError, match=r"cats_train_and_deploy has a schedule.* Pause it") as caught:
        teardown.list_resources(PARAMS, Airflow(paused=False))
    assert listed == []
    assert type(caught.value) in WHY_NOT_AGAIN

    teardown.list_resources(PARAMS, Airflow(paused=True))
    assert listed == ["list"]


def test_a_classifier_without_a_schedule_needs_no_pause(listed, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\n")

    teardown.list_resources(PARAMS, Airflow(paused=False))

    assert listed == ["list"]


def test_a_person_may_insist(listed, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\nschedule: '@daily'\n")

    teardown.list_resources({**PARAMS, "even_while_active": True}, Airflow(active=1, paused=False))

    assert listed == ["list"]


def test_what_an_active_run_has_created_since_is_deleted_before_the_end(monkeypatch):
    done = []
    monkeypatch.setattr(library, "delete_all", lambda *_: done.append("delete"))
    monkeypatch.setattr(library, "check_nothing_costs", lambda *_: done.append("check"))

    with pytest.raises(ResourceBusyError, match="Mark them failed"):
        teardown.check_nothing_costs({**PARAMS, "even_while_active": True}, Airflow(active=1))
    assert done == []

    teardown.check_nothing_costs(PARAMS, Airflow())
    assert done == ["delete", "check"]


def test_at_the_end_a_run_that_may_build_again_is_reported(monkeypatch):
    for name in ("delete_all", "check_nothing_costs"):
        monkeypatch.setattr(library, name, lambda *_: None)
    teardown.check_nothing_costs(PARAMS, Airflow())

    with pytest.raises(ResourceBusyError, match="Mark them failed"):
        teardown.check_nothing_costs({**PARAMS, "even_while_active": True}, Airflow(active=1))


def test_the_classifiers_file_names_the_connection(done, connections, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: cats\naws_conn_id: aws_cats\n")

    teardown.delete_endpoint(PARAMS)

    assert connections == ["aws_cats"]


def test_without_a_file_it_is_the_default_connection(done, connections):
    teardown.delete_endpoint(PARAMS)

    assert connections == ["aws_default"]


def test_a_file_that_cannot_be_read_is_no_reason_to_guess_an_account(done, tmp_path):
    (tmp_path / "cats.yaml").write_text("source: [")

    with pytest.raises(ClassifierFileError, match="cannot be read"):
        teardown.delete_endpoint(PARAMS)

    assert done == []


@pytest.mark.parametrize("name", [*DELETING, "list_resources", "check_nothing_costs"])
def test_a_misspelt_param_deletes_nothing(done, connections, name):
    airflow = [Airflow()] if name not in DELETING else []

    with pytest.raises(ClassifierFileError, match=r"no param keep_image; there are .*keep_images"):
        getattr(teardown, name)({**PARAMS, "keep_image": True}, *airflow)

    assert done == connections == []
