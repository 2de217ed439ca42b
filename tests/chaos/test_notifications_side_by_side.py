"""Checks that two writers of a bucket's one notification configuration keep each other's entries."""

import json

import pytest
from tests.chaos.airflow_runs import FINISHED

from image_classifier.aws.names import notification_id

pytestmark = pytest.mark.timeout(900)

FOREIGN = "somebody-elses-queue"
TRIGGER = "connect.set_upload_trigger"
CLASSIFIERS = ("uploads", "modes")  # other tests of events go on with them


@pytest.fixture
def foreign(aws):
    """Somebody else's notification, and no other."""
    url = aws.sqs.create_queue(QueueName="elsewhere")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    from_s3 = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**from_s3, "Resource": arn}]}
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    rules = [{"Name": "prefix", "Value": "elsewhere/"}]
    entry = {
        "Id": FOREIGN,
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }

    def write():
        aws.s3.put_bucket_notification_configuration(
            Bucket=aws.bucket, NotificationConfiguration={"QueueConfigurations": [entry]}
        )

    return write


def there(aws) -> set[str]:
    found = aws.s3.get_bucket_notification_configuration(Bucket=aws.bucket)
    return {entry["Id"] for kind, entries in found.items() if kind.endswith("Configurations") for entry in entries}


def test_two_classifiers_and_somebody_else_keep_their_notifications(airflow, aws, first_run, foreign, row):
    runs = [first_run(name) for name in CLASSIFIERS]
    before = aws.s3.get_bucket_notification_configuration(Bucket=aws.bucket)["LambdaFunctionConfigurations"]
    with row.baseline():
        foreign()
        stock = [
            airflow.ordered_run("stock_trigger", entry["Id"], conf={"bucket": aws.bucket, "entry": entry})
            for entry in before
        ]
        ends = [run.await_end() for run in stock]
        wanted = {FOREIGN, *(entry["Id"] for entry in before)}
        missing = wanted - there(aws)
        row.set_stock(not missing, f"tasks {', '.join(ends)}; lost: {', '.join(missing) or 'none'}")
    foreign()
    for run in runs:
        run.clear(TRIGGER)
    ends = [run.await_task(TRIGGER, FINISHED, tries=2) for run in runs]

    wanted = {FOREIGN, *(notification_id(name) for name in CLASSIFIERS)}
    row.check_ours(
        ends == ["success", "success"] and there(aws) == wanted,
        f"tasks {', '.join(ends)}; there: {len(there(aws) & wanted)} of {len(wanted)}",
    )
