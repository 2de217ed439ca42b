# Airflow with this package inside: every part of docker-compose.yaml but the local AWS. `docker build .` makes it alone.
# Any Python 3.11 to 3.13 on glibc serves as a base, for amd64 or arm64; packages may be installed in an image of its own.
ARG BASE_IMAGE=python:3.12-slim-bookworm@sha256:54c85f3c47607a77f32adec749d3c81d1348bf25833671f512b26a9b6d778cb3
ARG BUILD_IMAGE=${BASE_IMAGE}

FROM ${BUILD_IMAGE} AS packages
ENV PATH=/opt/python/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/python
COPY requirements-containers.txt .
# A package index of your own comes as the secret `pip`, a pip.conf, which stays out of the image. The file names every
# package; pip's own search would take an extra (celery[redis]) for another package than the one that is pinned.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --no-cache-dir --require-hashes --no-deps -r requirements-containers.txt && pip check

FROM packages AS wheels
ENV XDG_CACHE_HOME=/wheels PYTHONPATH=/opt/airflow/include
COPY include /opt/airflow/include
COPY lambda /opt/airflow/lambda
RUN --mount=type=secret,id=pip,target=/etc/pip.conf python -m laptop.containers.function_wheels

FROM ${BASE_IMAGE}
# Airflow asks for the user's name, which a user chosen at run time (docker-compose.yaml, AIRFLOW_UID) has not.
ENV PATH=/opt/python/bin:$PATH PYTHONUNBUFFERED=1 LOGNAME=airflow HOME=/opt/airflow \
    XDG_CACHE_HOME=/opt/airflow/cache \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/airflow/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/airflow/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    IMAGE_CLASSIFIER_DATA_FOLDER=/opt/airflow/data \
    PYTHONPATH=/opt/airflow/include
# Volumes start with the owner and the rights of these folders; group 0 is every container's.
RUN useradd --uid 50000 --gid 0 --no-create-home --home-dir /opt/airflow airflow \
    && install -d -m 2775 -o 50000 -g 0 /opt/airflow /opt/airflow/logs /opt/airflow/data /opt/airflow/data/own /opt/local-aws \
    && install -d -m 2770 -o 50000 -g 0 /opt/airflow/secrets \
    && install -d -m 2775 -o 50000 -g 0 /opt/database-secrets /opt/broker-secrets
COPY --from=packages /opt/python /opt/python
COPY --from=wheels --chown=50000:0 --chmod=775 /wheels /opt/airflow/cache
COPY include /opt/airflow/include
COPY lambda /opt/airflow/lambda
COPY plugins /opt/airflow/plugins
COPY dags /opt/airflow/dags
# A checkout may be readable by its owner alone.
RUN chmod -R a+rX /opt/airflow/include /opt/airflow/lambda /opt/airflow/plugins /opt/airflow/dags

WORKDIR /opt/airflow
USER 50000:0
EXPOSE 8080
ENTRYPOINT ["python", "-m", "laptop.containers"]
CMD ["airflow", "version"]
