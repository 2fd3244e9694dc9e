# The whole job, as small as it gets: two sites, two subjects to train on, two steps.
hardy demo out --sites 2 --subjects 4 --train 2 --size 32 --spacing 6 --iterations 2 --batch 4 --seed 3 2>progress
ls out
wc -l <out/scores.csv
head -n 1 out/scores.csv
head -c 8 out/worst.png | od -An -c
grep -c '"patient' out/splits.json
# the page is made of the table and the picture, whoever makes it
hardy report out -o again.html && cmp out/report.html again.html
grep -c 'data:image/png;base64,' again.html
grep -o 'Trained on site [^<]*' again.html
# two sites, five columns of Dice: an interval in each
grep -o '<small>0\.[0-9]*–0\.[0-9]*</small>' again.html | wc -l
sed -i 's/^3,siteB,[^,]*,/3,<script>,x,/' out/scores.csv
hardy report out -o hostile.html && ! grep -q '<script>,\|<th scope="row"><script>' hostile.html
sed -i '2s/0\.[0-9]*$/nan/' out/scores.csv
hardy report out -o no.html || echo "exit code $?"
test ! -e no.html
# the folder is not written over
code=0
hardy demo out --sites 2 || code=$?
exit $code
