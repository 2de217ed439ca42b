"""Airflow's side of the image classifier: operators, triggers, the trigger form and the functions behind the tasks."""
