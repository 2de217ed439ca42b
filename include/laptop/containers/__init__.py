"""Contains what docker-compose.yaml runs besides Airflow: secrets, the connection to the local AWS, health, a demo."""
