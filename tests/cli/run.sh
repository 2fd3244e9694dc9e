#!/bin/sh
# run.sh: the command line held to golden files.
#
# cases/NAME.sh runs in an empty folder with `hardy` on the path. Its exit code is compared with NAME.exit (0 when absent), its
# output with NAME.stdout and NAME.stderr (not compared when absent). In those, * and ? are wild within a line, and a line
# that is only ... stands for any number of lines. A case that exits 77 is skipped; its last line on stderr says why.
#
# Usage: run.sh [--record] [NAME...]; without names all, or with HARDY_STRIDE=N every N-th. --record writes what was found; look at the difference before committing it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
HARDY_SOURCE=${HARDY_SOURCE:-$(cd "$here/../.." && pwd)}
HARDY_PROGRAM=${HARDY_PROGRAM:-$HARDY_SOURCE/build/hardy}
export HARDY_SOURCE HARDY_PROGRAM
record=no
if [ "${1:-}" = --record ]; then
	record=yes
	shift
fi
[ -x "$HARDY_PROGRAM" ] || {
	echo "run.sh: $HARDY_PROGRAM is not there; build it first"
	exit 1
}
PATH=$(dirname "$HARDY_PROGRAM"):$PATH
export PATH
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n_passed=0
n_failed=0
n_skipped=0

# matches FOUND PATTERN: whether the whole file matches the pattern file.
matches() {
	pattern=$(sed -e 's/[][\\]/\\&/g' -e 's/^\.\.\.$/*/' "$2" && echo x)
	found=$(cat "$1" && echo x)
	case $found in
	$pattern) return 0 ;;
	*) return 1 ;;
	esac
}

# compare NAME STREAM: the stream of a case against its pattern.
compare() {
	[ -e "$here/cases/$1.$2" ] || return 0
	if [ $record = yes ]; then
		cp "$work/$2" "$here/cases/$1.$2"
	elif ! matches "$work/$2" "$here/cases/$1.$2"; then
		echo "FAIL $1: $2 is not as in cases/$1.$2:"
		diff "$here/cases/$1.$2" "$work/$2" | head -40
		return 1
	fi
}

run_case() {
	mkdir -p "$work/$1"
	(cd "$work/$1" && sh -eu "$here/cases/$1.sh" >"$work/stdout" 2>"$work/stderr" </dev/null)
	code=$?
	if [ $code = 77 ]; then
		echo "skip $1: $(tail -n 1 "$work/stderr")"
		n_skipped=$((n_skipped + 1))
		return
	fi
	want=0
	[ -e "$here/cases/$1.exit" ] && want=$(cat "$here/cases/$1.exit")
	good=yes
	if [ $record = yes ]; then
		rm -f "$here/cases/$1.exit"
		[ $code = 0 ] || echo $code >"$here/cases/$1.exit"
	elif [ "$code" != "$want" ]; then
		echo "FAIL $1: exit code is $code, want $want"
		cat "$work/stderr"
		good=no
	fi
	compare "$1" stdout || good=no
	compare "$1" stderr || good=no
	if [ $good = yes ]; then
		n_passed=$((n_passed + 1))
	else
		n_failed=$((n_failed + 1))
	fi
}

if [ $# = 0 ]; then
	i=0
	for file in "$here"/cases/*.sh; do
		[ $((i % ${HARDY_STRIDE:-1})) != 0 ] || set -- "$@" "$(basename "$file" .sh)"
		i=$((i + 1))
	done
fi
for name in "$@"; do
	run_case "$name"
done
echo "command line: $n_passed cases passed, $n_failed failed, $n_skipped skipped"
[ $n_failed = 0 ] && [ $n_passed -gt 0 ]
