"""Checks the pages in a real browser, signed in to a real Airflow."""

import json
import re
from datetime import UTC, datetime

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.pages.person import PATIENCE_MS
from tests.pages.test_correcting import corrections
from tests.pages.written import drawn

NEW, OLD = "image-classifier-pets-1a2b3c4d-99887766", "image-classifier-pets-1a2b3c4d-55443322"
LOOKED_AT = [
    "../",
    "overview",
    "gallery",
    "gallery?status=rejected",
    "corrections",
    "sample",
    "models",
    f"model?job={NEW}",
    f"compare?one={NEW}&other={OLD}",
    f"test-images?job={OLD}&label=cat&right=no",
    "dataset",
    "upload",
]
pytestmark = pytest.mark.timeout(1200)  # the first test starts a local AWS and Airflow
expect.set_options(timeout=PATIENCE_MS)


def test_the_pages_stand_in_airflow_s_navigation_and_keep_their_address(sign_in):
    admin = sign_in("admin")
    admin.page.goto(f"{admin.airflow.url}/plugin/image-classifiers")
    frame = admin.page.frame_locator("iframe")
    frame.get_by_role("link", name="pets").click()
    frame.get_by_role("link", name="Gallery").click()
    expect(frame.get_by_role("heading", name="Predictions of pets")).to_be_visible()
    for loaded in admin.page.frames:
        loaded.wait_for_load_state("load")  # Chromium may restore an empty frame if it is reloaded before

    admin.page.reload()

    expect(admin.page.frame_locator("iframe").get_by_role("heading", name="Predictions of pets")).to_be_visible()


def test_a_page_that_fails_says_so_and_airflow_s_own_pages_stay(sign_in, local_aws):
    place = "plants/evaluations/image-classifier-plants-1a2b3c4d-99887766/0badcafe/"
    for name in ("report.json", "predictions.jsonl"):
        local_aws.client("s3").put_object(Bucket=local_aws.bucket, Key=place + name, Body=b"no JSON")
    admin = sign_in("admin")
    failing = "image-classifier/plants/test-images?job=image-classifier-plants-1a2b3c4d-99887766"
    admin.page.goto(f"{admin.airflow.url}/plugin/image-classifiers/{failing}")

    frame = admin.page.frame_locator("iframe")
    expect(frame.get_by_text("The page could not be made; the API server's log says why.")).to_be_visible()
    admin.page.get_by_role("link", name="Dags", exact=True).first.click()
    expect(admin.page.get_by_text("pets_train_and_deploy").first).to_be_visible()


@pytest.mark.parametrize("dag", ["pets_train_and_deploy", "image_classifier_watch"])
def test_a_run_starts_with_the_form_as_it_is(sign_in, dag):
    admin = sign_in("admin")

    assert_startable(open_form(admin, dag))


@pytest.mark.parametrize("dag", ["image_classifier_roll_back", "image_classifier_classify_existing"])
def test_a_run_starts_when_only_the_classifier_is_named(sign_in, dag):
    form = open_form(sign_in("admin"), dag)
    form.locator("input[name='element_classifier']").fill("pets")

    assert_startable(form)


def test_a_number_beyond_its_limits_is_refused_and_not_replaced(sign_in):
    form = open_form(sign_in("admin"), "pets_train_and_deploy")
    form.get_by_role("button", name="Training", exact=True).click()
    epochs = form.locator("input[name='element_epochs']")
    epochs.fill("0")
    epochs.blur()

    form.get_by_role("button", name="Trigger", exact=True).click()

    expect(form.get_by_text("0 is less than the minimum of 1")).to_be_visible()
    expect(epochs).to_have_value("0")


def open_form(person, dag):
    """Airflow's dialog with the params of a run."""
    person.page.goto(f"{person.airflow.url}/dags/{dag}")
    person.page.get_by_role("button", name="Trigger").first.click()
    return person.page.get_by_role("dialog").first


