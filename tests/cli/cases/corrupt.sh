# A scan with two artefacts; the record makes the same again; usage errors and bad values leave nothing behind.
hardy phantom p --sites 1 --subjects 1 --size 64 --seed 3 2>/dev/null
scan=$(find p -name '*_frame01.nii.gz')
cp "$scan" scan.nii.gz
hardy corrupt scan.nii.gz --artefact bias --artefact motion --centre image --seed 5 -o out 2>&1
find out -type f | LC_ALL=C sort
hardy corrupt scan.nii.gz --parameters out/motion_0/scan.json -o again 2>/dev/null
cmp out/motion_0/scan.nii.gz again/motion_0/scan.nii.gz && echo same scan
cmp out/motion_0/scan.json again/motion_0/scan.json && echo same parameters
grep centre again/motion_0/scan.json
hardy corrupt p/siteA --artefact acdc-c -o c 2>/dev/null
find c -name '*.nii.gz' | LC_ALL=C sort
fails() {
	code=0
	"$@" 2>message || code=$?
	echo "$code $(head -n 1 message)"
}
fails hardy corrupt scan.nii.gz --artefact bias
fails hardy corrupt scan.nii.gz -o no
fails hardy corrupt scan.nii.gz --artefact fog -o no
fails hardy corrupt scan.nii.gz --artefact spike --parameters intensity=1000 -o no
fails hardy corrupt scan.nii.gz --artefact spike --level 6 -o no
fails hardy corrupt scan.nii.gz --artefact spike -o scan.nii.gz/no
fails hardy corrupt none.nii.gz --artefact spike -o no
ls
