#!/bin/sh
# header.sh: hardy.h and every header that it is made of compile alone, as strict C99 (argument c) or as C++ (argument c++; skipped where there is no compiler).
set -eu
check() {
	for header in "$HARDY_SOURCE"/include/hardy.h "$HARDY_SOURCE"/include/hardy/*.h; do
		"$@" -pedantic -Wall -Wextra -Werror -fsyntax-only "$header"
	done
}
case $1 in
c) check ${CC:-cc} -x c -std=c99 ;;
c++)
	compiler=${CXX:-c++}
	command -v "$compiler" >/dev/null || {
		echo "there is no C++ compiler ($compiler)" >&2
		exit 77
	}
	check "$compiler" -x c++ -std=c++11
	;;
esac
