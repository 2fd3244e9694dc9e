#!/bin/sh
# tour.sh: docs/TOUR.md has at most twelve stops, each "N. `path`, `symbol`: one sentence.", and path and symbol exist.
set -eu
cd "$HARDY_SOURCE"
tour=docs/TOUR.md
fail() {
	echo "$tour: $*"
	exit 1
}
[ -r $tour ] || fail "is not there"
stops=$(grep -E '^[0-9]+\. ' $tour) || fail "has no stops"
n=$(echo "$stops" | wc -l)
[ "$n" -ge 3 ] && [ "$n" -le 12 ] || fail "has $n stops, want 3 to 12"
echo "$stops" | {
	i=0
	while IFS= read -r line; do
		i=$((i + 1))
		echo "$line" | grep -Eq "^$i\. \`[^\`]+\`, \`[^\`]+\`: [^ ].*\.\$" || fail "stop $i is not \"$i. \`path\`, \`symbol\`: one sentence.\""
		path=$(echo "$line" | cut -d'`' -f2)
		symbol=$(echo "$line" | cut -d'`' -f4)
		sentence=$(echo "$line" | sed 's/^[^:]*: //')
		[ -f "$path" ] || fail "stop $i: $path is not there"
		grep -Fqw -- "$symbol" "$path" || fail "stop $i: $path does not contain $symbol"
		! echo "$sentence" | grep -q '[.!?] ' || fail "stop $i has more than one sentence"
	done
}
echo "$n stops"
