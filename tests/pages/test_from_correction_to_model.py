"""A person uploads images, corrects them and retrains; the new model has learned from the corrected images.

All of Airflow runs here, with real training jobs in a local AWS. The tests build on each other, in the file's order.
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect
from tests.chaos.airflow_runs import Airflow, Run
from tests.chaos.aws import Aws
from tests.chaos.classifiers import PER_CLASS as TRAINED
from tests.chaos.classifiers import SIDE_PX, write_classifier, write_images
from tests.chaos.services import ChaosServices
from tests.pages.person import PATIENCE_MS, Person
from tests.ports import free_port

from image_classifier.aws.names import Keys, endpoint_name
from image_classifier.contracts.training import image_list
from image_classifier.prepare.manifest import read_manifest
from laptop.airflow_settings import USER, password
from laptop.place import Place

pytestmark = pytest.mark.timeout(2400)
expect.set_options(timeout=PATIENCE_MS)

NAME, DAG_ID = "shades", "shades_train_and_deploy"
KEYS = Keys(NAME)
ASK = "promote.ask"
PER_CLASS = {**TRAINED, "test": 12}
UPLOADS, CORRECTED = 24, 20
RUN_LIMIT_S = 1200


@dataclass(frozen=True)
class Laptop:
    """All of Airflow and a local AWS; `url` and `passwords` are for those who sign in."""

    airflow: Airflow
    aws: Aws
    url: str
    passwords: dict[str, str]

    def ended(self, dag_id: str, run_id: str) -> Run:
        """A run that has succeeded."""
        run = Run(self.airflow, dag_id, run_id)
        assert run.await_end(seconds=RUN_LIMIT_S) == "success", run.explain()
        return run

    def read(self, key: str) -> bytes:
        body: bytes = self.aws.s3.get_object(Bucket=self.aws.bucket, Key=key)["Body"].read()
        return body

    def serving(self) -> str:
        """The training job of the model that answers."""
        endpoint = self.aws.sagemaker.describe_endpoint(EndpointName=endpoint_name(NAME))
        return str(endpoint["ProductionVariants"][0]["VariantName"])


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    state = tmp_path_factory.mktemp("laptop")
    place = Place(state, aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())
    write_images(place, "greys", per_class=PER_CLASS)
    unjudged = "promotion: {mode: approval, alpha: 0.000001}\n"  # so few test images refuse no model, however it learns
    write_classifier(place, NAME, source="greys", epochs=3, promotion=unjudged)
    services = ChaosServices(place)
    try:
        services.start()
        ready, keys = (json.loads((place.aws_state / name).read_text()) for name in ("ready.json", "keys.json"))
        aws = Aws(ready, key=keys["root"], calls_log=services.calls_log)
        yield Laptop(Airflow(place), aws, place.airflow_url, {USER: password(place)})
    finally:
        services.stop()


@pytest.fixture(scope="module")
def first(laptop: Laptop) -> dict[str, Any]:
    """The first run's data set and training job."""
    run = laptop.airflow.ordered_run(DAG_ID, "first", conf={})
    run.await_question(ASK, seconds=RUN_LIMIT_S)
    laptop.airflow.answer(DAG_ID, "first", ASK, option="Approve")
    return made_by(laptop, "first")


def made_by(laptop: Laptop, run_id: str) -> dict[str, Any]:
    laptop.ended(DAG_ID, run_id)
    results = {"dataset": "prepare.prepare_dataset", "job": "train.train_model"}
    return {name: laptop.airflow.result(DAG_ID, run_id, task) for name, task in results.items()}


@pytest.fixture(scope="module")
def person(chromium: Any, laptop: Laptop) -> Iterator[Person]:
    context = chromium.new_context()
    yield Person(context, laptop, USER, classifier=NAME)
    context.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Images that the source does not have: noise around a middle grey."""
    folder, noise = tmp_path_factory.mktemp("pictures"), random.Random(11)
    for number in range(UPLOADS):
        pixels = bytes(110 + noise.randrange(-90, 91) for _ in range(SIDE_PX * SIDE_PX))
        Image.frombytes("L", (SIDE_PX, SIDE_PX), pixels).convert("RGB").save(folder / f"grey-{number:02}.png")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def corrected(laptop: Laptop, first: dict[str, Any], person: Person, pictures: list[Path]) -> dict[str, str]:
    """Uploads are corrected by keyboard, and the last answer is undone; returns the classes by the images' keys."""
    person.open("upload")
    person.page.set_input_files("#files", pictures)
    expect(person.status).to_have_text(f"{UPLOADS} of {UPLOADS} uploaded")
    expect(person.page.locator("#uploads .tile[data-state=predicted]")).to_have_count(UPLOADS)

    person.open(f"gallery?text=grey&model={first['job']['training_job']}")
    keys = person.keys
    person.page.locator(".tile").first.click()
    for number in range(CORRECTED):
        person.page.keyboard.press("12"[number % 2])
    expect(person.page.locator(".tile[data-answer]")).to_have_count(CORRECTED)
    expect(person.status).to_have_text("1 saved")
    person.page.keyboard.press("z")
    expect(person.status).to_have_text("1 undone")
    labels = json.loads(laptop.read(KEYS.model_file(first["job"]["training_job"])))["labels"]
    return {key: labels[number % 2] for number, key in enumerate(keys[: CORRECTED - 1])}


