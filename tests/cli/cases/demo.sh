# The whole job, as small as it gets: two sites, two subjects to train on, two steps.
hardy demo out --sites 2 --subjects 4 --train 2 --size 32 --spacing 6 --iterations 2 --batch 4 --seed 3 2>progress
ls out
wc -l <out/scores.csv
head -n 1 out/scores.csv
head -c 8 out/worst.png | od -An -c
grep -c '"patient' out/splits.json
# the folder is not written over
code=0
hardy demo out --sites 2 || code=$?
exit $code
