"""Starts the services once for all scenarios, in their own state folder, and prints the table of results."""

import functools
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from PIL import Image
from rich.console import Console
from tests.chaos.airflow_runs import FINISHED, Airflow, Run
from tests.chaos.aws import Aws
from tests.chaos.classifiers import COMPARED_PER_CLASS, SOURCE_IN_S3, write_classifier, write_images
from tests.chaos.inbox import Inbox
from tests.chaos.report import Row, print_table
from tests.chaos.services import ChaosServices
from tests.chaos.trials import Trials
from tests.ports import free_port

from image_classifier.connect.concurrency import concurrency_of
from laptop.place import Place

ROWS = pytest.StashKey[list[Row]]()
CLASSIFIERS: dict[str, dict[str, Any]] = {
    "seed": {},
    "second": {},
    "quota": {"instance_types": ("ml.g4dn.xlarge", "ml.g5.xlarge")},
    "training": {},
    "creating": {},
    "between": {"source": "compared", "epochs": 10},
    "uploads": {},
    "modes": {"promotion": "canary_s: 600\n"},
    "returning": {"source": "compared", "epochs": 10, "training": "  start_from: champion\n"},
    "photos": {"source": "photos", "epochs": 12},
    "many-in-a-task": {"source": "many", "preparation": "preparation: {runner: task}\n"},
    "many-mapped": {"source": "many", "preparation": "preparation: {runner: mapped}\n"},
    "stored-in-a-task": {"source": SOURCE_IN_S3, "preparation": "preparation: {runner: task}\n"},
    "stored-on-instances": {"source": SOURCE_IN_S3, "preparation": "preparation: {runner: processing}\n"},
    "compared": {
        "source": "compared",
        "epochs": 10,
        "promotion": "promotion: {mode: approval, approval_time_limit_s: 100, floors: {accuracy: 0.3}}\n"
        "notify: {webhook_conn_id: inbox}\n",
    },
}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    state = tmp_path_factory.mktemp("laptop")
    return Place(state=state, aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())


@pytest.fixture(scope="session")
def inbox() -> Iterator[Inbox]:
    """What the classifier `compared` notifies."""
    with Inbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def services(place: Place, inbox: Inbox, request: pytest.FixtureRequest) -> Iterator[ChaosServices]:
    os.environ.update(dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"))
    os.environ["LOCAL_AWS_FUNCTION_PROCESSES"] = str(concurrency_of(1))  # many of them wait for an endpoint that fails
    write_images(place)
    write_images(place, "compared", per_class=COMPARED_PER_CLASS)
    for name in sorted(needed_by(request.session.items)):
        write_classifier(place, name, **CLASSIFIERS[name])
    services = ChaosServices(place)
    services.webhook_url = inbox.url
    try:
        services.start()
        yield services
    finally:
        services.stop()


@pytest.fixture(scope="session")
def aws(services: ChaosServices) -> Aws:
    state = services.place.aws_state
    ready, keys = (json.loads((state / name).read_text()) for name in ("ready.json", "keys.json"))
    return Aws(ready, key=keys["root"], calls_log=services.calls_log)


@pytest.fixture(scope="session")
def airflow(services: ChaosServices) -> Airflow:
    return Airflow(services.place)


def needed_by(items: Iterable[pytest.Item]) -> set[str]:
    """The classifiers that the modules of these tests name in CLASSIFIERS; all if one names none."""
    named = [getattr(item.getparent(pytest.Module).obj, "CLASSIFIERS", tuple(CLASSIFIERS)) for item in items]
    return {name for names in named for name in names}


def deployed(run: Run) -> Run:
    assert run.await_end(seconds=800) == "success", run.explain()
    return run


@pytest.fixture(scope="session")
def begun(airflow: Airflow) -> Run:
    """A run of the shipped Dag that has started."""
    return airflow.ordered_run("seed_train_and_deploy", "seed", conf={})


@pytest.fixture(scope="session")
def planned(begun: Run) -> dict[str, Any]:
    """CreateTrainingJob's request, as the shipped Dag plans it."""
    task = "prepare.plan_training"
    assert begun.await_task(task, FINISHED, seconds=600) == "success", begun.explain()
    return begun.api.result(begun.dag_id, begun.run_id, task)["config"]


@pytest.fixture(scope="session")
def seed(begun: Run) -> Run:
    """A run of the shipped Dag that has trained and deployed."""
    return deployed(begun)


@pytest.fixture(scope="session")
def first_run(airflow: Airflow) -> Callable[[str], Run]:
    """The run that has trained and deployed a classifier, by the classifier's name; it is made once for all tests."""

    @functools.cache
    def run(name: str) -> Run:
        return deployed(airflow.ordered_run(f"{name}_train_and_deploy", "first", conf={}))

    return run


@pytest.fixture(scope="session")
def picture(place: Place) -> bytes:
    """An image as the function sends it to the endpoint."""
    with Image.open(place.images / "shades/validation/dark/00.png") as shade:
        buffer = io.BytesIO()
        shade.resize((28, 28)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def fault_plan(services: ChaosServices) -> Callable[..., None]:
    """Replaces the fault plan of the local AWS; without arguments there are no faults."""

    def write(*plan: dict[str, Any]) -> None:
        part = services.fault_plan.with_suffix(".part")
        part.write_text(json.dumps(plan))
        part.replace(services.fault_plan)

    return write


@pytest.fixture
def faults(fault_plan: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """Writes the fault plan of one scenario."""
    yield fault_plan
    fault_plan()


@pytest.fixture
def trials(airflow: Airflow, aws: Aws, planned: dict[str, Any]) -> Iterator[Trials]:
    trials = Trials(airflow, aws, planned)
    yield trials
    trials.end_all()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give every scenario its row, also if its set-up fails."""
    item.row = Row(sentence_of(item.name))
    item.config.stash.setdefault(ROWS, []).append(item.row)


def sentence_of(test_name: str) -> str:
    """Return the test's name in words, with its parameter in brackets."""
    words = test_name.removeprefix("test_").replace("[", " (").replace("]", ")").replace("_", " ")
    return words[0].upper() + words[1:]


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The scenario's row in the table."""
    return request.node.row


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call" or (report.when == "setup" and report.failed):
        error = call.excinfo.exconly().splitlines()[0] if call.excinfo else ""
        item.row.end(passed=report.passed, error=error)
        result = f"\n  ours: {item.row.ours}\n  stock: {item.row.stock}\n  {item.row.seconds:.0f} s"
        item.config.get_terminal_writer().line(result)
    return report


def pytest_terminal_summary(config: pytest.Config) -> None:
    if rows := config.stash.get(ROWS, []):
        print_table(rows, Console(width=160))
