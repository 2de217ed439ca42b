"""The images are planned once and classified by one mapped task per share."""


def test_shares_are_classified_after_the_plan(shipped):
    dag = shipped.dags["image_classifier_classify_existing"]

    assert (dag.schedule, dag.max_active_runs) == (None, 1)
    assert dag.get_task("classify").is_mapped
    assert dag.get_task("classify").upstream_task_ids == {"plan"}
