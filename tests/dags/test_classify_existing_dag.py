"""Checks that the images are planned once and classified by one mapped task per share."""

import itertools


def test_shares_are_classified_after_the_plan(shipped):
    dag = shipped.dags["image_classifier_classify_existing"]

    assert (dag.schedule, dag.max_active_runs) == (None, 1)
    assert dag.get_task("classify").is_mapped
    assert dag.get_task("classify").upstream_task_ids == {"endpoint_shares"}
    assert dag.get_task("endpoint_shares").upstream_task_ids == {"plan"}


def test_many_images_go_through_one_transform_job_between_two_mapped_tasks(shipped):
    dag = shipped.dags["image_classifier_classify_existing"]
    order = ["prepare_images", "plan_transform", "transform", "write_records", "delete_prepared_images"]

    assert [dag.get_task(task).is_mapped for task in order] == [True, False, False, True, False]
    for task, later in itertools.pairwise(order):
        assert task in dag.get_task(later).upstream_task_ids
    assert dag.params["transform_above"] == 20_000
