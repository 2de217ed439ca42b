"""Makes the pictures of README and docs/pages.md: `make demo`, then `make screenshots`.

The pages show the demonstration's digits with invented figures, in an Airflow of their own; the graph and the trigger
form are the demonstration's.
"""

import dataclasses
import functools
import io
import json
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.pages import airflow_server
from tests.pages.conftest import ARGUMENTS, CHROMIUM, running_local_aws, write_two_models
from tests.pages.person import PATIENCE_MS, Person, SignInAt
from tests.pages.written import SIDE, Written
from tests.ports import free_port

from laptop.airflow_api import AirflowApi
from laptop.airflow_settings import USER, password
from laptop.place import ROOT, Place

DOCS, README = ROOT / "docs/images", ROOT / "include/laptop/screenshots"
CLASSIFIER, DAG = "digits", "digits_train_and_deploy"
ANSWERED = 14  # images of the blind sample
PAGES = {  # file name: address, width and height
    "overview": ("overview", 1200, 900),
    "gallery": ("gallery?order=least_sure", 1200, 900),
    "sample": ("sample", 1200, 900),
    "models": ("models", 1200, 440),
    "model": ("model?job=image-classifier-digits-1a2b3c4d-99887766", 1200, 1500),
    "dataset": ("dataset", 1200, 900),
}
SETTLE_MS = 3_000  # Airflow's pages draw themselves after they have loaded


@dataclasses.dataclass(frozen=True)
class Demonstration:
    """The Airflow of `make demo`, as `Person` signs in there."""

    url: str
    passwords: dict[str, str]


def main() -> None:
    place = Place.from_env()
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        picture_the_run(browser, place)
        with tempfile.TemporaryDirectory() as folder, running_local_aws(Path(folder) / "aws") as aws:
            draw = functools.partial(digit, place)
            labels = tuple("0123456789")
            write_two_models(Written(aws.client("s3"), aws.bucket, CLASSIFIER, labels=labels, draw=draw))
            home, port = Path(folder) / "airflow", free_port()
            with airflow_server.running(home, aws.ready, port=port, classifiers=(CLASSIFIER,)) as airflow:
                picture_the_pages(browser, airflow)
        browser.close()


def digit(place: Place, label: str, number: int) -> bytes:
    """A JPEG of one of the demonstration's digits."""
    files = sorted((place.images / CLASSIFIER / "train" / label).iterdir())
    out = io.BytesIO()
    with Image.open(files[number % len(files)]) as image:
        image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


def picture_the_pages(browser: Browser, airflow: SignInAt) -> None:
    anna = Person(browser.new_context(), airflow, "anna", classifier=CLASSIFIER)
    answer_the_sample(anna)
    for name, (address, width, height) in PAGES.items():
        anna.page.set_viewport_size({"width": width, "height": height})
        anna.open(address)
        anna.page.wait_for_load_state("networkidle")
        take(anna.page, DOCS / f"{name}.png")


def answer_the_sample(anna: Person) -> None:
    """Answer the first images of the blind sample with the class in their names, as if a person had looked."""
    anna.open("sample")
    for key in anna.keys[:ANSWERED]:
        anna.page.locator(f".tile[data-key={json.dumps(key)}]").click()
        anna.page.keyboard.press(key.split("-")[-2])
    expect(anna.page.locator("[data-live-text]")).to_contain_text(f"of {ANSWERED} answers", timeout=PATIENCE_MS)


def picture_the_run(browser: Browser, place: Place) -> None:
    """Picture the graph of the newest run, with the training task's log, and the trigger form."""
    demonstration = Demonstration(place.airflow_url, {USER: password(place)})
    runs = AirflowApi(place).call("GET", f"/api/v2/dags/{DAG}/dagRuns?order_by=-start_date&limit=1")["dag_runs"]
    page = Person(browser.new_context(), demonstration, USER).page
    page.set_viewport_size({"width": 1700, "height": 900})
    page.goto(f"{demonstration.url}/dags/{DAG}/runs/{runs[0]['dag_run_id']}/tasks/train.train_model")
    page.get_by_role("button", name="Graph").click()
    page.wait_for_timeout(SETTLE_MS)
    take(page, README / "graph.png")
    page.set_viewport_size({"width": 920, "height": 1100})
    page.goto(f"{demonstration.url}/dags/{DAG}")
    page.get_by_role("button", name="Trigger").first.click()
    page.get_by_role("button", name="Training", exact=True).click()
    page.wait_for_timeout(SETTLE_MS)
    take(page, README / "form.png")


def take(page: Page, file: Path) -> None:
    """Write the visible part of the page as a PNG of at most 256 colours."""
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").quantize(256).save(file, optimize=True)
    print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
