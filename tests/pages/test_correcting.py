"""Checks in a real browser how people correct predictions, by keyboard and mouse, in the gallery and in the sample."""

import json
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from tests.pages.person import PATIENCE_MS
from tests.pages.written import drawn
from tests.waiting import until

pytestmark = pytest.mark.timeout(1200)  # the first test starts a local AWS and Airflow
expect.set_options(timeout=PATIENCE_MS)
NEW = "image-classifier-pets-1a2b3c4d-99887766"


def corrections(pets):
    found = pets.s3.list_objects_v2(Bucket=pets.bucket, Prefix=pets.keys.corrections).get("Contents", [])
    bodies = (pets.s3.get_object(Bucket=pets.bucket, Key=one["Key"])["Body"].read() for one in found)
    return {said["key"]: said for said in map(json.loads, bodies) if said["answer"] != "withdrawn"}


def test_twenty_images_are_corrected_by_keyboard_and_the_last_is_undone(anna, pets):
    anna.open("gallery?label=cat")
    wanted = anna.keys[:20]
    anna.page.locator(".tile").first.click()
    for _ in range(20):
        anna.page.keyboard.press("2")  # without waiting: an answer is saved while the next is typed
    expect(anna.page.locator(".tile[data-answer]")).to_have_count(20)
    expect(anna.status).to_have_text("1 saved")

    said = corrections(pets)
    assert [said[key]["label"] for key in wanted] == ["dog"] * 20
    assert {said[key]["by"] for key in wanted} == {"anna"}
    anna.page.keyboard.press("z")

    expect(anna.status).to_have_text("1 undone")
    assert wanted[19] not in corrections(pets)


def test_answers_typed_right_before_leaving_the_page_are_saved(anna, pets):
    anna.open("gallery?label=fox&corrected=no&order=most_sure")
    wanted = set(anna.keys[:10])
    anna.page.locator(".tile").first.click()
    for _ in wanted:
        anna.page.keyboard.press("1")
    anna.open("models")

    until(lambda: wanted <= corrections(pets).keys())
    assert {corrections(pets)[key]["label"] for key in wanted} == {"cat"}


def test_an_answer_without_a_selected_image_says_so(anna):
    anna.open("gallery")
    for answer in (lambda: anna.page.keyboard.press("1"), anna.page.locator("[data-label-choice=cat]").click):
        anna.page.evaluate("document.getElementById('status').textContent = ''")
        answer()
        expect(anna.status).to_have_text("No image is selected: click on one first.")


def test_all_that_match_are_corrected_at_once_and_undone_at_once(anna, pets):
    before = corrections(pets)
    anna.open("gallery?label=fox&corrected=no")
    matching = int(re.search(r"^(\d+) of", anna.page.locator(".found").inner_text())[1])
    if matching > 60:
        anna.page.locator("[data-action=select-matching]").click()
    else:
        anna.page.locator("[data-action=select-page]").click()
    expect(anna.page.locator("#selected")).to_contain_text(f"{matching} selected")
    anna.page.locator("[data-label-choice=cat]").click()
    expect(anna.status).to_contain_text(f"{matching} saved")
    assert len(corrections(pets)) == len(before) + matching

    anna.page.locator("[data-action=undo]").click()

    expect(anna.status).to_contain_text(f"{matching} undone")
    assert corrections(pets).keys() == before.keys()


def test_of_two_people_the_second_sees_what_the_first_said(anna, sign_in, pets):
    ben = sign_in("ben")
    for person in (anna, ben):
        person.open("gallery?corrected=no&status=predicted")
        person.page.locator(".tile").first.click()
    key = anna.keys[0]
    anna.page.keyboard.press("1")
    expect(anna.status).to_have_text("1 saved")

    ben.page.keyboard.press("3")

    expect(ben.status).to_contain_text("anna has answered cat")
    expect(ben.page.locator(".tile").first.locator(".answer")).to_have_text(re.compile("anna said: "))
    assert corrections(pets)[key]["label"] == "cat"
    ben.page.keyboard.press("3")
    expect(ben.status).to_have_text("1 saved")
    assert corrections(pets)[key]["by"] == "ben"


def test_the_blind_sample_counts_answers_and_hides_predictions(anna):
    anna.open("sample")
    assert anna.page.locator(".tile .label").count() == 0
    anna.page.locator(".tile").first.click()

    for key in ("1", "2"):
        anna.page.keyboard.press(key)
        expect(anna.status).to_contain_text("1 saved")

    expect(anna.page.locator("[data-live-text]")).to_contain_text("of 2 answers agree with the model")


def test_the_blind_sample_is_blind_for_who_may_only_look(sign_in):
    vera = sign_in("vera")
    vera.open("sample")
    tile = vera.page.locator(".tile").nth(1)
    for enlarge in (tile.dblclick, lambda: tile.press(" ")):
        enlarge()
        expect(vera.page.locator("dialog.enlarged img")).to_be_visible()
        vera.page.keyboard.press("Escape")
        expect(vera.page.locator("dialog.enlarged")).to_have_count(0)

    expect(vera.page).to_have_url(re.compile("/sample$"))


def test_an_image_that_is_gone_has_its_page_without_an_error(anna, pets):
    key = pets.prediction("gone.jpg", "cat", at=datetime.now(UTC), job=NEW, picture=drawn("cat", 9999), is_bad=True)
    pets.s3.delete_object(Bucket=pets.bucket, Key=key)
    anna.open(f"image?key={key}")

    expect(anna.page.locator(".tile .none")).to_have_text("no picture")
    expect(anna.page.get_by_text("no longer in the bucket")).to_be_visible()
    assert anna.errors == []


def test_the_blind_sample_hides_names_and_the_gallery_s_answers(anna, pets):
    anna.open("sample")
    key, label = anna.keys[2], {"1": "cat", "2": "dog"}
    anna.open(f"image?key={key}")
    anna.page.locator(".tile").click()
    anna.page.keyboard.press("1")
    expect(anna.status).to_have_text("1 saved")

    anna.open("sample")
    tile = anna.page.locator(".tile").nth(2)
    expect(tile).to_have_text("Image 3")
    tile.dblclick()
    expect(anna.page.locator("dialog.enlarged img")).to_be_visible()
    anna.page.keyboard.press("Escape")
    anna.page.keyboard.press("2")
    expect(anna.status).to_contain_text("1 saved")
    answer = corrections(pets)[key]
    assert (answer["label"], answer["reason"]) == (label["2"], "random")
    anna.page.keyboard.press("z")

    expect(anna.status).to_have_text("1 undone")
    expect(tile).to_have_text("Image 3")
    answer = corrections(pets)[key]
    assert (answer["label"], answer["reason"]) == (label["1"], "search")
