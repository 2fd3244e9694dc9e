#!/bin/sh
# hardening.sh: the program is built as meson.build says: at addresses that nobody knows, with tables that are read-only once it runs, no
# stack that can be run, and stacks and copies that are checked.
set -u
program=${HARDY_PROGRAM:?}
command -v readelf >/dev/null 2>&1 || {
	echo "readelf is not there" >&2
	exit 77
}
failed=0
want() {
	if ! readelf -W "$1" "$program" 2>/dev/null | grep -Eq "$2"; then
		echo "FAIL $program: $3"
		failed=1
	fi
}
want -h 'Type: +DYN' 'not position-independent'
want -l 'GNU_RELRO' 'no read-only relocations'
want -d '(BIND_NOW|FLAGS.*NOW)' 'bound lazily'
want -l 'GNU_STACK.* RW ' 'the stack can be run'
want -s '__stack_chk_fail' 'stacks are not checked'
if [ "${HARDY_SANITIZE:-none}" = none ]; then
	want -s '__(snprintf|memcpy|vsnprintf|fprintf)_chk' 'copies are not checked (_FORTIFY_SOURCE)'
fi
exit $failed
