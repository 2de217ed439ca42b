#!/bin/sh
# Makes stand-ins for the images that the Dockerfiles and docker-compose.yaml start from, out of Debian's packages: for a machine
# that reaches those and no image registry. Run as root, with debootstrap and a Docker engine.
# The Python under the tag is Debian 12's 3.11, Postgres is Debian 13's 17, Redis is Debian 13's 8.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# debian <tag> <release> <packages>: a Debian of the release with these packages and this machine's certificates.
debian() {
  debootstrap --variant=minbase --include="ca-certificates,$3" "$2" "$WORK/debian" "$MIRROR" >"$WORK/log" 2>&1 || {
    tail "$WORK/log"
    exit 1
  }
  rm -rf "$WORK/debian/var/cache/apt" "$WORK/debian/var/lib/apt/lists" "$WORK/debian/usr/share/doc" "$WORK/debian/usr/share/locale"
  mkdir -p "$WORK/debian/var/cache/apt/archives/partial" "$WORK/debian/var/lib/apt/lists/partial"
  cp /etc/ssl/certs/ca-certificates.crt "$WORK/debian/etc/ssl/certs/ca-certificates.crt"
  tar -C "$WORK/debian" -c . | docker import --change 'ENV LANG=C.UTF-8' - "$1" >/dev/null
  rm -rf "$WORK/debian"
  echo "$1"
}

# Where packages are installed: with the wheels that this machine's pip has on disk, and with its certificates.
with_wheels() {
  mkdir "$WORK/wheels"
  for folder in $(python3 -m pip config get global.find-links 2>/dev/null); do
    if test -d "$folder"; then cp "$folder"/*.whl "$WORK/wheels/"; fi
  done
  printf 'FROM %s\nCOPY wheels /opt/wheels\nENV PIP_FIND_LINKS=/opt/wheels PIP_CERT=/etc/ssl/certs/ca-certificates.crt\n' \
    "$PYTHON" >"$WORK/Dockerfile"
  docker build --quiet --tag "$PYTHON-build" "$WORK" >/dev/null
  echo "$PYTHON-build"
}

has() { docker image inspect "$1" >/dev/null 2>&1; }

PYTHON=python:3.12-slim-bookworm
has $PYTHON || debian $PYTHON bookworm python3,python3-venv
has $PYTHON-build || with_wheels
has debian:postgres || debian debian:postgres trixie postgresql-17
has postgres:17-trixie || docker build --quiet --tag postgres:17-trixie "$HERE/postgres"
has debian:redis || debian debian:redis trixie redis-server
has redis:8-trixie || docker build --quiet --tag redis:8-trixie "$HERE/redis"
echo "Tests with them, instead of the images that docker-compose.yaml pins by digest:"
echo "PYTHON_IMAGE=$PYTHON PYTHON_BUILD_IMAGE=$PYTHON-build POSTGRES_IMAGE=postgres:17-trixie REDIS_IMAGE=redis:8-trixie make compose-test"
