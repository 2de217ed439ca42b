"""Checks the web pages of SageMaker's resources."""

import httpx


def test_a_training_job_shows_its_state_hyperparameters_metrics_and_log(server, name, job_request, with_metrics, page):
    server.sagemaker.create_training_job(**with_metrics(job_request(name, hyperparameters={"epochs": "2"})))
    server.ended_job(name)

    status, html = page(server, f"training-jobs/{name}")

    assert status == 200
    assert f"Training job {name}" in html
    assert "<p>Completed, Completed</p>" in html
    assert "<th>epochs</th><td>2</td>" in html
    assert "validation:accuracy" in html
    assert f"models/{name}/output/model.tar.gz" in html
    assert "Epoch[1] Validation-accuracy=0.5" in html


def test_a_transform_job_shows_its_state_and_logs_and_leads_to_its_model(server, s3, name, put_model, until, page):
    put_model(server, name)
    s3.put_object(Bucket="images", Key=f"data/{name}/1.jpg", Body=b"bad")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://images/data/{name}/"}
    server.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": "s3://images/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    until(lambda: "<p>Failed, with " in page(server, f"transform-jobs/{name}")[1])

    _, html = page(server, f"transform-jobs/{name}")

    assert f'<a href="../models/{name}">' in html
    assert "ClientError: See job logs for more information" in html
    assert "that is no image" in html


def test_an_endpoint_shows_its_state_and_leads_to_its_config_and_model(server, name, put_model, page):
    put_model(server, name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    server.finished_endpoint(name)

    _, endpoint = page(server, f"endpoints/{name}")
    _, config = page(server, f"endpoint-configs/{name}")
    _, model = page(server, f"models/{name}")

    assert "<p>InService, with " in endpoint
    assert f'<a href="../endpoint-configs/{name}">' in endpoint
    assert f'<a href="../models/{name}">' in config
    assert f"artifacts/{name}/model.tar.gz" in model


def test_what_is_not_there_is_not_found_with_the_words_of_the_api(server, name, page):
    status, html = page(server, f"training-jobs/{name}")

    assert status == 404
    assert "Requested resource not found" in html


def test_a_page_only_reads(server, name):
    answer = httpx.post(f"{server.url}/_console/training-jobs/{name}", trust_env=False)

    assert answer.status_code == 405
