#!/bin/sh
# install.sh: the library in the hands of others. It is installed into a folder of its own; the example of every header is compiled against it by
# what pkg-config says, as C99 and as C++11, with all warnings as errors, and runs: a phantom is made, a model trained, a scan predicted, and the
# label map is, voxel for voxel, that of `hardy predict`; so are the spoiled scan of `hardy corrupt` and the model of `hardy train`. Then the
# same with the static library.
#
# Usage: install.sh BUILD_FOLDER [FLAGS...]: flags of the sanitizers that the library was built with.
set -eu
build=$1
shift
flags=$*
skip() {
	echo "$*" >&2
	exit 77
}
for tool in meson pkg-config; do
	command -v $tool >/dev/null || skip "there is no $tool"
done
cc=${CC:-cc}
cxx=${CXX:-c++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
meson install -C "$build" --no-rebuild --quiet --destdir "$work/root" >"$work/log" 2>&1 || {
	cat "$work/log"
	exit 1
}
cd "$work"
pc=$(find root -name hardy.pc)
[ -n "$pc" ] || { echo "hardy.pc was not installed"; exit 1; }
PKG_CONFIG_PATH=$(dirname "$PWD/$pc")
PKG_CONFIG_SYSROOT_DIR=$PWD/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# Only hardy lies below root: its requirements (of the static library) are the system's.
own() { sed "s|$PWD/root/usr/include|/usr/include|g; s|$PWD/root/usr/lib|/usr/lib|g"; }
version=$(pkg-config --modversion hardy)
[ "$version" = "$("$HARDY_PROGRAM" --version | sed 's/hardy //')" ] || { echo "pkg-config says version $version"; exit 1; }
cflags=$(pkg-config --cflags hardy)
libs=$(pkg-config --libs hardy)
lib=$(pkg-config --variable=libdir hardy)
case $lib in "$PWD"/*) ;; *) lib=$PWD/root$lib ;; esac
LD_LIBRARY_PATH=$lib
export LD_LIBRARY_PATH
include=$(find root -name hardy.h)
n=0
for header in "$(dirname "$include")"/hardy/*.h; do
	name=$(basename "$header" .h)
	awk -f "$HARDY_SOURCE/tests/library/examples.awk" "$header" >"$name.c"
	grep -q 'int main' "$name.c" || { echo "$header has no example"; exit 1; }
	# shellcheck disable=SC2086
	$cc -std=c99 -pedantic -Wall -Wextra -Werror $flags $cflags "$name.c" -o "$name" $libs || { echo "$header: as C"; exit 1; }
	if command -v "$cxx" >/dev/null; then
		# shellcheck disable=SC2086
		$cxx -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror $flags $cflags "$name.c" -o "$name.cpp" $libs || {
			echo "$header: as C++"
			exit 1
		}
	else
		cp "$name" "$name.cpp"
	fi
	n=$((n + 1))
done
[ $n -ge 11 ] || { echo "$n headers, want 11 or more"; exit 1; }

# What the examples print.
want() {
	[ "$2" = "$3" ] || {
		echo "$1: found \"$2\", want \"$3\""
		exit 1
	}
}
for kind in "" .cpp; do
	want version "$(./version$kind)" "compiled with $version, runs with $version"
	case $(./error$kind) in
	"no/such/scan.nii.gz: "*) ;;
	*) want error "$(./error$kind)" "no/such/scan.nii.gz: ..." ;;
	esac
	want evaluate "$(./evaluate$kind)" "label 1: Dice 0.75, HD95 1.5 mm"
	want commands "$(./commands$kind data$kind)" "data$kind: one subject"
done
scan=$(find data -name '*_frame01.nii.gz' | head -n 1)
"$HARDY_PROGRAM" train data/siteA --subjects 1 --validation 0 --size 16 --spacing 8 --batch 2 --iterations 2 --calibrate off --threads 1 \
	-o run 2>/dev/null >&2
model=run/last.safetensors
"$HARDY_PROGRAM" predict $model "$scan" --class-numbers -o wanted.nii 2>/dev/null >&2
voxels() { tail -c +353 "$1"; }
cp "$scan" patient001.nii.gz # draws go by a scan's name
"$HARDY_PROGRAM" corrupt patient001.nii.gz --artefact ghosting --seed 7 --parameters intensity=0.9 -o wanted_ghosts.nii 2>/dev/null >&2
"$HARDY_PROGRAM" train data/siteA --preset quick --recipe standard --validation 0 --size 16 --spacing 8 --batch 2 --iterations 8 --calibrate off \
	-o wanted 2>/dev/null >&2
for kind in "" .cpp; do
	said=$(./image$kind "$scan" upside$kind.nii)
	case $said in "64 x 64 x "*" voxels of "*" mm") ;; *) want image "$said" "64 x 64 x ... voxels of ... mm" ;; esac
	./image$kind upside$kind.nii back$kind.nii >/dev/null
	./image$kind back$kind.nii upside2$kind.nii >/dev/null
	cmp upside$kind.nii upside2$kind.nii
	! cmp -s upside$kind.nii back$kind.nii || { echo "image: nothing was turned"; exit 1; }
	want model "$(./model$kind $model | tr '\n' ' ')" "3 LV 2 MYO 1 RV "
	./predict$kind $model "$scan" found$kind.nii >said
	grep -q '^predicted Dice nan, [0-9]* warnings$' said || { echo "predict: $(cat said)"; exit 1; }
	voxels wanted.nii >a
	voxels found$kind.nii >b
	cmp a b
	[ -s a ]
	said=$(./artefact$kind "$scan" ghosts$kind.nii)
	case $said in '[{"num_ghosts":'*'"intensity":0.9'*'}]') ;; *) want artefact "$said" '[{"num_ghosts":...,"intensity":0.9...}]' ;; esac
	voxels wanted_ghosts.nii >a
	voxels ghosts$kind.nii >b
	cmp a b
	[ -s a ]
	said=$(./dataset$kind data/siteA | tr '\n' ' ')
	case $said in "ACDC: 1 subjects, 2 scans patient001 ED: "*" mL of LV ") ;; *) want dataset "$said" "ACDC: 1 subjects, ..." ;; esac
	./train$kind data/siteA trained$kind >said
	grep -q '^step 8 of 8: loss [0-9]' said || { echo "train: $(cat said)"; exit 1; }
	cmp wanted/last.safetensors trained$kind/last.safetensors
done

# A program may keep the static library instead.
static=$(pkg-config --static --libs hardy | own | sed "s|-lhardy |$lib/libhardy.a |")
case $static in *libhardy.a*) ;; *) echo "pkg-config --static names no hardy: $static"; exit 1 ;; esac
# shellcheck disable=SC2086
$cc $flags $cflags predict.c -o predict_static $static || { echo "the static library"; exit 1; }
LD_LIBRARY_PATH= ./predict_static $model "$scan" static.nii >/dev/null
cmp found.nii static.nii
echo "$n headers, each with its example in C and C++"
