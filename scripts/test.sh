#!/usr/bin/env bash
# Installs what is missing, builds, and passes the tests. Extra arguments go to `meson test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

install_missing "${quern_packages[@]}" golang-github-mesos-mesos-go-dev
build build-test --werror
meson test -C build-test --print-errorlogs "$@"
