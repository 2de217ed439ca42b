"""Checks where the links of each operator's task lead, and that they depend on the connection."""

from types import SimpleNamespace

import boto3
import pytest

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier_airflow import links
from image_classifier_airflow.operators.function import LambdaFunctionOperator
from image_classifier_airflow.operators.hosting import EndpointConfigOperator, EndpointOperator, ModelOperator
from image_classifier_airflow.operators.training import TrainingJobOperator
from image_classifier_airflow.steps.deployment import trigger_configuration

CONSOLE = "https://console.aws.amazon.com"
SAGEMAKER = f"{CONSOLE}/sagemaker/home?region=eu-central-1#"
LOGS = f"{CONSOLE}/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group"
SESSION = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-central-1")
CLASSIFIER = Classifier(name="cats", source="cats", aws_conn_id="aws_cats")


@pytest.fixture(autouse=True)
def connection(monkeypatch, bucket):
    """The connection aws_cats, and no other."""

    def client(aws_conn_id, service):
        assert aws_conn_id == "aws_cats"
        return SESSION.client(service)

    monkeypatch.setattr(links.clients, "aws_client", client)
    monkeypatch.setattr(links, "client", lambda operator, service: client(operator.aws_conn_id, service))


def buttons(operator_class, config, *, service, **state):
    operator = operator_class(task_id="t", config=config, aws_conn_id="aws_cats")
    operator.__dict__ |= {"hook": SimpleNamespace(conn=SESSION.client(service)), **state}
    return {link.name: link.get_link(operator, ti_key=None) for link in operator.operator_extra_links}


def test_training_leads_to_the_job_and_to_its_log_alone():
    assert buttons(TrainingJobOperator, {"TrainingJobName": "job"}, service="sagemaker") == {
        "Training job": f"{SAGEMAKER}/jobs/job",
        "Training log": f"{LOGS}/$252Faws$252Fsagemaker$252FTrainingJobs$3FlogStreamNameFilter$3Djob$252F",
    }


def test_training_leads_to_the_attempt_that_it_works_on():
    found = buttons(TrainingJobOperator, {"TrainingJobName": "job"}, service="sagemaker", _job_name="job-2")

    assert found["Training job"] == f"{SAGEMAKER}/jobs/job-2"
    assert found["Training log"].endswith("$3Djob-2$252F")


def test_hosting_leads_to_the_model_its_config_and_its_endpoint():
    model = buttons(ModelOperator, {"ModelName": "m"}, service="sagemaker")
    config = buttons(EndpointConfigOperator, {"EndpointConfigName": "c"}, service="sagemaker")
    endpoint = buttons(EndpointOperator, {"EndpointName": "e"}, service="sagemaker")

    assert model == {"Model": f"{SAGEMAKER}/models/m"}
    assert config == {"Endpoint config": f"{SAGEMAKER}/endpointConfig/c"}
    assert endpoint == {
        "Endpoint": f"{SAGEMAKER}/endpoints/e",
        "Endpoint log": f"{LOGS}/$252Faws$252Fsagemaker$252FEndpoints$252Fe",
    }


def test_the_function_leads_to_itself_and_its_log():
    assert buttons(LambdaFunctionOperator, {"classifier": "cats"}, service="lambda") == {
        "Function": f"{CONSOLE}/lambda/home?region=eu-central-1#/functions/image-classifier-cats",
        "Function log": f"{LOGS}/$252Faws$252Flambda$252Fimage-classifier-cats",
    }


def test_the_upload_trigger_leads_to_the_uploads():
    configuration = trigger_configuration(CLASSIFIER, Settings.from_env())
    operator = SimpleNamespace(s3=SESSION.client("s3"), config=configuration)

    [link] = links.UPLOAD_TRIGGER_LINKS
    expected = f"{CONSOLE}/s3/buckets/a-bucket?region=eu-central-1&prefix=cats/incoming/"
    assert link.get_link(operator, ti_key=None) == expected


@pytest.mark.parametrize(
    ("link", "prefix"),
    [
        (links.images_link(CLASSIFIER), "cats/dataset/"),
        (links.records_link(CLASSIFIER), "cats/predictions/"),
    ],
)
def test_steps_lead_to_their_prefix_in_the_bucket(link, prefix):
    expected = f"{CONSOLE}/s3/buckets/a-bucket?region=eu-central-1&prefix={prefix}"

    assert link.get_link(SimpleNamespace(), ti_key=None) == expected


def test_a_resource_without_an_address_has_an_empty_link():
    assert links.ResourceLink("Model", lambda _: None).get_link(SimpleNamespace(), ti_key=None) == ""


def test_every_link_keeps_its_address_under_a_key_of_its_own():
    operators = (TrainingJobOperator, EndpointOperator, LambdaFunctionOperator)
    keys = [link.xcom_key for operator in operators for link in operator.operator_extra_links]

    assert keys == [
        "_link_training_job",
        "_link_training_log",
        "_link_endpoint",
        "_link_endpoint_log",
        "_link_function",
        "_link_function_log",
    ]
