hardy predict 2>&1 && exit 1 || true
hardy predict model.safetensors scan.nii.gz 2>&1 && exit 1 || true
hardy predict model.safetensors scan.nii.gz -o out --network both 2>&1 && exit 1 || true
hardy predict model.safetensors scan.nii.gz -o out --tta mirror 2>&1 && exit 1 || true
hardy predict model.safetensors scan.nii.gz -o out --stn-iterations 0 2>&1 && exit 1 || true
hardy predict scan.nii.gz other.nii.gz -o out 2>&1 && exit 1 || true
hardy predict model.safetensors scan.nii.gz -o out
