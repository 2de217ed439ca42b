"""What the local AWS writes into ready.json, for tests of what reads it."""

READY = {
    "endpoint_url": "http://127.0.0.1:4566",
    "sagemaker_endpoint_url": "http://127.0.0.1:4567",
    "region": "us-east-1",
    "account": "000000000000",
    "settings": {"IMAGE_CLASSIFIER_BUCKET": "a-bucket"},
    "aws": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
    "api_server": {"AWS_ACCESS_KEY_ID": "c", "AWS_SECRET_ACCESS_KEY": "d"},
}
