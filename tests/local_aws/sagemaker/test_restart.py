"""Checks the state after a stop or a kill of the server, and that no process is left."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def children_of(server):
    """Every process whose environment or command names the state folder of the server."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in (os.getpid(), server.process.pid):
            try:
                text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if str(server.state).encode() in text and state != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_ends_leaves_no_process_and_fails_its_jobs(
    own_server, name, job_request, job_log, put_model, until, how
):
    server = own_server
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    server.sagemaker.create_training_job(**job_request(name, hyperparameters={"behaviour": "stubborn"}))
    until(lambda: "waiting" in job_log(name))
    assert len(children_of(server)) >= 2

    server.end(how)
    until(lambda: not children_of(server), what="the end of the children")
    server.start()

    job = server.job(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: The local SageMaker was stopped while the job ran")
    assert server.endpoint(name)["EndpointStatus"] == "InService"
    answer = server.runtime.invoke_endpoint(EndpointName=name, Body=b"model?")
    assert json.loads(answer["Body"].read()) == {"model": name}


def test_an_update_that_was_in_progress_continues(own_server, s3, name, put_model):
    server = own_server
    put_model(server, name)
    put_model(server, f"{name}-2")
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    server.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")

    server.end(signal.SIGKILL)
    server.start()

    assert server.finished_endpoint(name)["EndpointConfigName"] == f"{name}-2"


def test_a_server_killed_during_faults_leaves_no_process(own_server, name, job_request, job_log, put_model, until):
    server = own_server
    put_model(server, name)
    put_model(server, f"{name}-2")
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    server.plan(
        {"fault": "slow_download", "seconds": 600, "where": {"TrainingJobName": f"{name}-downloads"}},
        {"fault": "interrupt_spot", "after_s": 0, "wait_s": 600},
    )
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
    }
    stubborn = {"behaviour": "stubborn"}
    server.sagemaker.create_training_job(**job_request(f"{name}-downloads"))
    server.sagemaker.create_training_job(**job_request(f"{name}-waits", hyperparameters=stubborn, **spot))
    server.sagemaker.create_training_job(**job_request(f"{name}-stops", hyperparameters=stubborn))
    until(lambda: "waiting" in job_log(f"{name}-stops"))
    until(lambda: server.job(f"{name}-waits")["SecondaryStatus"] == "Interrupted")
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 600}
    watched = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    server.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2", DeploymentConfig=watched)
    until(lambda: json.loads(invoke(server, name)) == {"model": f"{name}-2"})
    server.sagemaker.stop_training_job(TrainingJobName=f"{name}-stops")

    server.end(signal.SIGKILL)
    until(lambda: not children_of(server), what="the end of the children")
    server.fault_plan.unlink()
    server.start()

    ended = {what: server.job(f"{name}-{what}")["TrainingJobStatus"] for what in ("downloads", "waits", "stops")}
    assert ended == {"downloads": "Failed", "waits": "Failed", "stops": "Stopped"}
    assert server.endpoint(name)["EndpointStatus"] == "Updating"
    until(lambda: json.loads(invoke(server, name)) == {"model": f"{name}-2"})


def invoke(server, name):
    return server.runtime.invoke_endpoint(EndpointName=name, Body=b"model?")["Body"].read()


def test_a_second_server_on_the_same_state_is_refused_in_one_sentence(own_server):
    command = [sys.executable, "-m", "local_aws.sagemaker", "--state", str(own_server.state), "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "include")}

    second = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=False)

    assert second.returncode == 1
    assert second.stderr.strip() == (
        f"Another process ({own_server.process.pid}) works in {own_server.state}; stop it, or choose another folder."
    )


def test_an_endpoint_that_cannot_be_served_again_leaves_nothing_that_runs(own_server, name, put_model, until):
    server = own_server
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)
    server.end(signal.SIGKILL)
    (model,) = (server.state / "endpoints" / name).rglob("model.json")
    model.write_text("refuse-to-serve")
    server.start()
    until(lambda: server.endpoint(name)["EndpointStatus"] == "Failed", what="the end of the tries")

    model.write_text("well again")  # another attempt would succeed from now on
    put_model(server, f"{name}-2", settings="refuse-to-serve")
    server.sagemaker.create_endpoint(EndpointName=f"{name}-2", EndpointConfigName=f"{name}-2")
    assert server.finished_endpoint(f"{name}-2")["EndpointStatus"] == "Failed"  # takes as long as all attempts

    until(lambda: children_of(server) == [], what="the end of the children")
    assert server.endpoint(name)["EndpointStatus"] == "Failed"
