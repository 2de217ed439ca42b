"""The upload trigger's task asks the library, and tells what else the bucket's notifications hold."""

from types import SimpleNamespace

from image_classifier.connect.notification import UploadTrigger
from image_classifier_airflow.operators import notification as module
from image_classifier_airflow.operators.notification import UploadTriggerOperator

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-cats:live"
CONFIG = {"bucket": "pictures", "id": "image-classifier-cats", "prefix": "cats/incoming/"}


def test_the_notification_is_set_and_others_are_named(monkeypatch, caplog):
    functions, s3, asked = object(), object(), []
    monkeypatch.setattr(module, "S3Hook", lambda **_: SimpleNamespace(conn=s3))
    monkeypatch.setattr(
        module, "ensure_upload_trigger", lambda *clients, **wanted: asked.append((clients, wanted)) or "created"
    )
    monkeypatch.setattr(module, "other_notifications", lambda *_, **__: ["thumbnails to arn:aws:sqs:x"])
    task = UploadTriggerOperator(task_id="t", config=CONFIG, function_arn=ALIAS)
    task.__dict__["hook"] = SimpleNamespace(conn=functions)

    assert task.execute({}) == {"outcome": "created", "others": ["thumbnails to arn:aws:sqs:x"]}

    trigger = UploadTrigger(id="image-classifier-cats", prefix="cats/incoming/", function_arn=ALIAS)
    assert asked == [((functions, s3), {"bucket": "pictures", "trigger": trigger})]


def test_its_wishes_may_be_another_tasks_results():
    assert {"config", "function_arn"} < set(UploadTriggerOperator.template_fields)
