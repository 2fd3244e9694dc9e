# One scan that cannot be read, one of one grey value, and labels outside of the view: the others train; --strict refuses.
exec 2>&1
hardy phantom p --sites A --subjects 5 --size 64 --threads 1 >log 2>&1 || cat log
mkdir -p data/images data/labels
for k in 1 2 3 4 5; do
	cp p/siteA/patient00$k/patient00${k}_frame01.nii.gz data/images/s$k.nii.gz
	cp p/siteA/patient00$k/patient00${k}_frame01_gt.nii.gz data/labels/s$k.nii.gz
done
printf damaged >data/images/s2.nii.gz
cp data/labels/s5.nii.gz data/labels/s5.nii.GZ
train="hardy train data --labels rv=1,myo=2,lv=3 --subjects 5 --validation 0 --size 32 --iterations 1 --batch 2 --calibrate off --threads 1"
train="$train --recipe standard --preset quick --spacing 6"
hardy check data --labels rv=1,myo=2,lv=3 >check 2>&1 && code=0 || code=$?
echo "check: exit $code"
grep -c BAD check
$train -o run >log 2>&1 && code=0 || code=$?
grep '^warning: left out' log
grep -o '^standard: [0-9]* subjects' log
echo "train: exit $code"
$train -o strict --strict >log 2>&1 && code=0 || code=$?
tail -n 1 log | cut -c1-60
echo "strict: exit $code"
test ! -e strict/run.json
rm data/images/s2.nii.gz data/labels/s5.nii.GZ
hardy train data --labels rv=1,myo=2,lv=3 --subjects 4 --validation 0 --size 16 --spacing 1 --iterations 1 --batch 2 --calibrate off \
	--recipe standard --preset quick --threads 1 -o near >log 2>&1 && code=0 || code=$?
grep -o 'outside of the .* would hold all' log
echo "near: exit $code"
echo '[{"train": ["s1", "s3"], "val": ["s4"]}]' >splits_final.json
$train --splits splits_final.json --fold 0 --subjects 0 -o fold >log 2>&1 || cat log
grep -o '^standard: [0-9]* subjects' log
