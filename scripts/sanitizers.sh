#!/usr/bin/env bash
# Runs the tests under AddressSanitizer and UndefinedBehaviorSanitizer, and then under valgrind: the unit tests, and the
# end-to-end tests with every process of quern's. Slow: not part of scripts/test.sh.
# Usage: scripts/sanitizers.sh [asan|valgrind] [MESON_TEST_ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

what=all
case "${1-}" in
asan | valgrind)
	what=$1
	shift
	;;
esac
export QUERN_SIM_SEEDS=100 # of tests/scheduler/sim_test.c, in each mode
install_missing "${quern_packages[@]}" golang-github-mesos-mesos-go-dev groff-base valgrind

if [ "$what" != valgrind ]; then
	rm -f build-asan/sanitizer.log.*
	build build-asan --werror -Db_sanitize=address,undefined -Db_lundef=false
	# Jobs crash on purpose, which is for quern to report.
	ASAN_OPTIONS=detect_leaks=1:handle_segv=0:handle_abort=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		meson test -C build-asan --print-errorlogs -t 5 "$@"
	if ls build-asan/sanitizer.log.* >/dev/null 2>&1; then # of executors, see tests/sanitizer/options.c
		cat build-asan/sanitizer.log.*
		exit 1
	fi
fi
if [ "$what" != asan ]; then
	valgrind=(valgrind -q --vgdb=no --leak-check=full --show-leak-kinds=definite
		--errors-for-leak-kinds=definite)
	build build-test --werror
	meson test -C build-test --print-errorlogs -t 20 --suite unit \
		--wrapper "${valgrind[*]} --error-exitcode=99 --child-silent-after-fork=yes" "$@"
	# Every process of quern's, agents' and executors' too, each with a log of its own.
	logs=$PWD/build-test/valgrind
	rm -rf "$logs"
	mkdir "$logs"
	skip="--trace-children-skip=*/cc,*/sh,*/ld,*/as,*/cc1,*/collect2"
	QUERN_WRAPPER="${valgrind[*]} --log-file=$logs/%p --trace-children=yes $skip" \
		QUERN_TEST_TIMEOUT=1200 meson test -C build-test --print-errorlogs -t 20 --suite e2e "$@"
	find "$logs" -size +0 -exec cat {} + >"$logs.found"
	if [ -s "$logs.found" ]; then
		cat "$logs.found"
		exit 1
	fi
fi
