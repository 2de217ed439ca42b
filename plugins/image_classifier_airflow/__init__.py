"""Contains the Airflow part of the image classifier: operators, triggers, the trigger form and the tasks' functions."""
