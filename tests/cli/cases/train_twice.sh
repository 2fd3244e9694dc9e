# Two trainings in one folder: the second is refused, with what keeps it out; when the first has ended, however, it may.
hardy phantom data --sites A --subjects 3 --size 64 --threads 1 2>/dev/null
options="data/siteA --subjects 2 --validation 1 --size 16 --spacing 8 --batch 2 --calibrate off --threads 1 -o run"
hardy train $options --iterations 100000 2>/dev/null &
first=$!
n=0
until [ -e run/run.json ] || [ $n = 300 ]; do
	sleep 0.1
	n=$((n + 1))
done
for how in --overwrite --resume; do
	code=0
	hardy train $options --iterations 100000 $how 2>error || code=$?
	echo "exit $code: $(sed "s/process $first/process N/" error)"
done
kill -9 $first
wait $first 2>/dev/null || true
touch run/metrics.csv.part-aBcDe1
hardy train $options --iterations 2 --overwrite 2>/dev/null && ls run
