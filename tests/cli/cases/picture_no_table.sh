code=0
hardy picture absent.csv -o x.png || code=$?
[ ! -e x.png ]
exit $code
