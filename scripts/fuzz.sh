#!/usr/bin/env bash
# Runs the fuzz targets: scripts/fuzz.sh [SECONDS-EACH] [TARGET...]; 60 s and all targets without arguments. What is found
# is kept in build-fuzz/findings/. One line per target; exit status 1 when something was found.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

seconds=${1:-60}
shift || true
install_missing "${quern_packages[@]}" clang libclang-rt-14-dev
# The libraries are instrumented as well: without that libFuzzer sees nothing of them.
[ -f build-fuzz/build.ninja ] || CC=clang CFLAGS=-fsanitize=fuzzer-no-link meson setup build-fuzz -Dfuzz=true \
	-Db_sanitize=address,undefined -Db_lundef=false >&2
ninja -C build-fuzz fuzz-programs >&2

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
	for source in tests/fuzz/*.in; do
		target=$(basename "$source" .in)
		[ ! -x "build-fuzz/tests/fuzz/fuzz_$target" ] || targets+=("$target")
	done
fi
mkdir -p build-fuzz/findings
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
failed=0
for target in "${targets[@]}"; do
	corpus=build-fuzz/corpus/$target log=build-fuzz/findings/$target.log
	mkdir -p "$corpus"
	result="no finding"
	# New inputs go into the first folder; the seeds stay as they are.
	if ! "build-fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="build-fuzz/findings/$target-" \
		"$corpus" "tests/fuzz/$target.in" >"$log" 2>&1; then
		result="FOUND: $(grep -m 1 -E 'ERROR: |runtime error|Assertion' "$log" || tail -n 1 "$log")"
		failed=1
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	cover=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	echo "$target: ${runs:-?} runs in $seconds s, $cover edges: $result"
done
exit "$failed"
