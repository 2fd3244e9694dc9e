# A scan, a label map's refusal, and what is neither scan nor model nor run.
cp "$HARDY_SOURCE/tests/corpus/nifti/good_float32_big_endian" scan.nii
cp "$HARDY_SOURCE/tests/corpus/nifti/truncated_voxels" cut.nii
hardy inspect scan.nii
code=0
hardy inspect cut.nii || code=$?
[ $code = 1 ]
hardy inspect --json scan.nii | grep -q '"kind":'
echo text >note.txt
hardy inspect note.txt
