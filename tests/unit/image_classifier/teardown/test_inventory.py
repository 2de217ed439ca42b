import json
from dataclasses import fields

import boto3
import pytest
from moto import mock_aws
from moto.sagemaker import sagemaker_backends

from image_classifier.aws.clients import Clients
from image_classifier.teardown.inventory import Folder, Inventory, Teardown, UnfinishedUpload, inventory

BUCKET = "a-bucket"
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
JOB = "image-classifier-digits-0123abcd-89abcdef"


@pytest.fixture
def clients(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        session = boto3.Session(region_name="us-east-1")
        made = Clients(
            sagemaker=session.client("sagemaker"),
            functions=session.client("lambda"),
            logs=session.client("logs"),
            s3=session.client("s3"),
            sqs=session.client("sqs"),
        )
        made.s3.create_bucket(Bucket=BUCKET)
        made.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield made


def tags(classifier):
    return [{"Key": "team", "Value": "vision"}, {"Key": "image-classifier", "Value": classifier}]


def deploy(clients, name, *, classifier):
    """A model, an endpoint config and an endpoint of one name."""
    clients.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": "s3://a-bucket/model.tar.gz"},
        ExecutionRoleArn=ROLE,
        Tags=tags(classifier),
    )
    variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    clients.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant], Tags=tags(classifier)
    )
    clients.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags(classifier))


def test_what_was_deployed_is_found(clients):
    deploy(clients, "image-classifier-digits", classifier="digits")

    found = inventory(clients, Teardown("digits", BUCKET))

    assert found.endpoints == found.endpoint_configs == found.models == ("image-classifier-digits",)


def test_a_classifier_whose_name_continues_is_another_one(clients):
    deploy(clients, "image-classifier-digits-2", classifier="digits-2")

    assert inventory(clients, Teardown("digits", BUCKET)) == Inventory()


def test_what_does_not_carry_the_tag_is_somebody_elses(clients):
    deploy(clients, "image-classifier-digits", classifier="letters")

    assert inventory(clients, Teardown("digits", BUCKET)) == Inventory()


def test_models_stay_out_of_the_list_when_they_are_kept(clients):
    deploy(clients, "image-classifier-digits", classifier="digits")

    assert inventory(clients, Teardown("digits", BUCKET, keep_models=True)).models == ()


def put(clients, *keys):
    for key in keys:
        clients.s3.put_object(Bucket=BUCKET, Key=key, Body=b"12345")


def test_a_tuning_job_in_progress_is_found(clients):
    name = "image-classifier-0123456789abcde"
    limits = {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}
    clients.sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={"Strategy": "Random", "ResourceLimits": limits},
        Tags=tags("digits"),
    )
    made = sagemaker_backends["123456789012"]["us-east-1"].hyper_parameter_tuning_jobs[name]
    made.hyper_parameter_tuning_job_status = "InProgress"  # moto's jobs are completed at once

    assert inventory(clients, Teardown("digits", BUCKET)) == Inventory(tuning_jobs=(name,))


def test_old_versions_and_delete_markers_count(clients):
    put(clients, "digits/incoming/a.png", "digits/incoming/a.png", "digits/predictions/a.png.json")
    clients.s3.delete_object(Bucket=BUCKET, Key="digits/incoming/a.png")

    folders = inventory(clients, Teardown("digits", BUCKET)).folders

    assert folders == {"digits/incoming/": Folder(3, 10), "digits/predictions/": Folder(1, 5)}


def test_a_file_beside_the_folders_is_listed_by_its_key(clients):
    put(clients, "digits/announced.json", "digits/incoming/a.png")

    folders = inventory(clients, Teardown("digits", BUCKET)).folders

    assert folders == {"digits/announced.json": Folder(1, 5), "digits/incoming/": Folder(1, 5)}


def test_a_model_package_group_is_called_one_in_the_table(clients):
    group = "image-classifier-digits"
    clients.sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=tags("digits"))

    table = inventory(clients, Teardown("digits", BUCKET)).as_table()

    assert table == f"model package group     {group}"


