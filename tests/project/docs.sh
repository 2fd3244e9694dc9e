#!/bin/sh
# docs.sh: what README.md and docs/ name exists: every command line `hardy X --option`, every option, every path of the tree.
#
# Looked at are the lines of code blocks (fenced or indented by four) and the `spans` in the text.
set -u
cd "$HARDY_SOURCE" || exit 1
hardy=$HARDY_PROGRAM
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
faults=0
fault() {
	echo "$*"
	faults=$((faults + 1))
}

[ -r README.md ] || fault "README.md is not there"
"$hardy" --help >"$work/help" || exit 1
sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' "$work/help" >"$work/commands"
while read -r name; do
	"$hardy" "$name" --help >"$work/help.$name" || fault "hardy $name --help fails"
done <"$work/commands"

# Code, one piece a line: FILE:LINE, tab, text. Lines that end in a backslash go on.
awk '
FNR == 1 { fenced = 0; held = "" }
/^ *```/ { fenced = !fenced; next }
fenced || /^(    |\t)/ {
	line = held $0
	held = ""
	if (line ~ /\\$/) { held = substr(line, 1, length(line) - 1); next }
	sub(/(^|[ \t])#.*/, "", line)
	print FILENAME ":" FNR "\t" line
	next
}
{
	n = split($0, part, "`")
	for (i = 2; i < n; i += 2)
		print FILENAME ":" FNR "\t" part[i]
}' README.md docs/*.md docs/*/*.md >"$work/code"

# Command lines of the program: split at ; | & and parentheses, look for the word hardy or a path that ends in /hardy.
awk -F'\t' '
{
	n = split($2, piece, /[;|&()]+/)
	for (i = 1; i <= n; i++) {
		words = split(piece[i], word, " ")
		for (k = 1; k < words && word[k] !~ /(^|\/)hardy$/; k++)
			;
		if (k >= words)
			continue
		line = $1 "\t" word[k + 1]
		for (k += 2; k <= words; k++)
			if (word[k] ~ /^\[?--?[a-z]/) { gsub(/[][,]|=.*/, "", word[k]); line = line "\t" word[k] }
		print line
	}
}' "$work/code" >"$work/uses"
while IFS='	' read -r where name options; do
	case $name in --help | --version | COMMAND | help) continue ;; esac
	[ -e "$work/help.$name" ] || { fault "$where: hardy $name is not a command"; continue; }
	for option in $options; do
		case $option in --help | -h) continue ;; esac
		grep -Eq "^  (-[a-z], )?$option( |\$)|^  $option, " "$work/help.$name" || fault "$where: hardy $name has no option $option"
	done
done <"$work/uses"

# Options that stand alone belong to some command.
awk -F'\t' '$2 ~ /^--[a-z]/ { split($2, word, /[ =]/); print $1 "\t" word[1] }' "$work/code" >"$work/options"
while IFS='	' read -r where option; do
	case $option in --help | --version) continue ;; esac
	cat "$work"/help.* 2>/dev/null | grep -Eq "^  $option( |\$)|^  -[a-z], $option" || fault "$where: no command has the option $option"
done <"$work/options"

# Paths of the tree.
awk -F'\t' '{ n = split($2, word, /[ ,;:()]+/)
	for (i = 1; i <= n; i++)
		if (word[i] ~ /^(src|cli|include|tests|fuzz|bench|examples|docs|script|\.ci)\/[A-Za-z0-9_.\/-]*$/) print $1 "\t" word[i] }' \
	"$work/code" >"$work/paths"
while IFS='	' read -r where path; do
	[ -e "$path" ] || fault "$where: $path is not there"
done <"$work/paths"

# The manual's tables of options are made of the rows that the program reads.
"$hardy" help --markdown | diff docs/COMMANDS.md - >"$work/diff" ||
	fault "docs/COMMANDS.md is not what \`hardy help --markdown\` prints; make it anew: $(head -n 4 "$work/diff")"

# Prose has lines of at most 120 columns; tables and pictures may be wider, and a stop of the tour is one line.
awk 'FNR == 1 { fenced = 0 } /^ *```/ { fenced = !fenced } !fenced && !/^(\||<!--|!\[|    )/ && length($0) > 120 { print FILENAME ":" FNR }' \
	README.md docs/*.md docs/*/*.md | grep -v '^docs/TOUR.md:' >"$work/wide"
while read -r where; do
	fault "$where: the line is wider than 120 columns"
done <"$work/wide"

# The version stands in include/hardy/version.h, and once more where a citation has it.
grep -q "^version: $(script/version)\$" CITATION.cff || fault "CITATION.cff does not say version $(script/version)"

# So that a change of form cannot empty the lists unseen.
[ -s "$work/uses" ] || fault "no command line of hardy was found in README.md and docs/"
[ -s "$work/paths" ] || fault "no path was found in README.md and docs/"
echo "$(wc -l <"$work/uses") command lines, $(wc -l <"$work/options") options, $(wc -l <"$work/paths") paths looked at, $faults faults"
[ $faults = 0 ]
