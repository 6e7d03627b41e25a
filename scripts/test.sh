#!/usr/bin/env bash
# Installs what is missing, builds, and passes the tests. Extra arguments go to `meson test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

# A framework on mesos-go is run against the embedded cluster; any Go compiles it.
go=()
command -v go >/dev/null || go=(golang-go)
install_missing "${quern_packages[@]}" golang-github-mesos-mesos-go-dev groff-base "${go[@]}"
build build-test --werror
meson test -C build-test --print-errorlogs "$@"
