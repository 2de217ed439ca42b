#!/bin/sh
# `train` or `serve`, as SageMaker calls the container. SageMaker's folders belong to root, and training writes into
# them: it stays root. Serving only reads, so it gives its rights up, wherever the model can be read without them.
set -eu
AS_NOBODY="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --no-new-privs"
IS_READABLE='for file in "$0"/*; do test -r "$file" || exit 1; done'

if [ "${1:-}" = serve ] && $AS_NOBODY sh -c "$IS_READABLE" "${SAGEMAKER_BASE_DIR:-/opt/ml}/model" 2>/dev/null; then
  exec $AS_NOBODY python -m image_classification_algorithm "$@"
fi
exec python -m image_classification_algorithm "$@"
