"""Checks endpoints through boto3: real processes, updates without a lost request, roll back."""

import json
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError


def invoke(server, endpoint, body=b"model?", **options):
    answer = server.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="application/x-image", **options
    )
    return answer["Body"].read(), answer


def test_an_endpoint_answers_once_it_is_in_service(server, name, put_model):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    endpoint = server.finished_endpoint(name)
    body, answer = invoke(server, name, Accept="application/jsonlines")

    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert json.loads(body) == {"model": name}
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == (name, "application/jsonlines")


def test_an_update_under_load_loses_no_request(server, name, put_model):
    put_model(server, name)
    put_model(server, f"{name}-2")
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    variants, errors, enough = [], [], threading.Event()

    def client():
        while not enough.is_set():
            try:
                # Half a second each: a process that is stopped too early is stopped under its requests.
                body, answer = invoke(server, name, b"slow")
                variants.append((json.loads(body)["model"], answer["InvokedProductionVariant"]))
            except (ClientError, BotoCoreError) as error:
                errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    server.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    endpoint = server.finished_endpoint(name)
    enough.set()
    for thread in threads:
        thread.join()

    assert endpoint["EndpointConfigName"] == f"{name}-2"
    assert errors == []
    assert (name, name) in variants
    assert set(variants) <= {(name, name), (f"{name}-2", f"{name}-2")}
    assert json.loads(invoke(server, name)[0]) == {"model": f"{name}-2"}


def test_an_update_that_fails_is_rolled_back(server, name, put_model):
    put_model(server, name)
    put_model(server, f"{name}-2", settings={"refuse-to-serve": True})
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    server.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")

    endpoint = server.finished_endpoint(name)

    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", name)
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert json.loads(invoke(server, name)[0]) == {"model": name}


def test_an_answer_with_an_error_becomes_a_model_error(server, name, put_model):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)

    with pytest.raises(server.runtime.exceptions.ModelError) as caught:
        invoke(server, name, b"bad")

    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (400, "that is no image")
    assert answer["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{name}")
    assert answer["Error"]["Message"].startswith(
        'Received client error (400) from primary with message "that is no image"'
    )


def test_a_process_that_dies_is_started_again(server, name, put_model, log_lines, until):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)

    with pytest.raises(server.runtime.exceptions.ModelError, match="the model process exited"):
        invoke(server, name, b"die")

    assert json.loads(invoke(server, name)[0]) == {"model": name}
    assert until(lambda: log_lines(f"/aws/sagemaker/Endpoints/{name}", f"{name}/i-")[-1:] == ["serving"])


def test_an_endpoint_whose_program_does_not_answer_fails(server, name, put_model, refusal):
    put_model(server, name, settings={"refuse-to-serve": True})
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    creating = refusal(server.sagemaker.delete_endpoint, EndpointName=name)

    endpoint = server.finished_endpoint(name)

    arn = f"arn:aws:sagemaker:us-east-1:000000000000:endpoint/{name}"
    assert creating == ("ValidationException", f'Cannot update in-progress endpoint "{arn}".')
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"] == (
        f"The primary container for production variant {name} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    assert refusal(server.runtime.invoke_endpoint, EndpointName=name, Body=b"x") == (
        "ValidationError",
        f"Endpoint {name} of account 000000000000 not found.",
    )
    server.sagemaker.delete_endpoint(EndpointName=name)
    server.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    assert refusal(server.endpoint, name=name) == ("ValidationException", f'Could not find endpoint "{arn}".')


def test_an_artifact_that_is_no_archive_fails_the_endpoint(server, s3, name, put_model):
    put_model(server, name)
    s3.put_object(Bucket="images", Key=f"artifacts/{name}/model.tar.gz", Body=b"not a tar")
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    endpoint = server.finished_endpoint(name)

    assert endpoint["FailureReason"].startswith("Failed to extract model data archive from s3://images/artifacts/")


def test_variants_share_the_invocations_by_weight(server, name, put_model):
    first = put_model(server, f"{name}-a")
    second = put_model(server, f"{name}-b") | {"InitialVariantWeight": 3.0}
    put_model(server, name, variants=[first, second])
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)

    answered = [json.loads(invoke(server, name)[0])["model"] for _ in range(8)]
    chosen = invoke(server, name, TargetVariant=f"{name}-a")[1]["InvokedProductionVariant"]

    assert (answered.count(f"{name}-a"), answered.count(f"{name}-b")) == (2, 6)
    assert chosen == f"{name}-a"


def test_what_exists_is_not_created_again_and_what_does_not_is_named(server, name, put_model, refusal):
    put_model(server, name)
    arn = "arn:aws:sagemaker:us-east-1:000000000000"
    variant = {"VariantName": "a", "ModelName": f"{name}-x", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    container = server.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
    absent = "s3://images/no/model.tar.gz"

    assert refusal(server.sagemaker.create_model, ModelName=name, PrimaryContainer=container) == (
        "ValidationException",
        f'Cannot create already existing model "{arn}:model/{name}".',
    )
    config = {"EndpointConfigName": f"{name}-2", "ProductionVariants": [variant]}
    assert refusal(server.sagemaker.create_endpoint_config, **config)[1] == (
        f'Could not find model "{arn}:model/{name}-x".'
    )
    container["ModelDataUrl"] = absent
    assert refusal(server.sagemaker.create_model, ModelName=f"{name}-2", PrimaryContainer=container)[1] == (
        f"Could not find model data at {absent}."
    )
    assert refusal(server.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=f"{name}-2")[1] == (
        f'Could not find endpoint configuration "{arn}:endpoint-config/{name}-2".'
    )


def test_a_body_over_25_mb_is_refused(server, name, put_model, refusal):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)

    code, message = refusal(server.runtime.invoke_endpoint, EndpointName=name, Body=b"x" * (25 * 1024 * 1024 + 1))

    assert code == "ValidationError"
    assert message.endswith("Member must have length less than or equal to 26214400")
    assert len(invoke(server, name, b"x" * 25 * 1024 * 1024)[0]) == 25 * 1024 * 1024


@pytest.mark.parametrize(
    ("attributes", "constraint"),
    [
        ("caf\u00e9", r"satisfy regular expression pattern: \p{ASCII}*"),
        ("a" * 1025, "length less than or equal to 1024"),
    ],
)
def test_attributes_outside_the_service_model_are_refused(server, name, refusal, attributes, constraint):
    code, message = refusal(server.runtime.invoke_endpoint, EndpointName=name, Body=b"x", CustomAttributes=attributes)

    assert code == "ValidationError"
    assert message.endswith(constraint)
