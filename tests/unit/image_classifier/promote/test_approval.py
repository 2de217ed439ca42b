"""Checks the question to a person: about one comparison, open for a limited time, asked once."""

from datetime import UTC, datetime, timedelta

import pytest

from image_classifier.aws.names import Keys
from image_classifier.classifier.promotion import Promotion
from image_classifier.evaluate.proportions import proportion
from image_classifier.promote.approval import body, close_question, open_question, question_about, subject
from image_classifier.promote.compare import Pair, compare, compare_classes
from image_classifier.promote.decision import Decision

BUCKET = "pictures"
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
PAIRS = [Pair("cat" if n % 2 else "dog", n % 10 != 0, n % 10 != 1) for n in range(200)]


def decision(**changed):
    made = Decision(
        classifier="pets",
        candidate="new-job",
        champion="old-job",
        test_manifest="0badcafe" * 8,
        rule=Promotion(mode="approval", approval_time_limit_s=3600),
        basis="comparison",
        verdict="promote",
        summary="Model new-job may serve: test accuracy 90.0%.",
        reasons=("It is better.",),
        images=200,
        excluded=12,
        accuracy=proportion(180, 200),
        comparison=compare(PAIRS, alpha=0.05),
        classes=compare_classes(PAIRS, alpha=0.05, margin=0.02),
        missing_images=None,
    )
    return made.model_copy(update=changed)


def test_the_time_limit_of_the_file_begins_when_it_is_asked():
    assert question_about(decision(), now=NOW).until == NOW + timedelta(hours=1)
    assert Promotion(mode="approval").approval_time_limit_s == 3 * 24 * 3600


def test_it_names_candidate_champion_test_set_and_the_worse_classes():
    text = body(decision(), page="s3://pictures/report.html")

    for words in ("new-job", "old-job", "0badcafe", "200 images", "12 of them", "90.0%", "s3://pictures/report.html"):
        assert words in text
    assert "| dog | 100 | 100.0% | 80.0% |" in text
    assert "| cat |" not in text  # it is better
    assert "new-job" in subject(decision())


def test_a_first_model_has_none_before_it():
    assert "Serves now: none" in body(decision(champion=None, classes=()), page="")


def test_the_same_question_continues_where_it_was_open(s3):
    first = question_about(decision(), now=NOW)
    again = question_about(decision(), now=NOW + timedelta(minutes=50))

    assert open_question(s3, first, bucket=BUCKET) == (first, True)
    assert open_question(s3, again, bucket=BUCKET) == (first, False)


@pytest.mark.parametrize(
    "changed", [{"champion": "another"}, {"candidate": "another"}, {"test_manifest": "1" * 64}, {"champion": None}]
)
def test_a_question_about_another_comparison_is_new(s3, changed):
    open_question(s3, question_about(decision(), now=NOW), bucket=BUCKET)
    other = question_about(decision(**changed), now=NOW)

    assert open_question(s3, other, bucket=BUCKET) == (other, True)


def test_a_question_whose_time_is_over_is_asked_again(s3):
    open_question(s3, question_about(decision(), now=NOW), bucket=BUCKET)
    later = question_about(decision(), now=NOW + timedelta(hours=2))

    assert open_question(s3, later, bucket=BUCKET) == (later, True)


def test_a_question_that_another_release_wrote_is_asked_again(s3):
    asked = question_about(decision(), now=NOW)
    s3.put_object(Bucket=BUCKET, Key=Keys("pets").question, Body=b'{"classifier": "pets"}')

    assert open_question(s3, asked, bucket=BUCKET) == (asked, True)
    assert open_question(s3, asked, bucket=BUCKET) == (asked, False)


def test_a_closed_question_is_asked_again(s3):
    open_question(s3, question_about(decision(), now=NOW), bucket=BUCKET)
    for _ in range(2):
        close_question(s3, classifier="pets", bucket=BUCKET)
    again = question_about(decision(), now=NOW + timedelta(minutes=1))

    assert open_question(s3, again, bucket=BUCKET) == (again, True)
