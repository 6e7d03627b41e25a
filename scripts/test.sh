#!/usr/bin/env bash
# Installs what is missing, builds, and passes the tests. Extra arguments go to `meson test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

# A framework on mesos-go is run against the embedded cluster; any Go compiles it.
go=()
command -v go >/dev/null || go=(golang-go)
# A real HDFS is started from Hadoop's jars, which Maven fetches once; any JDK runs them.
hadoop=()
command -v mvn >/dev/null || hadoop+=(maven)
command -v javac >/dev/null || hadoop+=(default-jdk-headless)
# Some of its tests want certificates, and Kerberos.
hadoop+=(openssl krb5-kdc krb5-admin-server krb5-user)
# ZooKeeper is started from its jars.
install_missing "${quern_packages[@]}" golang-github-mesos-mesos-go-dev groff-base libzookeeper-java "${go[@]}" "${hadoop[@]}"
build build-test --werror
meson test -C build-test --print-errorlogs "$@"
