# A model becomes an ONNX file; hardy's own is replaced, nobody else's.
hardy phantom data --sites A --subjects 2 --size 64 --threads 1 2>/dev/null
hardy train data/siteA --subjects 2 --validation 0 --size 16 --spacing 8 --batch 2 --iterations 2 --calibrate off --threads 1 -o run 2>/dev/null
hardy export run -o model.onnx
hardy export run/last.safetensors -o model.onnx
cp model.onnx first.onnx
hardy export run -o model.onnx
cmp model.onnx first.onnx && echo "the same bytes"
echo mine >mine.onnx
for arguments in "run -o mine.onnx" "run -o model.pb" "run" "data -o model.onnx" "run -o model.onnx --network stn" "run -o model.onnx --network both"; do
	hardy export $arguments 2>&1 | head -n 1
done
cat mine.onnx
hardy export run -o mine.onnx --overwrite
cmp model.onnx mine.onnx && echo "replaced"
