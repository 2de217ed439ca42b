"""Checks in a real browser how people correct to one of many classes, and what becomes of many answers at once."""

import pytest
from playwright.sync_api import expect
from tests.pages.person import PATIENCE_MS, Person
from tests.pages.test_correcting import corrections
from tests.pages.written import Written
from tests.waiting import until

from image_classifier.contracts.labels import labels_document

pytestmark = pytest.mark.timeout(1200)  # the first test starts a local AWS and Airflow
expect.set_options(timeout=PATIENCE_MS)
JOB = "image-classifier-plants-1a2b3c4d-99887766"
GENERA = ("Acer", "Betula", "Quercus", "Salix", "Tilia", "Ulmus")
LONG = "Überwachungsfoto " + "ohne Pflanze " * 18
LABELS = (
    *(f"{genus} {kind}" for genus in GENERA for kind in ("alba", "pendula", "robur")),
    "Дуб черешчатый",
    LONG.strip(),
)


@pytest.fixture(scope="session")
def plants(local_aws):
    """A classifier with 20 classes and 300 predictions."""
    written = Written(local_aws.client("s3"), local_aws.bucket, "plants", labels=LABELS)
    written.put(written.keys.model_file(JOB), labels_document(LABELS))
    written.uploads(300, job=JOB)
    return written


@pytest.fixture
def labeller(chromium, airflow, plants):
    """A user who corrects plants."""
    context = chromium.new_context()
    yield Person(context, airflow, "anna", classifier="plants")
    context.close()


def choices(person):
    return [one.inner_text() for one in person.page.locator("#label-list li").all()]


def test_a_class_is_chosen_by_parts_of_its_name(labeller, plants):
    labeller.open("gallery?status=predicted&corrected=no")
    key = labeller.keys[0]
    labeller.page.locator(".tile").first.click()
    for typed, label in (("pend sal", "Salix pendula"), ("дуб", "Дуб черешчатый"), ("uberw", LONG.strip())):
        labeller.page.keyboard.press("/")
        labeller.page.keyboard.type(typed)
        assert choices(labeller)[0].startswith(label)
        labeller.page.keyboard.press("Enter")
        until(lambda label=label: label in {said["label"] for said in corrections(plants).values()})

    assert corrections(plants)[key]["label"] == "Salix pendula"
    assert labeller.errors == []


def test_the_list_begins_with_the_likeliest_classes_of_the_image(labeller, plants):
    labeller.open("gallery?status=predicted&corrected=no")
    tile = labeller.page.locator(".tile").first
    tile.click()
    key = labeller.keys[0]
    labeller.page.keyboard.press("/")
    likeliest = tile.evaluate("tile => JSON.parse(tile.dataset.likeliest)")
    assert len(likeliest) == 4
    assert choices(labeller)[:4] == [f"{label} likely" for label in likeliest]
    labeller.page.keyboard.press("ArrowDown")
    labeller.page.keyboard.press("Enter")

    until(lambda: key in corrections(plants))
    assert corrections(plants)[key]["label"] == likeliest[0]


def test_the_list_of_the_blind_sample_does_not_show_what_is_likely(labeller):
    labeller.open("sample")
    labeller.page.locator(".tile").first.click()
    labeller.page.keyboard.press("/")

    assert choices(labeller) == list(LABELS)


def test_a_class_that_was_chosen_has_a_button_and_a_key(labeller, plants):
    labeller.open("gallery?status=predicted&corrected=no")
    keys = labeller.keys[:3]
    labeller.page.locator(".tile").first.click()
    for typed in ("/tilia robur", "/ulmus alba"):
        labeller.page.keyboard.type(typed)
        labeller.page.keyboard.press("Enter")
    buttons = labeller.page.locator("[data-recent] button")
    expect(buttons).to_have_text(["Tilia robur 1", "Ulmus alba 2"])
    labeller.page.keyboard.press("1")
    expect(labeller.page.locator(".tile[data-answer]")).to_have_count(3)

    assert [corrections(plants)[key]["label"] for key in keys] == ["Tilia robur", "Ulmus alba", "Tilia robur"]
    labeller.open("sample")
    expect(buttons).to_have_text(["Tilia robur 1", "Ulmus alba 2"])


def test_a_name_that_no_class_has_is_proposed_after_a_question(labeller, plants):
    labeller.open("gallery?status=predicted&corrected=no")
    key = labeller.keys[0]
    labeller.page.locator(".tile").first.click()
    labeller.page.keyboard.type("/Fagus")
    labeller.page.keyboard.press("Enter")
    labeller.page.get_by_role("button", name="Yes").click()

    until(lambda: key in corrections(plants))
    assert (corrections(plants)[key]["answer"], corrections(plants)[key]["label"]) == ("proposed", "Fagus")


def test_more_answers_than_may_outlive_a_page_are_saved_by_the_next(labeller, plants):
    """A browser sends 64 KiB after a page was left."""
    labeller.open("gallery?status=predicted&corrected=no&order=most_sure")
    labeller.page.locator("[data-action=select-matching]").click()
    expect(labeller.page.locator("#selected")).to_contain_text("on other pages")
    count = int(labeller.page.locator("#selected").inner_text().split()[0])
    before = len(corrections(plants))
    labeller.page.route("**/corrections", lambda route: None, times=1)  # S3, or the line, is slow
    labeller.page.keyboard.type("/uberw")
    labeller.page.keyboard.press("Enter")
    labeller.open("overview")

    expect(labeller.status).to_contain_text(f"Saved: {count} answers of the page that you left")
    assert len(corrections(plants)) == before + count
