"""What a Dag does today for an S3 event notification, for which the provider has no operator: read, add, write."""

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import DAG, task

with DAG(dag_id="stock_trigger", schedule=None, params={"bucket": "", "entry": {}}):

    @task
    def add_notification(params: dict) -> None:
        """The few lines of every tutorial."""
        client, bucket = S3Hook().conn, params["bucket"]
        found = client.get_bucket_notification_configuration(Bucket=bucket)
        found.pop("ResponseMetadata", None)
        found.setdefault("LambdaFunctionConfigurations", []).append(params["entry"])
        client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=found)

    add_notification()
