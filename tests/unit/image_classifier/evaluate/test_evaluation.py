import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError, PredictionError
from image_classifier.evaluate import evaluation as evaluations
from image_classifier.evaluate import images as scored_images
from image_classifier.evaluate.answers import read_answers
from image_classifier.evaluate.images import to_score
from image_classifier.evaluate.report.assemble import Subject
from image_classifier.evaluate.report.model import DatasetVersion, Training
from image_classifier.evaluate.results import has_enough_results, parse_answer, read_result, read_results

BUCKET = "pictures"
PETS = Classifier(name="pets", source="images")
LABELS = ("cat", "dog")
SPLITS = {"train": range(20), "validation": range(20, 30), "test": range(30, 60)}


def lines():
    for split, numbers in SPLITS.items():
        for number in numbers:
            label = LABELS[number % 2]
            yield {
                "name": f"{label}/{number}.png",
                "class": label,
                "sha256": f"{number:064x}",
                "width": 40,
                "height": 30,
                "split": split,
                "key": f"pets/dataset/{split}/{label}/{number:016x}.jpg",
            }
    yield {"name": "cat/copy.png", "class": "cat", "left_out": "duplicate", "same_as": "cat/0.png"}


@pytest.fixture
def evaluation(s3):
    """Of a version with 30 test images, of which the prepared ones are stored."""
    manifest = "".join(json.dumps(line) + "\n" for line in lines())
    s3.put_object(Bucket=BUCKET, Key="pets/dataset/versions/f00/manifest.jsonl", Body=manifest)
    picture = io.BytesIO()
    Image.new("RGB", (224, 224), (9, 99, 9)).save(picture, "JPEG")
    for line in lines():
        if line.get("split") == "test":
            s3.put_object(Bucket=BUCKET, Key=line["key"], Body=picture.getvalue())
    return evaluations.Evaluation("pets", BUCKET, "job-1", "f00", "0badcafe" * 8)


@pytest.fixture
def answer(s3, evaluation):
    """Stores a result for each image but those left out; the model is wrong on every fifth."""

    def store(*, without=(), ending=".out"):
        test, validation = to_score(evaluation.images(s3))
        for place, image in enumerate([*test, *validation]):
            if image.key not in without:
                right = 0.9 if place % 5 else 0.2
                values = [right, 1 - right] if image.label == "cat" else [1 - right, right]
                name = image.key.rpartition("/")[2]
                key = f"{evaluation.output}deep/{name}{ending}"
                s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps({"prediction": values}))
        return test, validation

    return store


def subject():
    return Subject(
        classifier="pets",
        labels=LABELS,
        training=Training(training_job="job-1"),
        dataset=DatasetVersion(fingerprint="f00", test_manifest="0badcafe" * 8, train=20, validation=10, test=30),
        unsure_below=0.5,
        wanted_accuracy=0.95,
        calibrate=False,
    )


def manifest_of(s3, request):
    key = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
    return json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def test_the_candidate_scores_test_and_validation_images_and_no_others(s3, evaluation):
    request = evaluations.request_for_candidate(s3, evaluation, classifier=PETS, model="m")

    root, *paths = manifest_of(s3, request)
    assert root == {"prefix": f"s3://{BUCKET}/pets/dataset/"}
    assert len(paths) == 40
    assert {path.partition("/")[0] for path in paths} == {"test", "validation"}
    assert request["TransformOutput"]["S3OutputPath"] == f"s3://{BUCKET}/pets/evaluations/job-1/0badcafe/output"


def test_the_champion_scores_exactly_the_test_images(s3, evaluation):
    request = evaluations.request_for_champion(s3, evaluation, classifier=PETS, model="m")

    assert {path.partition("/")[0] for path in manifest_of(s3, request)[1:]} == {"test"}


