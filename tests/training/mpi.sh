#!/bin/sh
# mpi.sh: trainings on several ranks of one machine, by mpirun: the losses of one, for the U-Net and the study's recipes; one message for what all ranks
# meet; a rank that dies or fails ends all; going on with another number of ranks. Skipped where hardy was built without MPI (tests/training/ranks.c
# tests the arithmetic there).
set -u
hardy=${HARDY_PROGRAM:?}
work=$(mktemp -d) || exit 1
trap 'end_ranks KILL; rm -rf "$work"' EXIT
cd "$work" || exit 1
fail() {
	echo "$*"
	exit 1
}

# Processes that train in a folder of this test.
ranks_of() {
	for p in /proc/[0-9]*; do
		cat "$p/cmdline" 2>/dev/null | tr '\0' ' ' | grep -q "^$hardy train .*-o $work/$1" && echo "${p#/proc/}"
	done
}
end_ranks() {
	for p in $(ranks_of ""); do kill "-$1" "$p" 2>/dev/null; done
}

case $(ldd "$hardy" 2>/dev/null) in
*libmpich*) mpirun=$(command -v mpirun.mpich || command -v mpirun) ;;
*libmpi.so*) mpirun=$(command -v mpirun.openmpi || command -v mpirun) ;;
*)
	OMPI_COMM_WORLD_SIZE=2 "$hardy" train . -o x >log 2>&1
	[ $? = 2 ] || fail "without MPI: no usage error: $(cat log)"
	grep -q '2 processes were started together, but this hardy was built without MPI' log || fail "without MPI: $(cat log)"
	[ -e x ] && fail "without MPI: a folder was made"
	echo "skipped: hardy was built without MPI (meson setup -Dmpi=enabled)"
	exit 77
	;;
esac
# As root, more ranks than cores, and in a container, which Open MPI calls by these names. A rank that waits lets others run: on a machine that does
# other things, too, two that spin got a few per cent of a core each, and this test did not end.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
	OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_btl_base_warn_component_unused=0 \
	OMPI_MCA_mpi_yield_when_idle=1

# on N OUTPUT WORDS...: a training on N ranks, into $work/OUTPUT.
on() {
	n=$1 output=$2
	shift 2
	if [ "$n" = 1 ]; then
		"$hardy" train -o "$work/$output" --threads 1 "$@" >"$output.log" 2>&1
	else
		"$mpirun" -n "$n" "$hardy" train -o "$work/$output" --threads 1 "$@" >"$output.log" 2>&1
	fi
}
count() {
	grep -c -e "$1" "$2"
}

"$hardy" phantom ph --sites 1 --subjects 4 --size 64 --seed 5 >/dev/null 2>&1 || fail "no phantom"
data="ph/siteA --size 32 --spacing 4 --validation 1"
# A batch holds all slices, so that a row of the table is a step. The learning rate is small: Adam makes steps of signs of rounding.
short="$data --subjects 1 --batch 24 --iterations 12 --validate-every 12 --augment none --lr 1e-5 --schedule constant --calibrate off --scheme dropout"

# near A B: the losses of two runs: of the first step within 1e-5 of them, of all within 1e-3, as rounding grows in twelve steps. Masks are those that
# do not go by scores: which elements are masked would jump when two scores change places (tests/training/ranks.c has the others).
near() {
	for run in "$1" "$2"; do
		cut -d, -f4 "$run/metrics.csv" | tail -n +2 >"$run.losses"
	done
	paste "$1.losses" "$2.losses" | awk -v most=1e-5 '{ d = $1 - $2; if (d < 0) d = -d; if (d > most * (1 + $1)) { print "step " NR ": loss " $1 ", " $2; bad = 1 } most = 1e-3 }
		END { exit NR != 12 || bad }'
}
for recipe in hardy standard cooperative; do
	for n in 1 2 4; do
		on $n "$recipe$n" $short --recipe $recipe || fail "$recipe on $n ranks: $(cat "$recipe$n.log")"
		near "${recipe}1" "$recipe$n" >differences || fail "$recipe on $n ranks is not as on one: $(cat differences)"
	done
	grep -q '"ranks":	4' "${recipe}4/run.json" || fail "run.json does not say how many ranks"
	grep -q ranks "${recipe}1/run.json" && fail "run.json of one rank speaks of ranks"
	[ "$(count '4 ranks, of 6 slices each' "${recipe}4.log")" = 1 ] || fail "$recipe: ranks speak all at once: $(cat "${recipe}4.log")"
