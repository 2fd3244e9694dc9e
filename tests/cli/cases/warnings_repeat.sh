# A warning that repeats from scan to scan is shown once, with how many more there were; --verbose shows all.
hardy phantom ph --sites A --subjects 4 --size 64 --threads 1 2>/dev/null
hardy train ph/siteA --size 16 --spacing 8 --iterations 1 --batch 2 --subjects 2 --validation 1 --calibrate off --threads 1 -o run 2>/dev/null
mkdir scans
for n in 1 2 3; do
	gunzip -c ph/siteA/patient00$n/patient00${n}_frame01.nii.gz >scans/s$n.nii
	# bitpix, which the reader does not believe
	printf '\040' | dd of=scans/s$n.nii bs=1 seek=72 conv=notrunc 2>/dev/null
done
hardy predict run scans -o out --warn-dice 0 2>lines
grep bitpix lines
hardy predict run scans -o out --warn-dice 0 --verbose 2>lines
grep -c bitpix lines
