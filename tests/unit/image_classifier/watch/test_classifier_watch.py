"""Checks that every check of a classifier runs and that each finding is new only once."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from image_classifier.contracts import predictions
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import ResourceBusyError, StorageError
from image_classifier.contracts.predictions import Image, Times
from image_classifier.watch import classifier_watch
from image_classifier.watch.restore import Difference
from image_classifier.watch.seen import read_seen
from image_classifier.watch.state import WatchState, read_state, write_state


def test_without_a_difference_nothing_is_open(watch):
    assert watch() == ({}, [])


def test_a_check_with_an_error_of_any_kind_is_a_finding_and_the_others_run(watch, s3, monkeypatch):
    monkeypatch.setattr(classifier_watch, "compact", lambda *_, **__: 1 / 0)
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")

    assert list(watch()[0]) == ["index of the records failed"]
    assert len(watch.events) == 1


def test_images_are_searched_before_the_index_takes_the_time(watch, s3, monkeypatch):
    order = []
    monkeypatch.setattr(
        classifier_watch, "compact", lambda *_, **__: order.append(len(watch.events)) or SimpleNamespace(entries=0)
    )
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")
    watch()

    assert order == [1]


def test_the_deployed_trigger_says_whether_uploads_wait_and_not_the_file(watch, s3):
    """A changed file takes effect in the next run of the classifier's Dag."""
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")
    watch.deployment.trigger_mode = "paused"
    watch(is_paused=False)
    assert watch.events == []

    watch.deployment.trigger_mode = "queue"
    watch(is_paused=True)
    assert len(watch.events) == 1


def test_without_a_function_images_wait_and_are_no_finding(watch, s3, monkeypatch):
    """A teardown may keep the images."""
    monkeypatch.setattr(classifier_watch, "read_deployment", lambda *_, **__: None)
    watch.functions.get_alias = absent
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")

    assert watch() == ({}, [])
    assert watch.events == []


def absent(**_):
    raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetAlias")


def test_without_a_function_records_are_indexed_and_nothing_is_replayed(watch, s3, monkeypatch):
    monkeypatch.setattr(classifier_watch, "read_deployment", lambda *_, **__: None)
    watch.functions.get_alias = absent
    watch.functions.invoke = absent
    upload_twice_with_a_record_of_the_first(s3)

    assert watch() == ({}, [])
    assert "Contents" not in s3.list_objects_v2(Bucket="pictures", Prefix="pets/predictions-log/")


def test_images_of_a_function_without_stored_deployment_are_replayed(watch, s3, monkeypatch):
    """A release that stored none has deployed it."""
    monkeypatch.setattr(classifier_watch, "read_deployment", lambda *_, **__: None)
    watch.functions.get_alias = lambda **_: {}
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")
    watch()

    assert len(watch.events) == 1


def test_a_check_that_fails_is_a_finding_and_the_others_run(watch, s3, monkeypatch):
    def refuse(*_):
        raise StorageError("S3 refuses.")

    monkeypatch.setattr(classifier_watch, "differences", refuse)
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")

    findings, _ = watch()

    assert list(findings) == ["compare with the deployment failed"]
    assert len(watch.events) == 1


def test_while_a_run_is_active_nothing_is_compared(watch):
    watch.differences.append(Difference("alias", "The alias differs."))

    assert watch(may_compare=False) == ({}, [])


def test_an_image_is_a_finding_only_after_a_second_replay(watch, s3):
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")

    assert watch(hours=1)[0] == {}
    assert list(watch(hours=2)[0]) == ["images without a record"]


def test_an_image_whose_replays_end_is_a_finding_of_that_run(watch, s3):
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")

    found = [watch(hours=10 * number)[0] for number in range(1, 6)]

    assert [findings.get("images given up") for findings in found] == [
        *[None] * 3,
        "1 image(s) got a record with status failed.",
        None,
    ]


def upload_twice_with_a_record_of_the_first(s3):
    for body in (b"first", b"second"):
        s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=body)
    image = Image("pictures", "pets/incoming/a.jpg", None, "the first's", bytes=5, sequencer=None)
    times = Times("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", endpoint_ms=None, total_ms=1.0)
    record = predictions.rejected(image, code="empty", sentence="The file is empty.", times=times).as_json()
    for key in ("predictions/a.jpg.json", "predictions-log/2026-01-01/00/0000.000-a.json"):
        s3.put_object(Bucket="pictures", Key=f"pets/{key}", Body=record)


def test_an_image_with_a_late_record_of_an_earlier_upload_is_replayed(watch, s3):
    upload_twice_with_a_record_of_the_first(s3)

    assert watch() == ({}, [])
    assert len(watch.events) == 1
    watch()
    assert len(watch.events) == 1


def answer(s3, *, right, of):
    """What people said in the blind sample about predictions of job-1."""
    for number in range(of):
        key, label = f"pets/incoming/{number}.jpg", "cat" if number < right else "dog"
        said = Correction(key, None, "0" * 64, "label", label, "cat", "job-1", "random", "jo", "2026-11-28T05:00:00Z")
        s3.put_object(Bucket="pictures", Key=f"pets/corrections/{number}.jpg.json", Body=said.as_json())


