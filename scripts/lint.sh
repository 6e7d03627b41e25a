#!/usr/bin/env bash
# The linters: formatting, shell scripts, spelling. Prints what is wrong and exits 1, or exits 0.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

install_missing clang-format shellcheck codespell
failed=0
git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run --Werror || failed=1
shellcheck -x -P scripts scripts/*.sh .ci/run || failed=1
shellcheck -s bash cli/completion.bash || failed=1
git ls-files "*.md" "*.c" "*.h" "*.sh" "*.py" "*.proto" | xargs -r codespell -q 3 || failed=1
[ "$failed" = 0 ] || { echo "lint: see above" >&2; exit 1; }
echo "lint: clean" >&2
