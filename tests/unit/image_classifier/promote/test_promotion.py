import json
from datetime import UTC, datetime

import pytest

from image_classifier.classifier.promotion import Promotion
from image_classifier.contracts.errors import EvaluationError
from image_classifier.evaluate.answers import Answer, write_answers
from image_classifier.evaluate.evaluation import Evaluation
from image_classifier.evaluate.report.assemble import Subject, make_report
from image_classifier.evaluate.report.model import DatasetVersion, Training
from image_classifier.evaluate.report.scored import ScoredImage, scored_table
from image_classifier.promote.promotion import decide_candidate, keep_decision, version_of

BUCKET = "pictures"
NEW, OLD = "image-classifier-pets-ffffffff-00000000", "image-classifier-pets-eeeeeeee-00000000"
TEST = range(200)


def line(number, split, *, group=None):
    return {
        "name": f"cat/{number}.png",
        "class": "cat",
        "sha256": f"{number:064x}",
        "split": split,
        "key": f"pets/dataset/{split}/cat/{number}.jpg",
        **({"group": f"{group:064x}"} if group is not None else {}),
    }


@pytest.fixture
def candidate(s3):
    """A model with a report: right on nine of ten test images."""
    evaluation = Evaluation("pets", BUCKET, NEW, "f" * 16, "0badcafe")
    store_version(s3, "f" * 16, [*(line(n, "test") for n in TEST), *(line(n, "train") for n in range(1000, 1100))])
    table = scored_table([ScoredImage(str(n), 0, [0.8, 0.2] if n % 10 else [0.2, 0.8]) for n in TEST], num_classes=2)
    subject = Subject(
        classifier="pets",
        labels=("cat", "dog"),
        training=Training(training_job=NEW),
        dataset=DatasetVersion(fingerprint="f" * 16, test_manifest="0badcafe", train=1, validation=1, test=200),
        unsure_below=0.5,
        wanted_accuracy=0.95,
        calibrate=False,
    )
    report = make_report(subject, test=table, validation=None)
    s3.put_object(Bucket=BUCKET, Key=evaluation.prefix + "report.json", Body=report.document())
    store_answers(s3, NEW, wrong_on=lambda n: n % 10 == 0)
    return evaluation


def store_version(s3, fingerprint, lines):
    body = "".join(json.dumps(one) + "\n" for one in lines)
    s3.put_object(Bucket=BUCKET, Key=f"pets/dataset/versions/{fingerprint}/manifest.jsonl", Body=body)


def store_answers(s3, job, *, wrong_on):
    answers = [Answer(f"k{n}", f"{n:064x}", "cat", "dog" if wrong_on(n) else "cat", (1.0, 0.0)) for n in TEST]
    write_answers(s3, answers, bucket=BUCKET, evaluation=f"pets/evaluations/{job}/0badcafe/")


def test_a_candidate_that_is_worse_on_the_same_images_is_refused(s3, candidate):
    store_version(s3, "e" * 16, [line(n, "test") for n in TEST])
    store_answers(s3, OLD, wrong_on=lambda n: False)

    decision = decide_candidate(s3, candidate, champion=OLD, rule=Promotion())

    assert (decision.verdict, decision.comparison.images, decision.excluded) == ("refuse", 200, 0)
    assert (decision.comparison.only_champion, decision.comparison.only_candidate) == (20, 0)


def test_images_that_the_champion_has_learned_from_are_not_compared(s3, candidate):
    store_version(s3, "e" * 16, [*(line(n, "train") for n in range(50)), line(7000, "validation", group=60)])
    store_answers(s3, OLD, wrong_on=lambda n: n % 10 == 0)

    decision = decide_candidate(s3, candidate, champion=OLD, rule=Promotion())

    assert (decision.comparison.images, decision.excluded) == (149, 51)


def test_with_a_champion_without_test_split_the_candidate_is_a_first_model(s3, candidate):
    store_version(s3, "e" * 16, [line(n, "train") for n in TEST])
    store_answers(s3, OLD, wrong_on=lambda n: False)

    decision = decide_candidate(s3, candidate, champion=OLD, rule=Promotion())

    assert (decision.verdict, decision.basis, decision.excluded) == ("promote", "first model", 200)


def test_a_champion_whose_data_set_is_unknown_is_not_compared_with(s3, candidate):
    store_answers(s3, "image-classifier-pets-dddddddd-0", wrong_on=lambda n: False)

    decision = decide_candidate(s3, candidate, champion="image-classifier-pets-dddddddd-0", rule=Promotion())

    assert (decision.basis, decision.excluded) == ("first model", 200)


def test_a_champion_without_answers_for_these_images_is_an_error(s3, candidate):
    with pytest.raises(EvaluationError, match="went live after they were scored"):
        decide_candidate(s3, candidate, champion=OLD, rule=Promotion())


def test_a_candidate_without_a_report_is_an_error(s3):
    with pytest.raises(EvaluationError, match=f"{NEW} has no report"):
        decide_candidate(s3, Evaluation("pets", BUCKET, NEW, "f", "0badcafe"), champion=None, rule=Promotion())


def test_a_decision_is_stored_once_under_the_time_of_its_run(s3, candidate):
    decision = decide_candidate(s3, candidate, champion=None, rule=Promotion())
    at = datetime(2026, 11, 28, 5, 30, tzinfo=UTC)

    keys = {keep_decision(s3, decision, bucket=BUCKET, at=at) for _ in range(2)}

    assert keys == {f"pets/promotions/20261128T053000Z-{NEW}.json"}
    [key] = keys
    assert json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())["verdict"] == "promote"


def test_the_version_of_a_job_is_found_by_its_name(s3, candidate):
    assert version_of(s3, NEW, classifier="pets", bucket=BUCKET) == f"pets/dataset/versions/{'f' * 16}/"
    assert version_of(s3, OLD, classifier="pets", bucket=BUCKET) is None


def test_the_version_of_a_tuned_training_job_is_that_of_its_report(s3, candidate):
    trial = "image-classifier-0123456789abcde-002-01234567"
    report = s3.get_object(Bucket=BUCKET, Key=candidate.prefix + "report.json")["Body"].read()
    assert version_of(s3, trial, classifier="pets", bucket=BUCKET) is None

    s3.put_object(Bucket=BUCKET, Key=f"pets/evaluations/{trial}/0badcafe/report.json", Body=report)
    s3.put_object(Bucket=BUCKET, Key=f"pets/evaluations/{trial}/validation-0badcafe/predictions.jsonl", Body=b"")

    assert version_of(s3, trial, classifier="pets", bucket=BUCKET) == f"pets/dataset/versions/{'f' * 16}/"
