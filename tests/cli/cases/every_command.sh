# Every command that --help names answers --help, and its parser knows every option that its help lists.
hardy --help >all
sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' all >names
while read -r name; do
	hardy "$name" --help >help || { echo "hardy $name --help exits $?"; exit 1; }
	grep -q "^Usage: hardy $name \[options\]" help || { echo "hardy $name --help has no usage line"; exit 1; }
	grep -q "^  -h, --help" help || { echo "hardy $name --help does not list --help"; exit 1; }
	sed -n 's/^  \(-o, \)\{0,1\}\(--[a-z0-9-]*\|-o\)\( .*\)\{0,1\}$/\2/p' help >options
	while read -r option; do
		# The last word is wrong in any case, so that nothing runs; the message tells whether the first was known.
		code=0
		hardy "$name" "$option" --no-such-option 2>message || code=$?
		[ $code = 2 ] || { echo "hardy $name $option --no-such-option exits $code"; exit 1; }
		if grep -q "unknown option $option\b" message; then
			echo "hardy $name --help lists $option, which its parser does not know"
			exit 1
		fi
	done <options
	code=0
	hardy "$name" --no-such-option 2>message || code=$?
	[ $code = 2 ] || { echo "hardy $name --no-such-option exits $code"; exit 1; }
	grep -q "unknown option --no-such-option" message || { echo "hardy $name accepts any option"; exit 1; }
done <names
