import pytest


@pytest.fixture(autouse=True)
def _boto3_uploads(monkeypatch):
    """obstore is not stopped by moto: it would ask AWS itself."""
    monkeypatch.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: None)
