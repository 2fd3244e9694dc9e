# --quiet: warnings and errors alone, in every command; the results are the same.
hardy phantom -q p --sites A --subjects 3 2>said || exit 1
hardy train p/siteA -o RUN --iterations 4 --size 32 --spacing 6 --calibrate off --threads 1 --quiet 2>>said || exit 1
hardy predict RUN p/siteA -o LABELS -q 2>>said || exit 1
grep -v '^warning: ' said || true
hardy train p/siteA -o RUN -q --iterations 4
