# A run folder stands for the model that its run.json names: here the last, because there were no validation subjects.
hardy phantom data --sites A --subjects 2 --size 64 --threads 1 2>/dev/null
hardy train data/siteA --subjects 2 --validation 0 --size 16 --spacing 8 --batch 2 --iterations 2 --calibrate off --threads 1 -o run 2>/dev/null
grep '"model"' run/run.json
hardy predict run data/siteA -o out --threads 1 >/dev/null 2>&1 && ls out | grep -c nii.gz
rm run/last.safetensors
code=0
hardy predict run data/siteA -o out2 --threads 1 2>&1 || code=$?
echo "exit $code"