def test_a_blind_accuracy_below_the_floor_is_reported_once(watch, s3):
    answer(s3, right=20, of=40)

    findings, new = watch(floor=0.9)

    assert new == ["accuracy below its floor"]
    assert "job-1 is right on 20 of 40 images of the blind random sample: 50.0%" in findings[new[0]]
    assert watch(floor=0.9) == (findings, [])


def test_a_few_wrong_answers_show_nothing_and_without_a_floor_none_do(watch, s3):
    answer(s3, right=1, of=2)
    assert watch(floor=0.9) == ({}, [])

    answer(s3, right=0, of=40)
    assert watch() == ({}, [])


def test_another_model_begins_with_a_sample_of_its_own(watch, s3):
    answer(s3, right=0, of=40)
    watch(floor=0.9)
    watch.deployment.training_job = "job-2"

    assert watch(floor=0.9) == ({}, [])


@pytest.fixture
def read(s3, monkeypatch):
    """The keys of the corrections that are read."""
    keys, get_object = [], s3.get_object

    def remember(**request):
        keys.extend([request["Key"]] if request["Key"].startswith("pets/corrections/") else [])
        return get_object(**request)

    monkeypatch.setattr(s3, "get_object", remember)
    return keys


def test_only_a_changed_correction_is_read_again(watch, s3, read):
    answer(s3, right=0, of=40)
    findings, _ = watch(floor=0.9)
    assert len(read) == 40
    read.clear()

    assert watch(floor=0.9) == (findings, [])
    assert read == []

    answer(s3, right=1, of=1)
    assert "right on 1 of 40 images" in watch(floor=0.9)[0]["accuracy below its floor"]
    assert read == ["pets/corrections/0.jpg.json"]


def test_a_withdrawn_and_a_deleted_correction_count_no_more(watch, s3):
    answer(s3, right=0, of=42)
    watch(floor=0.9)
    s3.delete_object(Bucket="pictures", Key="pets/corrections/0.jpg.json")
    gone = Correction("pets/incoming/1.jpg", None, "0" * 64, "withdrawn", None, "cat", "job-1", "random", "jo", "2026")
    s3.put_object(Bucket="pictures", Key="pets/corrections/1.jpg.json", Body=gone.as_json())

    assert "right on 0 of 40 images" in watch(floor=0.9)[0]["accuracy below its floor"]


def test_two_runs_at_once_do_not_overwrite_each_others_state(s3):
    _, etag = read_state(s3, bucket="pictures", classifier="pets")
    write_state(s3, WatchState(), bucket="pictures", classifier="pets", etag=etag)

    with pytest.raises(ResourceBusyError):
        write_state(s3, WatchState(), bucket="pictures", classifier="pets", etag=etag)


def test_a_state_that_cannot_be_read_is_replaced(watch, s3):
    s3.put_object(Bucket="pictures", Key="pets/watch/state.json", Body=b"[")

    assert watch() == ({}, [])
    assert read_state(s3, bucket="pictures", classifier="pets")[0].last_pass is not None


def test_the_pages_get_what_was_seen(watch, s3):
    watch.differences.append(Difference("alias", "The alias differs."))
    s3.put_object(Bucket="pictures", Key="pets/incoming/a.jpg", Body=b"image")
    group = "image-classifier-pets"
    watch.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    watch.sagemaker.create_model_package(
        ModelPackageGroupName=group, ModelPackageDescription="job-1", ModelApprovalStatus="Approved"
    )

    watch()

    seen = read_seen(s3, bucket="pictures", classifier="pets")
    assert (seen.endpoint_status, seen.without_record) == (None, 1)
    assert seen.findings == {"alias": "The alias differs."}
    assert [(one.number, one.training_job, one.approval) for one in seen.versions] == [(1, "job-1", "Approved")]


def test_the_pages_get_the_endpoints_status(watch, s3):
    variant = {"VariantName": "job-1", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    watch.sagemaker.create_model(
        ModelName="m",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        PrimaryContainer={"Image": "image", "ModelDataUrl": "s3://pictures/model.tar.gz"},
    )
    watch.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    watch.sagemaker.create_endpoint(EndpointName="image-classifier-pets", EndpointConfigName="c")

    watch()

    seen = read_seen(s3, bucket="pictures", classifier="pets")
    assert seen.endpoint_status == "InService"


def test_before_the_first_run_nothing_was_seen(s3):
    assert read_seen(s3, bucket="pictures", classifier="pets") is None


def test_what_the_watch_dag_did_not_write_is_refused(s3):
    s3.put_object(Bucket="pictures", Key="pets/watch/seen.json", Body=b"[")

    with pytest.raises(StorageError, match="its next run"):
        read_seen(s3, bucket="pictures", classifier="pets")
