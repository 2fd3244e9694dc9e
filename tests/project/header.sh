#!/bin/sh
# header.sh: hardy.h compiles alone, as strict C99 (argument c) or as C++ (argument c++; skipped where there is no compiler).
set -eu
header=$HARDY_SOURCE/include/hardy.h
case $1 in
c) ${CC:-cc} -x c -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only "$header" ;;
c++)
	compiler=${CXX:-c++}
	command -v "$compiler" >/dev/null || {
		echo "there is no C++ compiler ($compiler)" >&2
		exit 77
	}
	"$compiler" -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only "$header"
	;;
esac