done
on 2 local $short --recipe hardy --norm-statistics local || fail "local statistics: $(cat local.log)"

# refused N CODE TEXT OUTPUT WORDS...: on N ranks an error that one of them tells.
refused() {
	n=$1 code=$2 text=$3 output=$4
	shift 4
	on "$n" "$output" "$@"
	got=$?
	[ $got = "$code" ] || fail "$output: exit $got, want $code: $(cat "$output.log")"
	[ "$(count "$text" "$output.log")" = 1 ] || fail "$output: \"$text\" is not said once: $(cat "$output.log")"
	[ "$output" != hardy1 ] && [ -e "$output/last.safetensors" ] && fail "$output: a model was written"
}
refused 5 2 'batch is 24, want a multiple of the 5 ranks' odd $short
refused 2 1 'mixstyle makes an example of several slices' mixed $short --recipe mixstyle
refused 2 1 'no such data' missing "no such data" --iterations 2
refused 2 2 'holds a run already' hardy1 $short
refused 2 1 'cross-validation trains its folds' folds $short --folds 2
on 2 diverged $data --subjects 1 --batch 8 --iterations 400 --recipe standard --lr 1e30 --schedule constant &&
	fail "diverged: mpirun says that all is well"
grep -q 'step [0-9]*: batch statistics' diverged.log || fail "diverged: $(cat diverged.log)"
"$mpirun" -n 1 "$hardy" train -o "$work/a" $short : -n 1 "$hardy" train -o "$work/b" $short >two.log 2>&1 && fail "two runs trained as one"
[ "$(count 'were started with different options' two.log)" = 1 ] || fail "two runs as one: $(cat two.log)"

# begin N OUTPUT: a long training in the background, until it has saved steps.
long="$data --subjects 2 --batch 8 --recipe hardy --iterations 100000 --checkpoint-every 0.1 --calibrate off"
begin() {
	on "$1" "$2" $long &
	started=$!
	i=0
	until grep -q '^2,' "$2/metrics.csv" 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 300 ] || fail "$2 does not begin: $(cat "$2.log")"
		sleep 0.1
	done
}
# gone OUTPUT: no rank is left, soon.
gone() {
	i=0
	while [ -n "$(ranks_of "$1")" ]; do
		i=$((i + 1))
		[ $i -lt 300 ] || fail "$1: ranks go on"
		sleep 0.1
	done
}
# Its length is made for its schedule, so what is left of these runs is asked for by its report.
steps_of() {
	sed -n 's/.*"steps_made":[^0-9]*\([0-9]*\).*/\1/p' "$1/run.json"
}

begin 2 killed
kill -9 "$(ranks_of killed | tail -n 1)"
wait $started && fail "a rank was killed, and mpirun says that all is well"
gone killed

# Asked to stop, they save: one rank is asked, all stop.
begin 4 stopped
kill -TERM "$(ranks_of stopped | tail -n 1)"
wait $started
code=$?
[ $code = 130 ] || fail "stopped: exit $code, want 130: $(cat stopped.log)"
gone stopped
[ "$(count 'interrupted after step' stopped.log)" = 1 ] || fail "stopped: $(cat stopped.log)"

# And go on with other numbers of ranks, each where the one before it stopped.
made=$(steps_of stopped)
for n in 2 1 4; do
	on $n stopped --resume &
	started=$!
	i=0
	until grep -q "going on after step $made of" stopped.log 2>/dev/null && [ -n "$(ranks_of stopped)" ]; do
		i=$((i + 1))
		[ $i -lt 300 ] || fail "resumed on $n ranks: $(cat stopped.log)"
		sleep 0.1
	done
	sleep 1
	kill -TERM "$(ranks_of stopped | head -n 1)"
	wait $started
	code=$?
	[ $code = 130 ] || fail "resumed on $n ranks: exit $code, want 130: $(cat stopped.log)"
	gone stopped
	[ "$(steps_of stopped)" -gt "$made" ] || fail "resumed on $n ranks: no step was made"
	made=$(steps_of stopped)
done
on 2 killed --resume --iterations 5 && fail "another length was taken"
exit 0
