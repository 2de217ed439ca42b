"""What the package knows about image classification on AWS, without Airflow: AWS clients come in as arguments."""
