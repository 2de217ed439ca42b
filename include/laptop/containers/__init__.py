"""Contains the programs of docker-compose.yaml besides Airflow: secrets, connection, health checks, demonstration."""
