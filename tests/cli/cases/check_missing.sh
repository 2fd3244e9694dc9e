# Every frame missing: a whole report, then failure. A folder that is no data set, and one that is not there.
mkdir -p data/patient001 empty
printf 'ED: 1\nES: 12\n' >data/patient001/Info.cfg
hardy check data || echo "exit $?"
hardy check empty || echo "exit $?"
hardy check absent --json
