#!/usr/bin/env bash
# Installs what is missing, builds, and passes the tests. Extra arguments go to `meson test`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

# What only tests need is installed and fetched while the rest is compiled.
for_tests() {
	# A framework on mesos-go is run against the embedded cluster; any Go compiles it.
	local go=() hadoop=()
	command -v go >/dev/null || go=(golang-go)
	# A real HDFS is started from Hadoop's jars, which Maven fetches once; any JDK runs them.
	command -v mvn >/dev/null || hadoop+=(maven)
	command -v javac >/dev/null || hadoop+=(default-jdk-headless)
	# Some of its tests want certificates, and Kerberos.
	hadoop+=(openssl krb5-kdc krb5-admin-server krb5-user)
	# ZooKeeper is started from its jars. A bench's page is looked at in a browser.
	install_missing golang-github-mesos-mesos-go-dev groff-base libzookeeper-java chromium-headless-shell "${go[@]}" \
		"${hadoop[@]}"
	python3 tests/hdfs/jars.py || : # tests skip or fail without them, and say so
}

install_missing "${quern_packages[@]}"
for_tests &
installing=$!
build build-test --werror || { wait; exit 1; }
wait "$installing"
# One more than processors, as some tests wait more than they compute.
meson test -C build-test --print-errorlogs --num-processes $(($(nproc) + 1)) "$@"
