# Scans of a folder: extensions in any case, two files of one name, numbers that are no channels, names that are not UTF-8; subjects with a
# byte order mark.
exec 2>&1
hardy phantom p --sites A --subjects 2 --size 64 --threads 1 >log 2>&1 || cat log
hardy train p/siteA --size 32 --spacing 6 --iterations 1 --batch 2 --subjects 1 --validation 1 --calibrate off --recipe standard --preset quick \
	--threads 1 -o run >log 2>&1 || cat log
scan=p/siteA/patient001/patient001_frame01.nii.gz
mkdir scans
odd=$(printf 'M\374ller')
for name in A.NII.GZ b_0000.nii.gz b_0001.nii.gz c_0000.nii.gz d.nii.gz d.NII.GZ "$odd.nii.gz"; do cp "$scan" "scans/$name"; done
code=0
hardy predict run scans -o out --threads 1 >log 2>&1 || code=$?
grep -E -o 'scans/b_0000.*|failed: .*meant.$|hardy predict: .*' log | sort -u
echo "exit $code"
for name in A b_0000 b_0001 c "$odd"; do test -e "out/$name.nii.gz" || echo "no label map of $name"; done
test ! -e out/d.nii.gz
# JSON and models stay valid.
mkdir "$odd"
cp -r p/siteA "$odd/data"
mkdir "$odd/data/patient001$odd"
for f in "$odd"/data/patient001/*; do
	mv "$f" "$odd/data/patient001$odd/$(basename "$f" | sed "s/^patient001/patient001$odd/")"
done
rmdir "$odd/data/patient001"
hardy check "$odd/data" --json >check.json 2>log
hardy train "$odd/data" --size 32 --spacing 6 --iterations 1 --batch 2 --subjects 1 --validation 1 --calibrate off --recipe standard \
	--preset quick --threads 1 -o "$odd/run" >log 2>&1 || cat log
for f in check.json "$odd/run/run.json"; do
	test "$(LC_ALL=C tr -d '\001-\177' <"$f" | wc -c)" = 0 || echo "$f is not ASCII"
done
grep -c 'M..xfcller' check.json | sed 's/^[1-9][0-9]*$/names are there/'
hardy inspect "$odd/run/last.safetensors" >log 2>&1 && echo "the model can be read"
printf '\357\273\277patient001\r\npatient002\r\n' >subjects.txt
hardy predict run p/siteA --subjects subjects.txt -o out2 --threads 1 >log 2>&1 || cat log
ls out2 | grep -c nii
