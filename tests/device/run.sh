#!/bin/sh
# Everything that needs a device, from a bare checkout: tests/device/run.sh [--device cuda|cpu] [--out DIR]
root=$(cd "$(dirname "$0")/../.." && pwd)
PYTHONPATH="$root" exec "${PYTHON:-python3}" "$root/tests/device/run.py" "$@"
