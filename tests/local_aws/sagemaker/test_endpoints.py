"""Endpoints as a client sees them: real processes behind InvokeEndpoint, updates without a lost request, roll back."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError


def refusal(call, **request):
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def invoke(server, endpoint, body=b"model?", **options):
    answer = server.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="application/x-image", **options)
    return answer["Body"].read(), answer


def test_an_endpoint_answers_once_it_is_in_service(server, name, put_model):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    endpoint = server.settled_endpoint(name)
    body, answer = invoke(server, name, Accept="application/jsonlines")

    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert json.loads(body) == {"model": name}
    assert (answer["InvokedProductionVariant"], answer["ContentType"]) == (name, "application/jsonlines")


def test_an_update_under_load_loses_no_request(server, name, put_model):
    put_model(server, name)
    put_model(server, f"{name}-2")
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.settled_endpoint(name)
    variants, errors, enough = [], [], threading.Event()

    def client():
        while not enough.is_set():
            try:
                body, answer = invoke(server, name)
                variants.append((json.loads(body)["model"], answer["InvokedProductionVariant"]))
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    server.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    endpoint = server.settled_endpoint(name)
    invoke(server, name)
    enough.set()
    for thread in threads:
        thread.join()

    assert endpoint["EndpointConfigName"] == f"{name}-2"
    assert errors == []
    assert {(name, name), (f"{name}-2", f"{name}-2")} == set(variants)
    assert json.loads(invoke(server, name)[0]) == {"model": f"{name}-2"}


def test_an_update_that_fails_is_rolled_back(server, name, put_model):
    put_model(server, name)
    put_model(server, f"{name}-2", settings={"refuse-to-serve": True})
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.settled_endpoint(name)
    server.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")

    endpoint = server.settled_endpoint(name)

    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", name)
    assert "did not pass the ping health check" in endpoint["FailureReason"]
    assert json.loads(invoke(server, name)[0]) == {"model": name}


def test_an_invocation_costs_little(server, name, put_model):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.settled_endpoint(name)
    times = []
    for _ in range(300):
        begin = time.perf_counter()
        invoke(server, name, b"x" * 20_000)
        times.append(time.perf_counter() - begin)
    print(sorted(times)[150], sorted(times)[290])
    assert sorted(times)[150] < 0.05