def test_other_classifiers_objects_do_not_count(clients):
    put(clients, "digits-2/incoming/a.png", "digits.txt", "other/digits/a.png")

    assert inventory(clients, Teardown("digits", BUCKET)).folders == {}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("keep_images", {"digits/dataset/", "digits/incoming/"}),
        ("keep_models", {"digits/models/", "digits/checkpoints/", "digits/evaluations/", "digits/promotions/"}),
        (
            "keep_predictions",
            {
                "digits/predictions/",
                "digits/thumbnails/",
                "digits/predictions-log/",
                "digits/predictions-index/",
                "digits/corrections/",
            },
        ),
    ],
)
def test_what_is_kept_does_not_count(clients, keep, kept):
    prefixes = {
        "dataset",
        "incoming",
        "models",
        "checkpoints",
        "evaluations",
        "promotions",
        "predictions",
        "thumbnails",
        "predictions-log",
        "predictions-index",
        "corrections",
        "functions",
    }
    put(clients, *(f"digits/{prefix}/x" for prefix in prefixes))

    folders = inventory(clients, Teardown("digits", BUCKET, **{keep: True})).folders

    assert set(folders) == {f"digits/{prefix}/" for prefix in prefixes} - kept


def test_another_owner_s_endpoint_keeps_its_log_group(clients):
    deploy(clients, "image-classifier-digits", classifier="letters")
    clients.logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/image-classifier-digits")

    found = inventory(clients, Teardown("digits", BUCKET))

    assert (found.endpoints, found.log_groups) == ((), ())


def test_another_owner_s_queue_is_not_found(clients):
    clients.sqs.create_queue(QueueName="image-classifier-digits", tags={"team": "others"})

    assert inventory(clients, Teardown("digits", BUCKET)).upload_queues == ()


def test_log_groups_of_exactly_the_function_and_the_endpoint_are_found(clients):
    ours = ("/aws/lambda/image-classifier-digits", "/aws/sagemaker/Endpoints/image-classifier-digits")
    for name in (*ours, "/aws/lambda/image-classifier-digits-2", "/aws/sagemaker/TrainingJobs"):
        clients.logs.create_log_group(logGroupName=name)

    assert sorted(inventory(clients, Teardown("digits", BUCKET)).log_groups) == sorted(ours)


def test_our_event_notification_is_found_among_others(clients):
    role = boto3.client("iam", region_name="us-east-1").create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )["Role"]["Arn"]
    function = clients.functions.create_function(
        FunctionName="image-classifier-digits",
        Runtime="python3.12",
        Role=role,
        Handler="a.b",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Tags={"image-classifier": "digits"},
    )
    entries = [
        {"Id": name, "LambdaFunctionArn": function["FunctionArn"], "Events": ["s3:ObjectRemoved:*"]}
        for name in ("image-classifier-digits", "theirs")
    ]
    clients.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": entries}
    )

    found = inventory(clients, Teardown("digits", BUCKET))

    assert found.upload_triggers == ("image-classifier-digits",)
    assert found.functions == ("image-classifier-digits",)


def test_an_event_notification_that_goes_to_our_queue_is_found(clients):
    url = clients.sqs.create_queue(QueueName="image-classifier-digits")["QueueUrl"]
    queue = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    entry = {"Id": "image-classifier-digits", "QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}
    clients.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [entry]}
    )

    assert inventory(clients, Teardown("digits", BUCKET)).upload_triggers == ("image-classifier-digits",)


def test_the_table_names_every_single_thing():
    found = Inventory(
        training_jobs=(JOB,), endpoints=("image-classifier-digits",), folders={"digits/incoming/": Folder(3, 2_500_000)}
    )

    assert found.as_table().splitlines() == [
        f"training job, to stop   {JOB}",
        "endpoint                image-classifier-digits",
        "objects                 digits/incoming/ (3 versions, 2.5 MB)",
    ]


def test_an_empty_table_says_so():
    assert Inventory().as_table() == "nothing is there"


def one_of_each_kind():
    kinds = {kind.name: ("one",) for kind in fields(Inventory)}
    uploads = (UnfinishedUpload("one", "1"),)
    return Inventory(**{**kinds, "unfinished_uploads": uploads, "folders": {"one": Folder(1, 1)}})


def test_the_table_has_a_line_for_each_kind():
    lines = one_of_each_kind().as_table().splitlines()

    assert [line[24:27] for line in lines] == ["one"] * len(fields(Inventory))


def test_counts_are_by_kind():
    assert list(one_of_each_kind().counts.values()) == [1] * len(fields(Inventory))


def test_all_versions_of_a_folder_are_counted():
    counts = Inventory(models=("a", "b"), folders={"digits/incoming/": Folder(3, 1)}).counts

    assert counts["models"] == 2
    assert counts["object versions"] == 3
    assert counts["endpoints"] == 0