def assert_startable(form):
    expect(form.get_by_text("Advanced Options")).to_be_visible()
    expect(form.get_by_role("button", name="Trigger", exact=True)).to_be_enabled()


def test_without_a_login_the_pages_ask_for_one(chromium, airflow):
    context = chromium.new_context()
    page = context.new_page()

    assert page.goto(f"{airflow.url}/image-classifier/pets/gallery").status == 401
    expect(page.get_by_role("link", name="Sign in to Airflow")).to_be_visible()
    context.close()


def test_a_filter_stands_in_the_address(anna):
    anna.open("gallery")
    anna.page.locator("select[name=label]").select_option("dog")
    anna.page.get_by_role("button", name="Show").click()

    expect(anna.page).to_have_url(re.compile("label=dog"))
    expect(anna.page.locator(".tile").first).to_be_visible()  # the address changes before the page is there
    assert {label.inner_text() for label in anna.page.locator(".tile .label").all()} == {"dog"}


def test_a_rejected_image_without_a_picture_says_so_without_an_error(anna):
    anna.open("gallery?status=rejected")

    expect(anna.page.locator(".tile .none").first).to_have_text("no picture")
    assert anna.errors == []


def test_an_upload_shows_its_prediction_as_it_arrives(anna, pets):
    anna.open("upload")
    content = drawn("dog", 7777)
    anna.page.set_input_files("#files", {"name": "my dog.jpg", "mimeType": "image/jpeg", "buffer": content})
    expect(anna.status).to_have_text("1 of 1 uploaded")
    prefix = f"{pets.keys.incoming}anna/"
    [stored] = pets.s3.list_objects_v2(Bucket=pets.bucket, Prefix=prefix)["Contents"]
    pets.answer(stored["Key"], "dog", job=NEW)  # what the function would write

    expect(anna.page.locator("#uploads .label")).to_contain_text("dog, ")
    assert pets.s3.get_object(Bucket=pets.bucket, Key=stored["Key"])["Body"].read() == content


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(anna):
    anna.open("upload")
    sent = []
    anna.page.on("request", lambda request: sent.append(request.url))
    large = {"name": "scan.jpg", "mimeType": "image/jpeg", "buffer": bytes(21_300_000)}
    anna.page.set_input_files("#files", large)

    tile = anna.page.locator("#uploads .label")
    expect(tile).to_have_text("not uploaded: 21.3 MB, and this page takes at most 20 MB")
    expect(anna.status).to_have_text("0 of 1 uploaded")
    assert sent == []


