"""What Airflow is told of its deployment here."""

from sqlalchemy import make_url

from laptop.airflow_settings import COMPONENTS, configuration, deployment
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


def test_every_component_outwaits_the_api_server_when_the_database_is_locked(tmp_path):
    place = Place(state=tmp_path, aws_port=0, sagemaker_port=0, airflow_port=0)

    waits_s = {component: lock_wait_s(place, component) for component in COMPONENTS}

    assert waits_s.pop("api-server") == 5
    assert min(waits_s.values()) >= 60


def lock_wait_s(place: Place, component: str) -> float:
    """As SQLAlchemy tells Python's sqlite3, whose own default is five seconds."""
    url = make_url(configuration(place, component=component)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    _, options = url.get_dialect()().create_connect_args(url)
    return float(options.get("timeout", 5))
