#!/bin/sh
# Write requirements*.txt, with hashes, from the pins and groups of pyproject.toml. `make lock` runs it with uv on PATH.
set -eu
compile() { uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate "$@"; }
compile --group uv -o requirements-uv.txt
compile pyproject.toml --group airflow -o requirements.txt
compile -c requirements.txt pyproject.toml --group airflow --group dev -o requirements-dev.txt
compile pyproject.toml --group airflow-oldest -o requirements-airflow-oldest.txt
compile -c requirements.txt pyproject.toml --group airflow --group containers -o requirements-containers.txt
compile --group local-aws -o requirements-local-aws.txt
compile -c requirements-local-aws.txt --group algorithm -o requirements-algorithm.txt
compile -c requirements-local-aws.txt --group preparation -o requirements-preparation.txt
compile -c requirements-local-aws.txt --group local-aws --group test -o requirements-local-aws-dev.txt
for client in sagemaker-2 sagemaker-3 aws-cli moto; do
  compile --group "client-$client" -o "tests/clients/requirements/$client.txt"
done
