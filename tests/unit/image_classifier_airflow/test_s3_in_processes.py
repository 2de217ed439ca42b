import pickle
import subprocess
import sys

import pytest
from botocore.exceptions import NoCredentialsError

from image_classifier_airflow.s3_in_processes import S3Connections


@pytest.fixture
def connection(monkeypatch):
    monkeypatch.setenv(
        "AIRFLOW_CONN_AWS_TEST",
        '{"conn_type": "aws", "login": "an-id", "password": "a-secret", "extra": {"region_name": "eu-west-1", '
        '"endpoint_url": "http://127.0.0.1:9", "verify": false, "config_kwargs": {"max_pool_connections": 17}}}',
    )
    return S3Connections("aws_test")


def test_another_process_gets_the_client_of_the_airflow_connection(connection):
    s3 = pickle.loads(pickle.dumps(connection()))()

    assert s3.meta.endpoint_url == "http://127.0.0.1:9"
    assert (s3.meta.region_name, s3.meta.config.max_pool_connections) == ("eu-west-1", 17)
    assert s3.generate_presigned_url("get_object", {"Bucket": "some-bucket", "Key": "k"}).count("an-id") == 1


def test_the_same_credentials_make_one_client_and_are_not_shown(connection):
    first, again = connection(), connection()

    assert (first, hash(first)) == (again, hash(again))
    assert "a-secret" not in repr(first)


def test_without_credentials_botocore_s_own_error_is_raised(connection, monkeypatch):
    monkeypatch.setattr("boto3.Session.get_credentials", lambda _: None)

    with pytest.raises(NoCredentialsError):
        connection()


def test_a_process_that_prepares_images_imports_nothing_of_airflow():
    check = "import image_classifier_airflow.s3_in_processes, sys; sys.exit('airflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {check}"]).returncode == 0
