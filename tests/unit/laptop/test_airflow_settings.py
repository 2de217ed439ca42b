"""What Airflow is told of its deployment here."""

from laptop.airflow_settings import deployment
from laptop.place import Place

READY = {
    "endpoint_url": "http://127.0.0.1:4566",
    "sagemaker_endpoint_url": "http://127.0.0.1:4567",
    "region": "us-east-1",
    "account": "000000000000",
    "settings": {"IMAGE_CLASSIFIER_BUCKET": "a-bucket"},
    "aws": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
}


def test_an_image_of_ones_own_is_the_local_accounts_and_so_free_of_the_built_ins_rules(tmp_path):
    told = deployment(Place(state=tmp_path, aws_port=0, sagemaker_port=0, airflow_port=0), READY)

    image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    assert told["IMAGE_CLASSIFIER_ALGORITHM_IMAGE"] == image
    assert told["IMAGE_CLASSIFIER_BUCKET"] == "a-bucket"
