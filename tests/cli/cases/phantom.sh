# One small subject; then a second run into the same folder is refused and changes nothing.
hardy phantom p --sites 1 --subjects 1 --size 64 --seed 3 2>/dev/null
find p -type f | LC_ALL=C sort
cut -d, -f1-3 p/truth.csv
hardy phantom --list-sites | head -n 1
for wrong in "--sites 9" "--sites A,Z" "--subjects 0" "--size 63"; do
	code=0
	hardy phantom q $wrong 2>message || code=$?
	echo "$wrong: $code $(head -n 1 message)"
done
code=0
hardy phantom p --sites 1 --subjects 1 --size 64 || code=$?
ls
exit $code
