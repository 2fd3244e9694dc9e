# A model that is as it was written, one with a changed weight, one that says no hash, and what is no model.
exec 2>&1
cp "$HARDY_SOURCE/tests/released/unet-0.1.safetensors" good.safetensors
hardy inspect --verify good.safetensors
cp good.safetensors changed.safetensors
size=$(wc -c <changed.safetensors)
printf '\077' | dd of=changed.safetensors bs=1 seek=$((size - 1)) conv=notrunc 2>/dev/null
hardy inspect --verify changed.safetensors || echo "exit $?"
sed 's/tensors_sha256/somebody_else_/' good.safetensors >without.safetensors
hardy inspect --verify without.safetensors
echo no model >no.safetensors
hardy inspect --verify no.safetensors || echo "exit $?"