@pytest.fixture(scope="module")
def second(laptop: Laptop, corrected: dict[str, str], person: Person) -> dict[str, Any]:
    """A run that one button on the page of models starts, and another approves."""
    person.open("models")
    person.page.get_by_role("button", name="Train").click()
    person.page.get_by_role("button", name="Start the run").click()
    run_id = person.started_run()
    Run(laptop.airflow, DAG_ID, run_id).await_question(ASK, seconds=RUN_LIMIT_S)
    person.open("models")
    person.page.get_by_role("button", name="Approve").click()
    person.page.locator("#trigger").get_by_role("button", name="Approve").click()
    expect(person.page.locator("#triggered")).to_contain_text("Approve is your answer.")
    return made_by(laptop, run_id)


def test_the_corrected_images_are_in_the_next_version_of_the_data_set(laptop, first, corrected, second):
    fingerprint = second["dataset"]["fingerprint"]
    version, bucket = KEYS.version(fingerprint), laptop.aws.bucket
    lines = {line["name"]: line for line in read_manifest(laptop.aws.s3, bucket=bucket, version=version)}

    assert fingerprint != first["dataset"]["fingerprint"]
    found = {name: line["class"] for name, line in lines.items() if name.startswith("s3://")}
    assert found == {f"s3://{bucket}/{key}": label for key, label in corrected.items()}
    assert json.loads(laptop.read(f"{version}report.json"))["corrections"] == {USER: len(corrected)}


def test_the_new_model_was_trained_on_them(laptop, first, corrected, second):
    job = laptop.aws.sagemaker.describe_training_job(TrainingJobName=second["job"]["training_job"])
    channels = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in job["InputDataConfig"]}
    list_key = f"{channels['train_lst'].removeprefix(f's3://{laptop.aws.bucket}/')}train.lst"
    trained = {entry.path for entry in image_list.parse(laptop.read(list_key).decode())}
    version, bucket = KEYS.version(second["dataset"]["fingerprint"]), laptop.aws.bucket
    lines = read_manifest(laptop.aws.s3, bucket=bucket, version=version)
    copies = {line["key"].removeprefix(KEYS.split("train")) for line in lines if line["name"].startswith("s3://")}

    assert job["TrainingJobStatus"] == "Completed"
    assert second["job"]["training_job"] != first["job"]["training_job"]
    assert len(copies) == len(corrected)
    assert copies <= trained
    assert int(job["HyperParameters"]["num_training_samples"]) == len(trained)


def test_the_pages_show_the_new_model_and_the_version_it_learned_from(laptop, person, second):
    person.open(f"model?job={second['job']['training_job']}")
    person.page.get_by_role("link", name=second["dataset"]["fingerprint"][:16]).click()

    expect(person.page.get_by_text(f"Corrected uploads among them: {CORRECTED - 1} by {USER}.")).to_be_visible()


def test_the_button_goes_back_to_the_first_model(laptop, person, first, second):
    assert laptop.serving() == second["job"]["training_job"]
    laptop.airflow.await_dag("image_classifier_roll_back")
    watched = laptop.airflow.ordered_run("image_classifier_watch", "versions", conf={})
    watched.await_end(seconds=RUN_LIMIT_S)  # one task for each classifier
    person.open("models")
    person.page.get_by_role("button", name="Roll back to it").click()
    person.page.get_by_label("Reason").fill("the greys were a test")
    person.page.get_by_role("button", name="Start the run").click()
    laptop.ended("image_classifier_roll_back", person.started_run())

    assert laptop.serving() == first["job"]["training_job"]
    person.open("models")
    row = person.page.get_by_role("row", name=re.compile(first["job"]["training_job"]))
    expect(row.get_by_text("serves")).to_be_visible()
