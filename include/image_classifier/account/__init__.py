"""Creates and deletes the resources that all classifiers share in an AWS account; no Dag uses this folder."""
