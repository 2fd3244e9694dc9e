#!/bin/sh
# compare.sh: bench/compare on programs that only print: their turns, the minimum and median of the rounds, ratios, failures.
set -u
command -v python3 >/dev/null 2>&1 || {
	echo "bench/compare wants python3, which is not here"
	exit 77
}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir peers

# Each program logs its name and takes its next time from its own list.
cat >next <<'EOF'
echo "$1 $OMP_NUM_THREADS" >>turns
n=$(cat "count.$1" 2>/dev/null || echo 0)
echo $((n + 1)) >"count.$1"
shift
shift $((n % $#))
seconds=$1
EOF
cat >hardy <<'EOF'
#!/bin/sh
case "$*" in
*"--threads 3"*) ;;
*) exit 9 ;;
esac
set -- "$2" hardy 2 1 4
what=$1
shift
. ./next
echo '{"bench":"machine","isa":"plain","threads":3,"processor":"abacus","onednn":"","fma_gflops":1,"read_gbs":2,"triad_gbs":3}'
echo "{\"bench\":\"$what\",\"min_s\":$seconds,\"median_s\":$seconds,\"peak_rss_mb\":$seconds}"
EOF
cat >python <<'EOF'
#!/bin/sh
[ "$1" = -c ] && exit 0
sh "$@"
EOF
cat >peers/bench_infer.py <<'EOF'
set -- peer 6 8 9
. ./next
echo "{\"engine\": \"rival\", \"min_s\": $seconds, \"median_s\": $seconds}"
EOF
echo 'echo "no torch" >&2; exit 1' >peers/bench_torch.py
chmod +x hardy python

fail() {
	echo "$*"
	cat out messages
	exit 1
}

# min 1 and 6, median 2 and 8
"$HARDY_SOURCE/bench/compare" --peers peers --python ./python --hardy ./hardy --threads 3 --rounds 3 --slices 7 -o rows infer \
	>out 2>messages || fail "bench/compare exits $?"
grep -Eq '^abacus, plain, oneDNN , 3 threads: 1.0 GFLOP/s, 2.0 GB/s read, 3.0 GB/s triad$' out || fail "no line of the machine"
grep -Eq '^FTN\+STN, 7 slices +hardy +1 +2 +1.00 +1.00 +4$' out || fail "no row of hardy"
grep -Eq '^ +rival +6 +8 +6.00 +4.00 *$' out || fail "no row of the rival"
[ "$(tr '\n' ' ' <turns)" = "hardy 3 peer 3 hardy 3 peer 3 hardy 3 peer 3 " ] || fail "turns are $(cat turns)"
[ "$(grep -c '"case"' rows)" = 8 ] || fail "$(grep -c '"case"' rows) rows, want 6 samples and 2 of the summary"
grep -q '"by": "rival", "rounds": 3, "min_s": 6, "median_s": 8, "ratio_min": 6.0, "ratio_median": 4.0' rows || fail "no summary of the rival"

# the U-Net's rivals come with bench/compare; python, which prints for it, is the stand-in
cat >python <<'EOF'
#!/bin/sh
case "$*" in
*"/bench/unet_peers.py infer --threads 3 --size 64 --slices 7") ;;
*) exit 9 ;;
esac
echo '{"engine": "one", "min_s": 3, "median_s": 3}'
echo '{"engine": "other", "min_s": 5, "median_s": 6}'
EOF
rm -f count.* turns
"$HARDY_SOURCE/bench/compare" --network unet --python ./python --hardy ./hardy --threads 3 --rounds 1 --size 64 --slices 7 infer \
	>out 2>messages || fail "bench/compare --network unet exits $?"
grep -Eq '^U-Net, 7 slices of 64 x 64 +hardy +2 +2 +1.00 +1.00 +2$' out || fail "no row of hardy's U-Net"
grep -Eq '^ +other +5 +6 +2.50 +3.00 *$' out || fail "no row of the U-Net's rival"
cat >python <<'EOF'
#!/bin/sh
[ "$1" = -c ] && exit 0
sh "$@"
EOF

# a program that fails is named, and the others go on
"$HARDY_SOURCE/bench/compare" --peers peers --python ./python --hardy ./hardy --threads 3 --rounds 1 predict step >out 2>messages
[ $? = 1 ] || fail "a failing program does not show in the exit code"
grep -q 'torch, standard step: exit code 1: no torch' messages || fail "the reason is not told"
grep -Eq '^cooperative step +hardy ' out || fail "no row of hardy without the rival"
grep -Eq "^ +python -c 'import torch' " out || fail "no row of the import"

for bad in "--peers nowhere" "--peers peers nothing" "--peers peers --rounds 0" "--peers peers --slices x" "--peers peers --hardy ./none" \
	"" "--network unet metrics" "--network net" "--peers peers --bf16"; do
	# shellcheck disable=SC2086
	"$HARDY_SOURCE/bench/compare" --hardy ./hardy $bad >out 2>messages
	[ $? = 2 ] || fail "bench/compare $bad does not exit with 2"
done