def test_what_was_scored_before_is_not_scored_again(s3, evaluation, answer):
    answer()
    evaluations.write_report(s3, evaluation, subject())

    assert evaluations.request_for_candidate(s3, evaluation, classifier=PETS, model="m") is None
    assert evaluations.request_for_champion(s3, evaluation, classifier=PETS, model="m") is None


def test_a_model_that_answered_as_champion_still_needs_a_report_of_its_own(s3, evaluation, answer):
    answer()
    evaluations.keep_answers(s3, evaluation, labels=LABELS)

    assert evaluations.request_for_candidate(s3, evaluation, classifier=PETS, model="m") is not None


def test_stored_answers_of_the_champion_stay(s3, evaluation, answer):
    answer()
    evaluations.keep_answers(s3, evaluation, labels=LABELS)
    for image in evaluation.images(s3):
        s3.delete_object(Bucket=BUCKET, Key=f"{evaluation.output}deep/{image.key.rpartition('/')[2]}.out")

    evaluations.keep_answers(s3, evaluation, labels=LABELS)

    assert len(read_answers(s3, bucket=BUCKET, evaluation=evaluation.prefix)) == 30


def test_of_many_validation_images_always_the_same_are_scored(s3, evaluation, monkeypatch):
    images = evaluation.images(s3)
    monkeypatch.setattr(scored_images, "MOST_VALIDATION", 3)

    found = [to_score(order)[1] for order in (images, images[::-1])]

    assert [[image.sha256[-2:] for image in one] for one in found] == [["14", "15", "16"]] * 2


@pytest.fixture
def current(s3, evaluation, answer):
    """Whether a report whose unsure part has these values is current for a classifier with these settings."""
    answer()
    made = evaluations.write_report(s3, evaluation, subject())

    def ask(found, *, tuning=None, **settings):
        document = json.loads(made.document())
        document["unsure"] |= found
        for name in ("auto", "auto_calibrated"):
            if document["unsure"][name] is None:  # an earlier release did not write it
                del document["unsure"][name]
        classifier = PETS.revised({"calibrate": False, "unsure_below": 0.5, **settings})
        return evaluations.is_current(type(made).model_validate(document), classifier=classifier, tuning=tuning)

    return ask


def test_a_report_with_the_present_settings_is_current(current):
    autos = {"auto": 0.3, "auto_calibrated": 0.6}

    assert current({"present": 0.5})
    assert not current({"present": 0.4})
    assert current({**autos, "present": 0.3}, unsure_below="auto")
    assert current({**autos, "present": 0.6, "calibrate": True}, unsure_below="auto", calibrate=True)
    assert not current({**autos, "present": 0.3, "calibrate": True}, unsure_below="auto", calibrate=True)


def test_a_report_of_another_search_or_an_earlier_release_is_not_current(current):
    before = {"auto": None, "auto_calibrated": None}

    assert not current({"present": 0.5}, tuning="another search")
    assert not any(current({**before, "present": present}, unsure_below="auto") for present in (0.0, 0.5))
    assert current({**before, "present": 0.5})


def test_a_version_without_a_manifest_is_refused_by_its_key(s3):
    evaluation = evaluations.Evaluation("pets", BUCKET, "job-1", "gone", "0badcafe")

    with pytest.raises(DatasetError, match=r"versions/gone/manifest\.jsonl is absent"):
        evaluations.request_for_candidate(s3, evaluation, classifier=PETS, model="m")


def test_a_report_is_made_of_the_answers_and_stored_with_them(s3, evaluation, answer):
    answer()

    report = evaluations.write_report(s3, evaluation, subject())

    assert (report.accuracy.right, report.accuracy.of) == (24, 30)
    assert evaluations.stored_report(s3, evaluation) == report
    page = s3.get_object(Bucket=BUCKET, Key=evaluation.prefix + "report.html")
    assert page["ContentType"].startswith("text/html")
    assert b"data:image/jpeg;base64," in page["Body"].read()
    answers = read_answers(s3, bucket=BUCKET, evaluation=evaluation.prefix)
    assert sum(one.is_right for one in answers) == 24
    assert {one.label for one in answers} == set(LABELS)


