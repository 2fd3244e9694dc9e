# hardy.bash: completion of hardy's commands, options and choices for bash. The words come from the program itself.
_hardy() {
	local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} line
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(hardy help --words 2>/dev/null) help" -- "$current")
		return
	fi
	[ "${COMP_WORDS[1]}" = help ] && {
		mapfile -t COMPREPLY < <(compgen -W "$(hardy help --words 2>/dev/null)" -- "$current")
		return
	}
	local words
	words=$(hardy help --words "${COMP_WORDS[1]}" 2>/dev/null)
	line=$(printf '%s\n' "$words" | sed -n "s/^$before //p")
	case $before$line in
	-*'*') ;; # any value: file names
	-*[a-z0-9])
		if [ -n "$line" ]; then
			mapfile -t COMPREPLY < <(compgen -W "$line" -- "$current")
			return
		fi
		;;
	esac
	case $current in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(printf '%s\n' "$words" | sed 's/ .*//')" -- "$current") ;;
	esac
}
complete -o default -F _hardy hardy
