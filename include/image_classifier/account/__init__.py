"""Deploys to an AWS account what all classifiers share, and removes everything again; nothing here runs in a Dag."""
