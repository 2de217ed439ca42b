"""Checks the operation Search with the request of SDK v2."""

import json

import httpx
import pytest


@pytest.fixture
def jobs(server, name, job_request):
    """Three jobs that have ended; the second failed."""
    for number in range(3):
        behaviour = "fail" if number == 1 else "complete"
        request = job_request(f"{name}-{number}", hyperparameters={"behaviour": behaviour, "number": str(number)})
        server.sagemaker.create_training_job(**request, Tags=[{"Key": "of", "Value": name}])
        server.ended_job(f"{name}-{number}")


def found(server, *filters, **more):
    expression = {"Filters": [dict(zip(("Name", "Operator", "Value"), one, strict=False)) for one in filters]}
    answer = server.sagemaker.search(Resource="TrainingJob", SearchExpression=expression, **more)
    return [item["TrainingJob"]["TrainingJobName"] for item in answer["Results"]], answer


def test_the_job_of_an_artifact_is_found_with_its_tags(server, name, jobs):
    uri = server.job(f"{name}-2")["ModelArtifacts"]["S3ModelArtifacts"]

    names, answer = found(server, ("ModelArtifacts.S3ModelArtifacts", "Equals", uri))

    assert (names, answer["TotalHits"]["Value"]) == ([f"{name}-2"], 1)
    assert answer["Results"][0]["TrainingJob"]["Tags"] == [{"Key": "of", "Value": name}]


def test_pages_hold_every_job_once_those_changed_last_first(server, name, jobs):
    mine = ("Tags.of", "Equals", name)
    first, answer = found(server, mine, MaxResults=2)
    second, end = found(server, mine, MaxResults=2, NextToken=answer["NextToken"])

    assert first + second == [f"{name}-{number}" for number in (2, 1, 0)]
    assert "NextToken" not in end
    by_number, _ = found(server, mine, SortBy="HyperParameters.number", SortOrder="Ascending")
    assert by_number == [f"{name}-{number}" for number in range(3)]


def test_an_endpoint_is_found_without_what_only_this_server_stores(server, in_service):
    expression = {"Filters": [{"Name": "EndpointName", "Operator": "Equals", "Value": in_service}]}
    body = {"Resource": "Endpoint", "SearchExpression": expression}

    answer = httpx.post(server.url, headers={"x-amz-target": "SageMaker.Search"}, json=body, trust_env=False).json()

    (record,) = answer["Results"]
    assert record["Endpoint"]["EndpointStatus"] == "InService"
    assert [member for member in record["Endpoint"] if member.startswith("_")] == []


def test_a_resource_that_is_not_here_is_refused_by_name(server, refusal):
    code, message = refusal(server.sagemaker.search, Resource="Project")

    assert (code, message[:51]) == ("ValidationException", "This local SageMaker does not search for Project; i")


def test_an_expression_without_end_is_refused(server):
    expression = {}
    for _ in range(400):
        expression = {"SubExpressions": [expression]}
    content = json.dumps({"Resource": "Endpoint", "SearchExpression": expression})

    answer = httpx.post(server.url, headers={"x-amz-target": "SageMaker.Search"}, content=content, trust_env=False)

    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")
