"""Checks that an S3 event results in prediction records."""

import io
import json

import pytest
from botocore.exceptions import ClientError
from PIL import Image

from image_classifier.contracts.errors import EndpointError, PredictionError
from image_classifier.contracts.predictions import Prediction
from image_classifier_inference.endpoint import READ_TIMEOUT_S, RESERVE_S
from image_classifier_inference.events import handle

BUCKET = "pictures"


class Short:
    """Lambda's context when there is no time for a second attempt."""

    def get_remaining_time_in_millis(self):
        return 1000


def size(image):
    return Image.open(io.BytesIO(image)).size


def keys(s3, prefix="pets/predictions/"):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


@pytest.mark.parametrize("name", ["put", "copy", "multipart"])
def test_every_way_to_create_an_object_gets_a_prediction(event, name, upload, inference, runtime, stored, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event(name)), context, inference=inference)

    record = stored("cat.jpg")
    assert (record["status"], record["label"], record["confidence"]) == ("predicted", "dog", 0.9)
    assert record["image"]["sequencer"] == "0055AED6DCD90281E5"
    assert (record["image"]["width"], record["image"]["height"]) == (40, 30)


def test_the_record_says_when_and_how_long(event, upload, inference, runtime, stored, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    times = stored("cat.jpg")["times"]
    assert (times["uploaded"], times["predicted"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:02.000Z")
    assert times["total_ms"] == 2000
    assert times["endpoint_ms"] >= 0


def test_a_record_can_be_read_by_the_library_and_is_served_as_json(event, upload, inference, runtime, s3, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    found = s3.get_object(Bucket=BUCKET, Key="pets/predictions/cat.jpg.json")
    assert found["ContentType"] == "application/json"
    assert Prediction.from_json(found["Body"].read()).label == "dog"


def test_a_key_is_decoded_as_s3_encoded_it(event, upload, inference, runtime, s3, stored, context):
    runtime.answers([0.9, 0.1])

    handle(upload(event("encoded_key")), context, inference=inference)

    assert keys(s3) == ["pets/predictions/my cat+(1).jpg.json"]
    assert stored("my cat+(1).jpg")["image"]["key"] == "pets/incoming/my cat+(1).jpg"


def test_every_record_of_an_event_is_handled(event, upload, inference, runtime, s3, context):
    runtime.answers([0.9, 0.1])
    runtime.answers([0.1, 0.9])

    assert handle(upload(event("two_records")), context, inference=inference) == {"images": 2}

    assert keys(s3) == ["pets/predictions/first.jpg.json", "pets/predictions/second.jpg.json"]


def test_a_failed_image_loses_no_other_and_fails_the_event_by_name(event, upload, inference, runtime, s3, context):
    runtime.fails("ValidationError")
    runtime.answers([0.1, 0.9])

    with pytest.raises(PredictionError, match=r"1 of 2 .*pets/incoming/first\.jpg: Endpoint image-classifier-pets"):
        handle(upload(event("two_records")), context, inference=inference)

    assert keys(s3) == ["pets/predictions/second.jpg.json"]


def test_a_record_that_is_not_of_s3_fails_the_event_and_not_the_others(event, upload, inference, runtime, s3, context):
    runtime.answers([0.1, 0.9])
    broken = upload(event("put"))
    broken["Records"].insert(0, {"body": "a message of a queue"})

    with pytest.raises(PredictionError, match="1 of 2 "):
        handle(broken, context, inference=inference)

    assert keys(s3) == ["pets/predictions/cat.jpg.json"]


def test_a_time_without_an_offset_fails_the_image_by_name(event, inference, context):
    broken = event("put")
    broken["Records"][0]["eventTime"] = "2026-01-01T00:00:00"

    with pytest.raises(PredictionError, match=r"cat\.jpg: .*offset from UTC"):
        handle(broken, context, inference=inference)


def test_the_test_event_of_s3_is_no_image(event, inference, context):
    assert handle(event("test_event"), context, inference=inference) == {"images": 0}


@pytest.mark.parametrize("name", ["folder_marker", "other_prefix", "deletion"])
def test_what_is_no_image_below_incoming_is_skipped(event, name, inference, s3, capsys, context):
    handle(event(name), context, inference=inference)  # the endpoint would refuse to be asked

    assert keys(s3) == []
    assert json.loads(capsys.readouterr().out)["status"] == "skipped"


def test_an_image_deleted_before_it_was_read_is_skipped(event, inference, s3, capsys, context):
    gone = event("put")
    del gone["Records"][0]["s3"]["object"]["versionId"]

    assert handle(gone, context, inference=inference) == {"images": 1}

    assert keys(s3) == []
    assert "deleted" in json.loads(capsys.readouterr().out)["reason"]


def test_without_versions_an_overwritten_image_is_left_to_its_own_event(
    event, upload, inference, runtime, s3, stored, context, photo, capsys
):
    first, second = upload(event("put"), photo(size=(10, 10))), upload(event("put"), photo(size=(20, 20)))
    runtime.answers([0.9, 0.1])

    handle(first, context, inference=inference)
    assert keys(s3) == []
    assert json.loads(capsys.readouterr().out)["reason"] == "deleted or replaced before it was read"

    handle(second, context, inference=inference)
    assert stored("cat.jpg")["image"]["width"] == 20


def test_the_very_version_of_the_event_is_read(event, upload, inference, runtime, s3, stored, context, photo):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = upload(event("put"), photo(size=(10, 10)))
    upload(event("put"), photo(size=(20, 20)))
    runtime.answers([0.9, 0.1])

    handle(first, context, inference=inference)

    assert stored("cat.jpg")["image"]["width"] == 10
    assert stored("cat.jpg")["image"]["version_id"] == first["Records"][0]["s3"]["object"]["versionId"]


@pytest.mark.parametrize(
    ("data", "code"), [(b"hello", "not_an_image"), (b"\xff\xd8\xff", "corrupt"), (b"GIF8", "corrupt")]
)
def test_a_bad_image_is_rejected_with_a_reason(event, data, code, upload, inference, stored, context):
    handle(upload(event("put"), data), context, inference=inference)

    record = stored("cat.jpg")
    assert (record["status"], record["reason"]["code"], record["label"]) == ("rejected", code, None)
    assert record["reason"]["sentence"].endswith(".")


def test_an_image_that_was_cut_off_is_rejected(event, upload, inference, stored, context, photo):
    whole = photo(size=(400, 300), kind="JPEG")

    handle(upload(event("put"), whole[: len(whole) // 2]), context, inference=inference)

    assert stored("cat.jpg")["reason"]["code"] == "truncated"


def test_an_empty_file_is_rejected(event, inference, stored, context):
    handle(event("empty_file"), context, inference=inference)

    assert stored("cat.jpg")["reason"]["code"] == "empty"


def test_a_file_over_the_limit_is_rejected_before_it_is_downloaded(event, inference, stored, context):
    large = event("put")  # there is no such object: reading it would skip it
    large["Records"][0]["s3"]["object"]["size"] = 25 * 1024 * 1024 + 1

    handle(large, context, inference=inference)

    assert stored("cat.jpg")["reason"] == {
        "code": "too_large",
        "sentence": "The file has 26,214,401 bytes; at most 26,214,400 are read.",
    }


def test_a_low_probability_is_stored_as_unsure(event, upload, inference, runtime, stored, context):
    runtime.answers([0.59, 0.41])

    handle(upload(event("put")), context, inference=inference)

    assert (stored("cat.jpg")["status"], stored("cat.jpg")["label"]) == ("unsure", "cat")


def test_the_model_of_the_record_is_the_one_that_answered(event, upload, inference, runtime, stored, context):
    runtime.answers([0.1, 0.9], variant="job-1")  # an update of the endpoint is under way

    handle(upload(event("put")), context, inference=inference)

    model = stored("cat.jpg")["model"]
    assert (model["training_job"], model["endpoint_config"]) == ("job-1", None)


def test_the_deployed_model_is_recorded_with_its_endpoint_config(event, upload, inference, runtime, stored, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    assert stored("cat.jpg")["model"]["endpoint_config"] == "image-classifier-pets-0123"


@pytest.mark.parametrize(("as_is", "expected_size"), [(False, (32, 32)), (True, (40, 30))])
def test_the_endpoint_gets_the_square_or_with_as_is_the_upload(
    event, as_is, expected_size, upload, runtime, context, inference, trained_on
):
    trained_on("job-2", as_is=as_is)
    sent = runtime.bodies
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    assert [size(body) for body in sent] == [expected_size]


def test_a_model_that_sees_other_pixels_is_asked_again_with_its_own(
    event, upload, runtime, stored, context, inference, trained_on
):
    trained_on("job-3", side_px=96)  # an update brought it up, and the function was deployed for job-2
    sent = runtime.bodies
    runtime.answers([0.9, 0.1], variant="job-3")
    runtime.answers([0.2, 0.8], variant="job-3")

    handle(upload(event("put")), context, inference=inference)

    assert [size(body) for body in sent] == [(32, 32), (96, 96)]
    assert (stored("cat.jpg")["model"]["training_job"], stored("cat.jpg")["confidence"]) == ("job-3", 0.8)


def test_a_model_that_sees_the_same_pixels_is_asked_once(event, upload, runtime, stored, context, inference):
    sent = runtime.bodies
    runtime.answers([0.9, 0.1], variant="job-1")

    handle(upload(event("put")), context, inference=inference)

    assert len(sent) == 1
    assert stored("cat.jpg")["model"]["training_job"] == "job-1"


def test_models_that_keep_changing_places_leave_the_image_for_later(
    event, upload, runtime, s3, context, inference, trained_on
):
    trained_on("job-3", side_px=96)
    for variant in ("job-3", "job-2", "job-3", "job-2"):
        runtime.answers([0.9, 0.1], variant=variant)

    with pytest.raises(PredictionError, match="changed its model with each of 4 answers"):
        handle(upload(event("put")), context, inference=inference)

    assert keys(s3) == []


@pytest.mark.parametrize(
    "refusal",
    [
        {"code": "ModelError", "status": 424, "original_status": 400},
        {"code": "ModelError", "status": 424, "original_status": 422},
        {"code": "RequestEntityTooLarge", "status": 413},
        {"code": "ValidationError", "message": "body: Member must have length less than or equal to 26214400"},
    ],
)
def test_an_image_that_the_model_does_not_take_as_it_is_is_rejected(
    event, refusal, upload, runtime, stored, context, inference, trained_on
):
    trained_on("job-2", as_is=True)
    runtime.fails(**refusal)

    handle(upload(event("put")), context, inference=inference)

    record = stored("cat.jpg")
    assert (record["status"], record["reason"]["code"]) == ("rejected", "refused")
    assert refusal.get("message", "no") in record["reason"]["sentence"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_model_that_only_has_trouble_rejects_nothing(event, status, upload, runtime, s3, inference, trained_on):
    trained_on("job-2", as_is=True)
    runtime.fails("ModelError", 424, original_status=status)

    with pytest.raises(PredictionError, match="gave no answer in 1 attempt"):
        handle(upload(event("put")), Short(), inference=inference)

    assert keys(s3) == []


def test_a_refusal_of_an_image_that_we_prepared_is_no_fault_of_the_image(
    event, upload, runtime, s3, context, inference
):
    runtime.fails("ModelError", 424, original_status=400)

    with pytest.raises(PredictionError, match="refuses the image"):
        handle(upload(event("put")), context, inference=inference)

    assert keys(s3) == []


def test_a_second_delivery_of_the_event_leaves_the_record_alone(event, upload, inference, runtime, s3, context):
    runtime.answers([0.1, 0.9])
    runtime.answers([0.9, 0.1])
    delivered = upload(event("put"))

    handle(delivered, context, inference=inference)
    before = s3.get_object(Bucket=BUCKET, Key="pets/predictions/cat.jpg.json")["Body"].read()
    handle(delivered, context, inference=inference)

    assert s3.get_object(Bucket=BUCKET, Key="pets/predictions/cat.jpg.json")["Body"].read() == before


@pytest.mark.parametrize("order", [("0A", "0B"), ("0B", "0A")])
def test_the_later_upload_has_the_record_in_whatever_order_the_events_come(
    event, order, upload, inference, runtime, stored, context
):
    for sequencer in order:
        runtime.answers([0.1, 0.9])
        delivered = upload(event("put"))
        delivered["Records"][0]["s3"]["object"]["sequencer"] = sequencer
        handle(delivered, context, inference=inference)

    assert stored("cat.jpg")["image"]["sequencer"] == "0B"


def test_one_line_of_json_per_image_goes_to_the_log(event, upload, inference, runtime, capsys, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    (line,) = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert {
        "key": "pets/incoming/cat.jpg",
        "request_id": "request-1",
        "status": "predicted",
        "label": "dog",
        "stored": True,
    }.items() <= logged.items()
    assert logged["ms"] >= 0


def test_labels_that_were_changed_are_not_used(event, upload, inference, s3, context, model_file):
    changed = model_file(["cat", "dog"]).replace(b"dog", b"cow")
    s3.put_object(Bucket=BUCKET, Key="pets/models/job-2/model.json", Body=changed)

    with pytest.raises(PredictionError, match=r"pets/models/job-2/model\.json was changed"):
        handle(upload(event("put")), context, inference=inference)

    assert keys(s3) == []


def test_labels_are_read_once_per_model(event, upload, inference, runtime, s3, context):
    runtime.answers([0.1, 0.9])
    runtime.answers([0.9, 0.1])
    handle(upload(event("put")), context, inference=inference)
    s3.delete_object(Bucket=BUCKET, Key="pets/models/job-2/model.json")

    handle(upload(event("encoded_key")), context, inference=inference)

    assert len(keys(s3)) == 2


def test_a_vector_of_another_length_than_the_labels_fails_the_event(event, upload, inference, runtime, s3, context):
    runtime.answers([0.1, 0.1, 0.8])

    with pytest.raises(PredictionError, match="3 probabilities for 2 labels"):
        handle(upload(event("put")), context, inference=inference)

    assert keys(s3) == []


def test_a_deployment_asks_whether_the_version_can_do_its_work(runtime, s3, context, inference):
    runtime.answers([0.1, 0.9])

    assert handle({"check": {"bucket": BUCKET}}, context, inference=inference) == {"labels": 2}

    assert keys(s3) == []


def test_a_version_whose_endpoint_does_not_answer_fails_its_check(runtime, context, inference):
    runtime.fails("AccessDeniedException", 403)

    with pytest.raises(EndpointError, match="AccessDenied"):
        handle({"check": {"bucket": BUCKET}}, context, inference=inference)


def test_a_version_whose_model_has_other_labels_fails_its_check(runtime, context, inference):
    runtime.answers([0.1, 0.1, 0.8])

    with pytest.raises(PredictionError, match="3 probabilities for 2 labels"):
        handle({"check": {"bucket": BUCKET}}, context, inference=inference)


@pytest.mark.parametrize(
    ("operation", "prefix"),
    [
        ("get_object", "pets/incoming/"),
        ("get_object", "pets/models/"),
        ("put_object", "pets/predictions/"),
        ("put_object", "pets/thumbnails/"),
        ("put_object", "pets/predictions-log/"),
    ],
)
def test_a_version_that_may_not_read_or_write_fails_its_check(operation, prefix, s3, context, inference, monkeypatch):
    allowed = getattr(s3, operation)

    def refuse(**request):
        if request["Key"].startswith(prefix):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
        return allowed(**request)

    monkeypatch.setattr(s3, operation, refuse)

    with pytest.raises(ClientError, match="AccessDenied"):
        handle({"check": {"bucket": BUCKET}}, context, inference=inference)


def test_a_record_has_a_thumbnail_and_a_log_entry_beside_it(event, upload, inference, runtime, s3, stored, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    assert stored("cat.jpg")["thumbnail"] == "pets/thumbnails/cat.jpg.jpg"
    thumbnail = s3.get_object(Bucket=BUCKET, Key="pets/thumbnails/cat.jpg.jpg")
    assert (thumbnail["ContentType"], size(thumbnail["Body"].read())) == ("image/jpeg", (32, 32))
    [entry] = keys(s3, "pets/predictions-log/")
    assert entry.startswith("pets/predictions-log/2026-01-01/00/0002.000-")
    assert json.loads(s3.get_object(Bucket=BUCKET, Key=entry)["Body"].read()) == stored("cat.jpg")


def test_a_retry_writes_what_an_interrupted_run_left_out(event, upload, inference, runtime, s3, context):
    delivered = upload(event("put"))
    for _ in range(2):
        runtime.answers([0.1, 0.9])
        handle(delivered, context, inference=inference)
        written = keys(s3, "pets/thumbnails/") + keys(s3, "pets/predictions-log/")
        for key in written:
            s3.delete_object(Bucket=BUCKET, Key=key)

    assert len(written) == 2  # of the second delivery, whose record was there before


def test_an_older_upload_leaves_the_thumbnail_of_the_newer_alone(event, upload, inference, runtime, s3, context):
    newer, older = upload(event("put"), version=False), event("put")
    newer["Records"][0]["s3"]["object"]["sequencer"] = "0055AED6DCD90281FF"
    older["Records"][0]["s3"]["object"] |= {"eTag": newer["Records"][0]["s3"]["object"]["eTag"]}
    older["Records"][0]["s3"]["object"].pop("versionId", None)
    for delivered in (newer, older):
        runtime.answers([0.1, 0.9])
        handle(delivered, context, inference=inference)
        before = keys(s3, "pets/predictions-log/")

    assert len(before) == 1


def test_a_replay_with_a_higher_generation_takes_the_place(event, upload, inference, runtime, stored, context):
    replay = upload(event("put"))
    for generation in (0, 5):
        runtime.answers([0.1, 0.9] if generation == 0 else [0.8, 0.2])
        replay["Records"][0]["generation"] = generation
        handle(replay, context, inference=inference)

    assert (stored("cat.jpg")["label"], stored("cat.jpg")["generation"]) == ("cat", 5)


def queued(*s3_events):
    bodies = [event if isinstance(event, str) else json.dumps(event) for event in s3_events]
    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)
        ]
    }


def test_of_a_queue_only_the_messages_that_failed_are_reported(event, upload, inference, runtime, stored, context):
    good, lost = upload(event("put")), upload(event("encoded_key"))
    runtime.answers([0.1, 0.9])
    runtime.fails("ValidationError", message="no such endpoint")

    result = handle(queued(good, lost, "no JSON"), context, inference=inference)

    assert result == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert stored("cat.jpg")["label"] == "dog"


def test_of_a_slow_batch_lambda_ends_no_message_that_is_done(event, upload, inference, runtime, capsys, context):
    runtime.answers([0.1, 0.9])
    context.remaining_s = READ_TIMEOUT_S + RESERVE_S - 1  # the first message took the rest

    result = handle(queued(upload(event("put")), upload(event("encoded_key"))), context, inference=inference)

    assert result == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == ["predicted", "skipped"]
    assert lines[1]["reason"] == "no time is left for the message m1"


def test_the_test_message_that_s3_sends_to_a_queue_is_done(event, inference, context):
    assert handle(queued(event("test_event")), context, inference=inference) == {"batchItemFailures": []}


def test_the_log_line_makes_metrics_by_classifier_and_by_label(event, upload, inference, runtime, capsys, context):
    runtime.answers([0.1, 0.9])

    handle(upload(event("put")), context, inference=inference)

    line = json.loads(capsys.readouterr().out)
    by_classifier, by_label = line["_aws"]["CloudWatchMetrics"]
    assert by_classifier["Dimensions"] == [["Classifier"]]
    assert {metric["Name"] for metric in by_classifier["Metrics"]} == {"Images", "Predicted", "EndpointMs", "TotalMs"}
    assert by_label["Dimensions"] == [["Classifier", "Label"]]
    assert (line["Classifier"], line["Label"], line["Images"], line["Predicted"]) == ("pets", "dog", 1, 1)
    assert all(metric["Name"] in line for metric in by_classifier["Metrics"])
