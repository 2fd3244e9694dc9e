hardy phantom p --sites A --subjects 3 --size 64 --seed 1 --threads 1 >/dev/null 2>&1
for run in run 'a run'; do
	hardy train p/siteA --size 32 --spacing 6 --iterations 1 --batch 2 --calibrate off --threads 1 -o "$run" 2>error
	grep 'labelled subjects' error
	tail -n 2 error
done