def test_the_browser_asks_before_it_leaves_files_that_are_not_uploaded(anna):
    anna.open("upload")
    anna.page.route("**/uploads?*", lambda route: None)  # which is never answered
    anna.page.set_input_files("#files", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": drawn("dog", 1)})
    expect(anna.status).to_have_text("Uploading 1 of 1 ...")
    asked = []
    anna.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    anna.page.locator("h1").click()  # a browser asks for nobody who has not used the page
    anna.page.reload()

    assert asked == ["beforeunload"]


def test_a_deleted_image_is_gone_in_all_versions_and_the_audit_log_says_so(anna, airflow, pets):
    picture = drawn("cat", 8888)
    key = pets.prediction("to-delete.jpg", "cat", at=datetime.now(UTC), job=NEW, picture=picture, is_bad=False)
    anna.open(f"image?key={key}")
    anna.page.locator("[data-delete]").click()
    anna.page.get_by_role("button", name="Delete", exact=True).click()
    anna.page.wait_for_url("**/gallery")

    left = pets.s3.list_object_versions(Bucket=pets.bucket, Prefix="pets/")
    versions = [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in left.get(kind, [])]
    assert [found for found in versions if "to-delete.jpg" in found] == []
    lines = airflow.api("GET", "/api/v2/eventLogs?event=image_classifier_delete")["event_logs"]
    assert [(line["dag_id"], line["owner"], json.loads(line["extra"])) for line in lines] == [
        ("pets_train_and_deploy", "anna", {"key": key})
    ]


def test_a_button_goes_back_to_an_earlier_model_through_airflow(anna, airflow):
    anna.open("models")
    anna.page.get_by_role("button", name="Roll back to it").click()
    anna.page.get_by_label("Reason").fill("too many foxes")
    anna.page.get_by_role("button", name="Start the run").click()

    run = airflow.api("GET", f"/api/v2/dags/image_classifier_roll_back/dagRuns/{anna.started_run()}")
    assert run["conf"] == {"classifier": "pets", "version": OLD, "reason": "too many foxes"}
    assert run["triggering_user_name"] == "anna"


def test_a_button_starts_a_training_run_through_airflow(anna, airflow):
    anna.open("models")
    anna.page.get_by_role("button", name="Train").click()
    anna.page.get_by_role("button", name="Start the run").click()

    run = airflow.api("GET", f"/api/v2/dags/pets_train_and_deploy/dagRuns/{anna.started_run()}")
    assert run["triggering_user_name"] == "anna"


def test_a_viewer_may_look_and_change_nothing(sign_in, pets):
    vera = sign_in("vera")
    for address in ("gallery", "models", "upload", "sample", "corrections"):
        assert vera.open(address).status == 200
        assert vera.page.locator("main button:not([type=submit])").count() == 0
    before = corrections(pets)
    answer = vera.page.evaluate(
        """() => fetch("corrections", {method: "POST", headers: {"Content-Type": "application/json",
             "X-Image-Classifier": "1"}, body: "{}"}).then(answer => answer.status)"""
    )

    assert answer == 403
    assert corrections(pets) == before


@pytest.fixture
def looked_at(pets):
    """The addresses of all pages; the image of the last one has an earlier answer."""
    name = "camera-0/7766-cat-0003.jpg"
    record = f"{pets.keys.predictions}{name}.json"
    present = pets.s3.get_object(Bucket=pets.bucket, Key=record)["Body"].read()
    for body in (present.replace(NEW.encode(), OLD.encode()), present):
        pets.put(record, body)
    return [*LOOKED_AT, f"image?key={pets.keys.incoming}{name}"]


def test_the_page_of_an_image_shows_what_an_earlier_model_said(sign_in, looked_at):
    person = sign_in("vera")
    person.open(looked_at[-1])

    expect(person.page.locator(".earlier tbody tr").first).to_contain_text(OLD)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(sign_in, looked_at, theme):
    person = sign_in("anna", color_scheme=theme)
    offences = []
    for address in looked_at:
        person.open(address)
        for found in Axe().run(person.page)["violations"]:
            if found["impact"] in ("serious", "critical"):
                offences.append((address, found["id"], [node["html"][:160] for node in found["nodes"][:3]]))

    assert offences == []


LONG_NAMES = """for (const one of document.querySelectorAll(
    "[data-label-choice], select[name=label] option, .tile .label")) one.textContent = "a".repeat(60)"""


def test_classes_of_60_characters_widen_no_page(sign_in):
    person = sign_in("anna", viewport={"width": 390, "height": 844})
    for address in ("gallery", "sample"):
        person.open(address)
        person.page.evaluate(LONG_NAMES)
        assert person.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address


def test_the_panel_with_the_answers_covers_no_image_with_the_focus(sign_in):
    person = sign_in("anna", viewport={"width": 1280, "height": 800})
    person.open("gallery")
    person.page.evaluate(LONG_NAMES + "; document.querySelector('.answers .row').style.minHeight = '15rem'")
    person.page.locator(".tile").first.click()
    person.page.keyboard.press("End")
    for _ in range(6):
        person.page.keyboard.press("ArrowUp")
        assert person.page.evaluate(
            """document.activeElement.getBoundingClientRect().top
                 >= document.querySelector(".answers").getBoundingClientRect().bottom"""
        )


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window_or_breaks_its_own_policy(sign_in, looked_at, width):
    person = sign_in("anna", viewport={"width": width, "height": 900})
    for address in looked_at:
        assert person.open(address).status == 200, address
        assert person.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address

    assert person.errors == []
