# A folder of DICOM without dcm2niix, and with one that fails: what to do is said, and nothing is left behind.
program=$(command -v hardy)
mkdir -p none bin scratch
export TMPDIR="$PWD/scratch"
python3 - "$HARDY_SOURCE/tests/support" <<'PY'
import os, sys
sys.path.insert(0, sys.argv[1])
from nifti_to_dicom import slice_file
os.makedirs("study/series")
for z in range(2):
    with open(f"study/series/IM{z}", "wb") as f:
        f.write(slice_file(b"\1\0" * 4, 2, 2, (1.5, 1.5), 8, (0, 0, 8 * z), (1, 0, 0, 0, 1, 0), 0, z + 1))
PY
(PATH=$PWD/none && "$program" check study) || echo "exit $?"
(PATH=$PWD/none && "$program" train study -o RUN) || echo "exit $?"
(PATH=$PWD/none && "$program" inspect study/series/IM0) || echo "exit $?"
printf '#!/bin/sh\necho first >&2\necho "no such codec" >&2\nexit 2\n' >bin/dcm2niix
chmod +x bin/dcm2niix
(PATH=$PWD/bin:$PATH && hardy check study) || echo "exit $?"
# Stopped while it converts: the program that it started ends, too.
printf '#!/bin/sh\nkill -INT $PPID\nexec sleep 1000\n' >bin/dcm2niix
(PATH=$PWD/bin:$PATH && hardy check study) || echo "exit $?"
ls scratch study study/series
