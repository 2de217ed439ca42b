"""Checks which instance gets an invocation, and how a deployment is retired."""

import threading
import time

import pytest

from local_aws.sagemaker.container import Limits
from local_aws.sagemaker.hosting.deployment import Deployment


class FakeInstance:
    def __init__(self, variant, *, healthy=True):
        self.variant, self.in_flight, self.stopped = variant, 0, False
        self.healthy = threading.Event()
        if healthy:
            self.healthy.set()

    def stop(self):
        self.stopped = True


def deployment(tmp_path, *instances, weights=None, drain_s=5.0):
    names = dict.fromkeys(instance.variant for instance in instances)
    variants = [{"VariantName": name, "InitialVariantWeight": (weights or {}).get(name, 1.0)} for name in names]
    plan = {"config": {"ProductionVariants": variants}}
    made = Deployment("e", plan=plan, folder=tmp_path, aws=None, images=None, limits=Limits(drain_s=drain_s))
    made.instances = list(instances)
    return made


def test_invocations_go_to_the_instance_with_the_fewest(tmp_path):
    first, second = FakeInstance("a"), FakeInstance("a")
    serving = deployment(tmp_path, first, second)

    assert {serving.acquire(), serving.acquire()} == {first, second}
    serving.release(second)
    assert serving.acquire() is second


def test_variants_get_their_share_in_turn(tmp_path):
    serving = deployment(tmp_path, FakeInstance("a"), FakeInstance("b"), weights={"b": 2.0})

    assert [serving.acquire().variant for _ in range(6)] == ["b", "a", "b", "b", "a", "b"]
    assert serving.acquire(variant="a").variant == "a"


def test_without_a_healthy_instance_the_caller_must_wait(tmp_path):
    serving = deployment(tmp_path, FakeInstance("a", healthy=False))

    with pytest.raises(LookupError):
        serving.acquire()


def test_a_retired_deployment_stops_after_its_last_invocation(tmp_path):
    instance = FakeInstance("a")
    serving = deployment(tmp_path, instance)
    serving.acquire()
    leaving = threading.Thread(target=serving.retire)
    leaving.start()
    while serving.acquire() is not None:
        serving.release(instance)
    stopped_early = instance.stopped

    serving.release(instance)
    leaving.join(5)

    assert (stopped_early, instance.stopped) == (False, True)


def test_a_request_that_never_ends_does_not_hold_the_deployment_for_ever(tmp_path):
    instance = FakeInstance("a")
    serving = deployment(tmp_path, instance, drain_s=0.05)
    serving.acquire()
    begin = time.monotonic()

    serving.retire()

    assert instance.stopped
    assert time.monotonic() - begin < 5
