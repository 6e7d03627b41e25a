#!/usr/bin/env bash
# Installs what is missing, builds, and counts the words of a text on an embedded Mesos cluster, in each mode; checks
# the counts against sort and uniq. The text: the file or folder given, or the licences that every Debian machine has.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

text=${1:-/usr/share/common-licenses}
[ -r "$text" ] || { echo "demo: cannot read $text" >&2; exit 1; }
install_missing "${quern_packages[@]}"
build build

demo=build/demo
rm -rf "$demo"
mkdir -p "$demo"
for mode in coarse fine adaptive; do
	echo
	echo "\$ quern run --master 'local[4]' --mode $mode examples/wordcount.c $text $demo/$mode"
	time build/cli/quern run --master 'local[4]' --mode "$mode" examples/wordcount.c "$text" "$demo/$mode"
done

# The same counts by other tools; awk only swaps the columns. A file's end ends its last word.
find -L "$text" -type f -exec awk 1 {} + |
	tr -s '[:space:]' '\n' | LC_ALL=C sort | uniq -c |
	LC_ALL=C awk '$2 != "" { print $2 "\t" $1 }' | LC_ALL=C sort >"$demo/expected"
for mode in coarse fine adaptive; do
	LC_ALL=C sort "$demo/$mode"/part-* | cmp - "$demo/expected"
done

echo
echo "The ten most frequent words:"
sort -t "$(printf '\t')" -k2,2nr -k1,1 "$demo/coarse"/part-* | sed -n '1,10p'
echo
echo "The output is in $demo/coarse, $demo/fine and $demo/adaptive; tr, sort and uniq -c count the same ($(wc -l <"$demo/expected") words)."
