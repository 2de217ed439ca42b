"""SIGKILL of a mapped task and of the scheduler: the mapped tasks make the same data set as one task."""

import re

import pytest
from tests.chaos.airflow_runs import Run
from tests.chaos.classifiers import write_many
from tests.chaos.datasets import await_dataset, await_images, content, uploaded_twice

pytestmark = pytest.mark.timeout(900)

MAPPED, ONE_TASK = CLASSIFIERS = ("many-mapped", "many-in-a-task")
IMAGES, BROKEN, SHARDS = 5_100, 20, 2  # a mapped shard has 5,000 images at most
SHARD = "prepare.prepare_shard"
INTRODUCTION = "Shard 2 of 2: 2,550 images"
PROGRESS = re.compile(r"[\d,]+ of [\d,]+ images inspected, (\d+) rejected; [\d,]+ a second")


def begin(airflow, name: str) -> Run:
    return airflow.ordered_run(f"{name}_train_and_deploy", name, conf={})


@pytest.fixture(scope="module")
def in_one_task(services, airflow, aws):
    """Fingerprint and content as one task makes them, which nothing disturbs."""
    write_many(services.place.images / "many", images=IMAGES, broken=BROKEN)
    run = begin(airflow, ONE_TASK)
    dataset = await_dataset(run)
    run.give_up()
    return dataset["fingerprint"], content(aws, ONE_TASK)


def test_mapped_tasks_and_the_scheduler_are_killed(services, airflow, aws, in_one_task, row):
    run = begin(airflow, MAPPED)
    await_images(aws, MAPPED, IMAGES // 20)
    run.kill_process(SHARD, map_index=1)
    await_images(aws, MAPPED, IMAGES // 3)
    services.restart("scheduler")
    dataset = await_dataset(run)
    run.give_up()

    tries = [task["try_number"] for task in sorted(run.all(SHARD), key=lambda task: task["map_index"])]
    twice, same = uploaded_twice(aws, MAPPED), (dataset["fingerprint"], content(aws, MAPPED)) == in_one_task
    found = f"tries {tries}: {'the same' if same else 'another'} data set, {len(twice)} images went up twice"
    row.check_ours(same and not twice and len(tries) == SHARDS and tries[1] > 1, found)


def test_the_log_of_a_mapped_task_says_how_far_it_is(airflow, in_one_task, row):
    run = Run(airflow, f"{MAPPED}_train_and_deploy", MAPPED)
    logs = [run.log(SHARD, map_index=number) for number in range(SHARDS)]
    lines = [line for log in logs for line in PROGRESS.finditer(log)]

    rejected = max(int(line[1]) for line in lines)  # what a killed try says last is lost with the scheduler
    row.check_ours(INTRODUCTION in logs[1] and 0 < rejected < BROKEN, f"{INTRODUCTION}; {lines[-1][0]}")