def test_mistakes_with_names_that_are_not_unicode_are_reported(s3, evaluation, answer):
    answer()
    manifest = "".join(json.dumps({**line, "name": f"caf\udce9/{line['name']}"}) + "\n" for line in lines())
    s3.put_object(Bucket=BUCKET, Key="pets/dataset/versions/f00/manifest.jsonl", Body=manifest)

    evaluations.write_report(s3, evaluation, subject())

    report = evaluations.stored_report(s3, evaluation)
    assert {one.name.partition("/")[0] for one in report.mistakes} == {r"caf\udce9"}


def test_an_image_without_an_answer_is_named_and_in_no_figure(s3, evaluation, answer):
    lost = "pets/dataset/test/cat/000000000000001e.jpg"
    answer(without={lost})

    report = evaluations.write_report(s3, evaluation, subject())

    assert (report.missing, report.images) == ((lost,), 29)


def test_without_any_answer_there_is_no_report(s3, evaluation):
    with pytest.raises(PredictionError, match="No test image of job-1 has an answer"):
        evaluations.write_report(s3, evaluation, subject())
    assert evaluations.stored_report(s3, evaluation) is None


def test_the_champions_answers_are_kept_in_the_order_of_its_own_labels(s3, evaluation, answer):
    answer()

    evaluations.keep_answers(s3, evaluation, labels=("cat", "dog", "emu"))

    answers = read_answers(s3, bucket=BUCKET, evaluation=evaluation.prefix)
    assert len(answers) == 30
    assert sum(one.is_right for one in answers) == 24


def test_a_model_without_a_class_of_its_data_set_is_not_judged(s3, evaluation, answer):
    answer()

    with pytest.raises(PredictionError, match="does not know the classes 'dog' of its own data set"):
        evaluations.write_report(s3, evaluation, replace(subject(), labels=("cat", "emu")))


@pytest.mark.parametrize("body", [b'{"prediction": [0.25, 0.75]}', b"[0.25, 0.75]", b'{"prediction": [0.25, 0.75]}\n'])
def test_an_answer_is_a_list_or_a_json_line(body):
    assert parse_answer(body) == (0.25, 0.75)


@pytest.mark.parametrize("body", [b"", b"no", b'{"predictions": []}', b'["a"]', b"7"])
def test_an_answer_of_another_form_is_refused_by_its_key(s3, body):
    s3.put_object(Bucket=BUCKET, Key="out/a.jpg.out", Body=body)

    with pytest.raises(PredictionError, match=r"out/a\.jpg\.out cannot be read"):
        read_results(s3, bucket=BUCKET, prefix="out/", keys=["x/a.jpg"])


def test_an_answer_that_is_deleted_while_answers_are_read_is_named(s3):
    with pytest.raises(PredictionError, match="out cannot be read: it was deleted in the meantime"):
        read_result(s3, bucket=BUCKET, key="out/a.jpg.out")


@pytest.mark.parametrize(("scored", "enough"), [(40, True), (36, True), (35, False), (0, False)])
def test_a_failed_job_is_used_if_nearly_all_images_have_a_result(s3, evaluation, scored, enough):
    job = evaluations.request_for_candidate(s3, evaluation, classifier=PETS, model="m")
    for path in manifest_of(s3, job)[1:][:scored]:
        s3.put_object(Bucket=BUCKET, Key=f"{evaluation.output}{path}.out", Body=b"[1, 0]")

    assert has_enough_results(s3, job) is enough


def test_without_its_manifest_a_failed_job_is_not_used(s3, evaluation):
    job = evaluations.request_for_candidate(s3, evaluation, classifier=PETS, model="m")
    s3.delete_object(Bucket=BUCKET, Key=f"{evaluation.prefix}input.manifest")

    assert not has_enough_results(s3, job)
