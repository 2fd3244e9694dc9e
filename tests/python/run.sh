#!/bin/sh
# run.sh: the tests of the Python package by pytest, with the interpreter that HARDY_PYTHON names, else python3; skipped without numpy or pytest.
# Usage: run.sh LIBRARY LAYOUT_PROGRAM
python=${HARDY_PYTHON:-python3}
"$python" -c 'import numpy, pytest' 2>/dev/null || {
	echo "$python has no numpy and pytest: name a Python that has in HARDY_PYTHON" >&2
	exit 77
}
export HARDY_LIBRARY="$1" HARDY_LAYOUT="$2" PYTHONPATH="$HARDY_SOURCE/python" PYTHONDONTWRITEBYTECODE=1
exec "$python" -m pytest -q -p no:cacheprovider "$HARDY_SOURCE/tests/python"
