# A training as a page: of all that a run holds, of one whose data set is gone, of folds, and of a folder that is no run.
hardy phantom p --sites A --subjects 6 --size 64 --seed 1 --threads 1 >/dev/null 2>&1
small='--size 32 --spacing 6 --batch 4 --calibrate off --threads 1'
hardy train p/siteA $small --iterations 6 --validation 2 --subjects 4 -o run >/dev/null 2>&1
hardy train p/siteA $small --iterations 2 --folds 2 -o folds >/dev/null 2>&1
hardy report run
grep -o '<p class="verdict">.*on 4 scans of validation subjects' run/report.html
echo "$(grep -c 'class="card"' run/report.html) cards, $(grep -c '<svg xmlns' run/report.html) curves"
grep -o 'hardy predict run SCANS -o LABELS' run/report.html
hardy report folds --cases 1 2>/dev/null
grep -o 'The cross-validation is finished: 2 folds' folds/report.html
echo "$(grep -c 'class="card"' folds/report.html) cards, $(grep -c '<svg xmlns' folds/report.html) curves"
mv p gone
hardy report run -o later.html 2>&1
grep -o '<strong>Mean Dice on the validation subjects' later.html
grep -o 'There are no pictures: the data set is not at [^ ]*/p/siteA any more' later.html
grep -c 'class="card"' later.html || true
mkdir nothing
hardy report nothing 2>&1 || echo "exit $?"
hardy report nowhere 2>&1 || echo "exit $?"
ls nothing
# The page that is renewed while it trains: a slice of each of the four scans, and nothing of it is left to do.
echo "$(grep -c 'data:image/png' run/progress.html) slices, $(grep -c '<svg xmlns' run/progress.html) curves"
grep -c 'http-equiv="refresh"' run/progress.html || true
