#!/bin/sh
# python.sh: runs a test written in Python with the interpreter that HARDY_PYTHON names, else python3; skipped where there is none.
# Usage: python.sh SCRIPT [ARGUMENTS...]
python=${HARDY_PYTHON:-python3}
command -v "$python" >/dev/null || {
	echo "there is no $python" >&2
	exit 77
}
exec "$python" -B "$@"
