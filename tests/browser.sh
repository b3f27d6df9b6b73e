#!/usr/bin/env bash
# What the tests of pages need, into an environment: tests/browser.sh .venv
# Debian's chromium where it is not here and apt can have it, playwright and axe by pip; playwright's own download of a
# browser is not used. Where it cannot be had the last line says why, and the status is 1.
set -uo pipefail
python=${1:?"usage: tests/browser.sh ENVIRONMENT"}/bin/python

fail() { echo "$*"; exit 1; }

if ! command -v chromium chromium-browser > /dev/null; then
  command -v apt-get > /dev/null || fail "no chromium here, and no apt-get to install it"
  test "$(id -u)" -eq 0 || fail "no chromium here, and only root can install it: apt-get install chromium"
  log=$(mktemp)
  { timeout 60 apt-get -qq update && timeout 240 apt-get -qq install -y --no-install-recommends chromium; } > "$log" 2>&1 ||
    fail "chromium could not be installed: $(tail -n 1 "$log")"
fi
root=$(cd "$(dirname "$0")/.." && pwd)
said=$(timeout 180 "$python" -m pip install -q -c "$root/constraints.txt" -e "$root[browser]" 2>&1) ||
  fail "playwright could not be installed: $(tail -n 1 <<< "$said")"
