# A model that is cut short leaves nothing behind.
printf '\200\000\000\000\000\000\000\000{"x":' >cut.safetensors
code=0
hardy predict cut.safetensors scan.nii.gz -o out 2>&1 || code=$?
ls
exit $code
