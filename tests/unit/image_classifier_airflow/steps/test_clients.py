"""Checks that a task's clients use its connection and are created on their first use."""

import json

import boto3
import pytest

from image_classifier_airflow.steps import clients

EXTRA = {
    "region_name": "eu-west-1",
    "endpoint_url": "http://127.0.0.1:1",
    "service_config": {"sagemaker": {"endpoint_url": "http://127.0.0.1:2"}},
    "config_kwargs": {"s3": {"addressing_style": "path"}},
}


@pytest.fixture(autouse=True)
def connection(monkeypatch):
    described = {"conn_type": "aws", "login": "an-access-key", "password": "a-secret-key", "extra": EXTRA}
    monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", json.dumps(described))


@pytest.fixture
def made(monkeypatch):
    """The services of the clients that were made, each with its session."""
    found, create = [], boto3.session.Session.client

    def note(session, service_name, **arguments):
        found.append((service_name, session))
        return create(session, service_name, **arguments)

    monkeypatch.setattr(boto3.session.Session, "client", note)
    return found


def test_a_client_has_region_endpoint_and_settings_of_the_connection():
    s3, sagemaker = clients.s3("elsewhere"), clients.sagemaker("elsewhere")

    assert (s3.meta.region_name, s3.meta.endpoint_url) == ("eu-west-1", "http://127.0.0.1:1")
    assert (sagemaker.meta.region_name, sagemaker.meta.endpoint_url) == ("eu-west-1", "http://127.0.0.1:2")
    assert s3.meta.config.s3["addressing_style"] == "path"


def test_a_classifiers_clients_are_made_when_they_are_used_and_once(made):
    of_all = clients.of_a_classifier("elsewhere")
    assert made == []

    used = [of_all.s3, of_all.functions, of_all.s3]

    assert [service for service, _ in made] == ["s3", "lambda"]
    assert used[0] is used[2]


def test_a_classifiers_clients_share_one_session(made):
    of_all = clients.of_a_classifier("elsewhere")

    assert [of_all.logs, of_all.sqs, of_all.sagemaker]
    assert len({id(session) for _, session in made}) == 1


def test_a_classifiers_clients_have_no_other_service():
    with pytest.raises(AttributeError, match="dynamodb"):
        _ = clients.of_a_classifier("elsewhere").dynamodb
