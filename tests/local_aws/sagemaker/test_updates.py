"""Checks updates that shift traffic step by step, watched by alarms, under continuous calls."""

import contextlib
import threading

import httpx

ALARM = {
    "MetricName": "Invocation5XXErrors",
    "Namespace": "AWS/SageMaker",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}
CALLS = 1000


def linear(*, wait_s=0, **more):
    step = {"Type": "CAPACITY_PERCENT", "Value": 50}
    routing = {"Type": "LINEAR", "LinearStepSize": step, "WaitIntervalInSeconds": wait_s}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}, **more}


class Callers:
    """Clients that call an endpoint all the while."""

    def __init__(self, server, endpoint):
        self.url = f"{server.url}/endpoints/{endpoint}/invocations"
        self.answers = []
        self.enough = threading.Event()

    def call(self):
        with httpx.Client(trust_env=False, timeout=30) as client:
            while not self.enough.is_set():
                answer = client.post(self.url, content=b"model?")
                self.answers.append((answer.status_code, answer.headers.get("x-amzn-invoked-production-variant")))

    @contextlib.contextmanager
    def calling(self):
        threads = [threading.Thread(target=self.call) for _ in range(4)]
        for thread in threads:
            thread.start()
        yield
        self.enough.set()
        for thread in threads:
            thread.join()


def test_every_call_is_answered_during_updates_and_roll_backs(server, plan, in_service, until):
    new = f"{in_service}-2"
    plan({"fault": "failed_update", "after_s": 2})
    rolled_back, moved = Callers(server, in_service), Callers(server, in_service)

    with rolled_back.calling():
        server.sagemaker.update_endpoint(EndpointName=in_service, EndpointConfigName=new)
        until(lambda: len(rolled_back.answers) > CALLS, seconds=120)
        assert server.finished_endpoint(in_service)["EndpointConfigName"] == in_service
    with moved.calling():
        request = {"EndpointName": in_service, "EndpointConfigName": new, "DeploymentConfig": linear(wait_s=2)}
        server.sagemaker.update_endpoint(**request)
        until(lambda: len(moved.answers) > CALLS, seconds=120)
        assert server.finished_endpoint(in_service)["EndpointConfigName"] == new

    assert set(rolled_back.answers) == {(200, in_service)}
    assert set(moved.answers) == {(200, in_service), (200, new)}
    assert moved.answers[-1] == (200, new)


def test_while_a_step_is_watched_both_fleets_answer(server, in_service, until):
    new = f"{in_service}-2"
    request = {"EndpointName": in_service, "EndpointConfigName": new, "DeploymentConfig": linear(wait_s=2)}
    server.sagemaker.update_endpoint(**request)

    def baking():
        pending = server.endpoint(in_service).get("PendingDeploymentSummary")
        return pending and pending["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Baking"

    until(baking)
    answers = [
        server.runtime.invoke_endpoint(EndpointName=in_service, Body=b"x")["InvokedProductionVariant"] for _ in range(4)
    ]
    assert sorted(answers) == [in_service, in_service, new, new]
    endpoint = server.finished_endpoint(in_service)
    assert endpoint["EndpointConfigName"] == new
    assert endpoint["LastDeploymentConfig"] == request["DeploymentConfig"]


def test_an_alarm_that_goes_off_takes_the_update_back(server, in_service, cloudwatch):
    cloudwatch.put_metric_alarm(AlarmName=in_service, **ALARM)
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": in_service}]}}
    request = {"EndpointName": in_service, "EndpointConfigName": f"{in_service}-2"}
    server.sagemaker.update_endpoint(**request, DeploymentConfig=linear(wait_s=60, **alarms))
    cloudwatch.set_alarm_state(AlarmName=in_service, StateValue="ALARM", StateReason="a test")

    endpoint = server.finished_endpoint(in_service)

    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", in_service)
    assert endpoint["FailureReason"] == (
        f"CloudWatch alarms went off during the deployment, which was rolled back: {in_service}."
    )
    answer = server.runtime.invoke_endpoint(EndpointName=in_service, Body=b"x")
    assert answer["InvokedProductionVariant"] == in_service


def test_an_alarm_that_is_not_there_is_named(server, in_service, refusal):
    alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "no-such-alarm"}]}}
    request = {"EndpointName": in_service, "EndpointConfigName": f"{in_service}-2"}

    assert refusal(server.sagemaker.update_endpoint, **request, DeploymentConfig=linear(**alarms)) == (
        "ValidationException",
        "AutoRollbackConfiguration names CloudWatch alarms that do not exist: no-such-alarm.",
    )
    assert server.endpoint(in_service)["EndpointStatus"] == "InService"
