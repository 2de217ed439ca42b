"""What docker-compose.yaml runs around Airflow: secrets, the way to the local AWS, health, a demonstration."""
