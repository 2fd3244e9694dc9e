#!/bin/sh
# symbols.sh: what the shared library exports is what symbols.txt lists: a function that is gone breaks programs, one more is a promise.
# Usage: symbols.sh SHARED_LIBRARY [--record]
set -eu
command -v nm >/dev/null || {
	echo "there is no nm" >&2
	exit 77
}
list=$HARDY_SOURCE/tests/library/symbols.txt
found=$(mktemp)
trap 'rm -f "$found"' EXIT
nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort >"$found"
if [ "${2:-}" = --record ]; then
	cp "$found" "$list"
fi
diff "$list" "$found" || {
	echo "the exported symbols (>) are not those of tests/library/symbols.txt (<)"
	echo "one more: add it to the list (symbols.sh LIBRARY --record); one less: programs break, see docs/LIBRARY.md"
	exit 1
}
# Every one stands in a header, behind HARDY_API.
while read -r name; do
	cat "$HARDY_SOURCE"/include/hardy/*.h | tr '\n' ' ' | grep -q "HARDY_API [a-z0-9_ *]*\b$name(" || {
		echo "$name stands in no header"
		exit 1
	}
done <"$found"
echo "$(wc -l <"$found") symbols"
