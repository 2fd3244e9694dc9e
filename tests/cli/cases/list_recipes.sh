hardy train --list-recipes | cut -c1-12 | tr -d ' ' | tr '\n' ' '
echo
hardy train --list-recipes | while read -r name about; do
	[ -n "$about" ] || echo "$name says nothing of itself"
done
