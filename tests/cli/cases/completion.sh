# Manual pages and completion come from the tables that the parser reads: every option of every command is in both.
for c in $(hardy help --words); do
	hardy help --man "$c" >page || exit 1
	head -1 page | grep -q "^.TH HARDY.-$c 1" || echo "$c: no title"
	# What troff would not understand is an error where groff is there to say so.
	if command -v groff >/dev/null; then groff -man -Tutf8 -ww -z page || echo "$c: troff complains"; fi
	hardy help --words "$c" | sed 's/ .*//; s/-/\\\\-/g' | while read -r o; do
		grep -qF -- "$(printf '%b' "$o")" page || echo "$c: $o is not in the manual page"
	done
done
hardy help --man | grep -c '^.BR hardy'
hardy help --man nothing || echo "exit code $?"
hardy train --help=html || echo "exit code $?"
cat >try.bash <<'F'
. "$HARDY_SOURCE/share/hardy.bash"
try() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_hardy
	echo "${COMPREPLY[*]}"
}
try hardy ev
try hardy help cal
try hardy train --pres
try hardy train --preset ''
try hardy train --threads 1 --resu
try hardy train --splits ''
try hardy train --resume sca
F
bash try.bash
