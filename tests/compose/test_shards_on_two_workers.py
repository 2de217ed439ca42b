"""Two Celery workers of docker-compose.yaml prepare the shards of one data set, from a folder that both mount."""

import pytest
from tests.chaos.airflow_runs import FINISHED, Airflow
from tests.chaos.classifiers import write_many

pytestmark = pytest.mark.timeout(1800)

NAME, SHARD, DATASET = "many", "prepare.prepare_shard", "prepare.prepare_dataset"
IMAGES, BROKEN, SHARDS = 5_100, 10, 2  # a mapped shard has 5,000 images at most
FILE = """\
source: own/many
preparation: {runner: mapped}
hyperparameters: {num_layers: 20, image_shape: "3,28,28", epochs: 1}
"""


@pytest.fixture(scope="module")
def airflow(stack):
    """Airflow with two workers that run one task at a time, images in `data/`, and the classifier of these images."""
    write_many(stack.folder / "data" / NAME, images=IMAGES, broken=BROKEN)
    (stack.folder / "include" / "classifiers" / f"{NAME}.yaml").write_text(FILE)
    stack.write_env(
        COMPOSE_PROFILES="local-aws,celery",
        AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
        AIRFLOW__CELERY__WORKER_CONCURRENCY="1",
    )
    stack.up("--build", "--scale", "worker=2")
    yield Airflow(stack.place())
    stack.compose("--profile", "*", "down", "--volumes")


def test_two_workers_prepare_the_shards_of_one_data_set(stack, airflow):
    run = airflow.ordered_run(f"{NAME}_train_and_deploy", NAME, conf={})
    assert run.await_task(DATASET, FINISHED, seconds=900) == "success", run.explain()
    run.give_up()

    shards = run.all(SHARD)
    workers = {name[:12] for name in stack.compose("ps", "--quiet", "worker").split()}
    assert [shard["state"] for shard in shards] == ["success"] * SHARDS
    assert {shard["hostname"] for shard in shards} == workers
    dataset = airflow.result(run.dag_id, run.run_id, DATASET)
    assert (dataset["uploaded"], dataset["rejected"]) == (IMAGES - BROKEN, BROKEN)
