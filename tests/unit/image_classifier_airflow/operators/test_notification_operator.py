"""Checks the upload trigger's task, and that it logs the bucket's other notifications."""

from types import SimpleNamespace

from image_classifier.connect import notification, trigger
from image_classifier.connect.trigger import TriggerConfiguration
from image_classifier_airflow.operators import notification as module
from image_classifier_airflow.operators.notification import UploadTriggerOperator

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-cats:live"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:failures"
CONFIG = {"classifier": "cats", "bucket": "pictures", "failure_queue_arn": QUEUE}


def test_the_trigger_is_set_and_others_are_named(monkeypatch):
    functions, s3, sqs, asked = object(), object(), object(), []
    monkeypatch.setattr(module, "client", lambda _, service: {"s3": s3, "sqs": sqs}[service])
    monkeypatch.setattr(trigger, "set_trigger", lambda *clients, **wanted: asked.append((clients, wanted)) or "created")
    monkeypatch.setattr(notification, "other_notifications", lambda *_, **__: ["thumbnails to arn:aws:sqs:x"])
    task = UploadTriggerOperator(task_id="t", config=CONFIG, function_arn=ALIAS)
    task.__dict__["hook"] = SimpleNamespace(conn=functions)

    assert task.execute({}) == {"outcome": "created", "others": ["thumbnails to arn:aws:sqs:x"]}
    wanted = TriggerConfiguration.model_validate(CONFIG)
    assert asked == [((functions, s3, sqs), {"wanted": wanted, "alias_arn": ALIAS})]


def test_its_arguments_may_be_another_tasks_results():
    assert {"config", "function_arn"} < set(UploadTriggerOperator.template_fields)
