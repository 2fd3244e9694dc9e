# Nothing that hardy did not write is replaced by any command that names its output; --overwrite replaces it.
tiny="--size 32 --spacing 6 --iterations 2 --batch 2 --subjects 2 --validation 2 --calibrate off --threads 1"
hardy phantom phantom --sites A --subjects 4 --size 64 --threads 1 2>/dev/null
data=phantom/siteA
mkdir run
echo mine >run/best.safetensors
try() { # its exit code, and what became of the file behind --
	file=$1
	shift
	code=0
	hardy "$@" >>log 2>message || code=$?
	echo "$1: exit $code, $(head -c 4 "$file")$(grep -c 'is there already' message | sed 's/0//; s/1/, told so/')"
}
try run/best.safetensors train $data $tiny -o run
hardy train $data $tiny --overwrite -o run 2>/dev/null
mkdir images labels out
cp $data/patient001/patient001_frame01.nii.gz images/s.nii.gz
cp $data/patient001/patient001_frame01_gt.nii.gz labels/s.nii.gz
cp labels/s.nii.gz kept.nii.gz
code=0
hardy predict run images -o labels 2>message || code=$?
cmp labels/s.nii.gz kept.nii.gz && echo "predict: exit $code, labels kept"
hardy predict run images -o out 2>/dev/null
hardy predict run images -o out 2>/dev/null && echo "predict: its own again"
for file in t.csv h.csv j.json p.png m.safetensors c.nii.gz c.json f/fig2.png s/stress.json; do
	mkdir -p f s
	echo mine >$file
done
try t.csv evaluate out labels --csv t.csv
try h.csv evaluate out labels --heart-csv h.csv
try j.json evaluate out labels --json j.json
printf 'what,scan,truth\nx,images/s.nii.gz,labels/s.nii.gz\n' >table
try p.png picture table -o p.png
try m.safetensors calibrate run $data -o m.safetensors
try c.nii.gz corrupt images/s.nii.gz --artefact bias -o c.nii.gz
rm c.nii.gz
try c.json corrupt images/s.nii.gz --artefact bias -o c.nii.gz
try f/fig2.png figures run $data -o f
try s/stress.json stress run $data -o s
echo mine >report.html
try report.html report nothing -o report.html
for again in 1 2; do
	hardy evaluate out labels --csv t.csv --overwrite >>log 2>&1
	hardy evaluate out labels --csv t.csv >>log 2>&1 && echo "evaluate: its own again"
	hardy picture table -o p.png --overwrite
	hardy picture table -o p.png && echo "picture: its own again"
done
# what a file is: a device stays one
code=0
hardy picture table -o /dev/null --overwrite 2>message || code=$?
[ -c /dev/null ] && echo "a device: exit $code"
