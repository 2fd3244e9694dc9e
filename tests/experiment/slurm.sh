#!/bin/sh
# slurm.sh: what `hardy experiment --emit` prints, run: the shell script as it is, the other one by a Slurm of one node that this test
# starts (munged, slurmctld, slurmd) and ends; there an array of jobs scores label maps, too, and srun trains on two
# ranks (where hardy was built without MPI, it says so). Without Slurm, or where it cannot start, that part is skipped with a word.
set -u
hardy=${HARDY_PROGRAM:?}
work=$(mktemp -d) || exit 1
finish() {
	for daemon in slurmd slurmctld munged; do
		[ -s "$work/$daemon.pid" ] && kill "$(cat "$work/$daemon.pid")" 2>/dev/null
	done
	sleep 0.2
	rm -rf "$work"
}
trap finish EXIT
fail() {
	echo "$*"
	exit 1
}
skip() {
	echo "skipped: $*"
	exit 77
}
cd "$work" || exit 1

"$hardy" phantom ph --sites 1 --subjects 4 --size 64 --seed 5 >/dev/null 2>&1 || fail "no phantom"
cat >splits.json <<'END'
{"pool": ["patient001", "patient002"], "validation": [], "test": ["patient003"]}
END
mv ph/siteA "ph/site A"
experiment() {
	"$hardy" experiment cooperative-vs-standard "home=ph/site A" --splits splits.json --seeds 1 --copies 1 --threads 1 \
		--set size=32,spacing_mm=4,iterations=2,batch=4,subjects=1,validation=0 "$@"
}
done_lines() {
	[ -e "$1/results.jsonl" ] && grep -c '"status":"done"' "$1/results.jsonl"
}

experiment -o "by shell" --emit shell >run.sh 2>errors || fail "--emit shell: $(cat errors)"
[ -e "by shell" ] && fail "--emit made the output folder"
sh run.sh >log 2>&1 || fail "the shell script: $(cat log)"
[ "$(done_lines "by shell")" = 2 ] || fail "the shell script left no two results"
[ -s "by shell/tables/summary.md" ] || fail "the shell script did not collect"
experiment -o "by shell" --emit shell | grep -q -e '--run ' && fail "--emit repeats runs that are done"
experiment -o "by shell" --set noise=0.1 --collect >log 2>&1
[ $? = 3 ] || fail "--collect without results: $(cat log)"
grep -q '2 of 2 runs are not done yet' log || fail "--collect does not say what is missing: $(cat log)"

experiment -o "by slurm" --emit slurm >submit.sh 2>errors || fail "--emit slurm: $(cat errors)"
sh -n submit.sh || fail "the Slurm script is no shell script"
PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd sbatch; do
	command -v $program >/dev/null 2>&1 || skip "$program is not installed; the shell script was tested"
done
user=$(id -un)
host=$(hostname -s)
port=$((20000 + $$ % 20000))
umask 022
chmod 755 "$work"
mkdir state spool
dd if=/dev/urandom of=key bs=1 count=128 2>/dev/null
chmod 600 key
munged --force --key-file="$work/key" --socket="$work/munge.sock" --pid-file="$work/munged.pid" --log-file="$work/munged.log" \
	--seed-file="$work/munged.seed" >log 2>&1 || skip "munged does not start here: $(head -n 1 log)"
cat >slurm.conf <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$work/munge.sock
CredType=cred/munge
SlurmUser=$user
SlurmdUser=$user
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_res
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
END
SLURM_CONF=$work/slurm.conf
export SLURM_CONF
slurmctld >log 2>&1 && slurmd >>log 2>&1 || skip "Slurm does not start here: $(head -n 1 log)"
idle=no
for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	sinfo -h -o %T 2>/dev/null | grep -q idle && idle=yes && break
	sleep 0.5
done
[ $idle = yes ] || skip "Slurm's node does not come up here: $(tail -n 1 slurmd.log)"
sh submit.sh --time=10 >log 2>&1 || fail "submitting: $(cat log)"
for attempt in $(seq 240); do
	[ -s "by slurm/tables/summary.md" ] && break
	sleep 0.5
done
[ "$(done_lines "by slurm")" = 2 ] || fail "no two results: $(cat log "by slurm"/slurm/* slurmctld.log)"
for folder in "by shell" "by slurm"; do
	sed 's/.*"key":"\([0-9a-f]*\)".*/\1/' "$folder/results.jsonl" | sort >"keys of $folder"
done
cmp -s "keys of by shell" "keys of by slurm" || fail "the same runs have other keys"

# Label maps scored by an array, as docs/SCALING.md has it: the tables of one call for all.
mkdir maps
cp "ph/site A"/*/*_gt.nii.gz maps
score="'$hardy' evaluate maps 'ph/site A'"
sh -c "$score --csv whole.csv" >whole.txt 2>log || fail "evaluate: $(cat log)"
jobs=$(sbatch --parsable --array=1-3 --time=5 -o array.log --open-mode=append --wrap \
	"$score --keep scores --part \$SLURM_ARRAY_TASK_ID/\$SLURM_ARRAY_TASK_COUNT") || fail "the array was not taken"
sbatch --wait --dependency="afterany:$jobs" --time=5 -o collect.log --wrap \
	"$score --keep scores --csv parts.csv >parts.txt" >log 2>&1 || fail "the array's scores: $(cat log array.log collect.log)"
cmp -s whole.csv parts.csv && cmp -s whole.txt parts.txt || fail "an array of jobs makes other tables: $(diff whole.csv parts.csv)"
grep -q '8 of 8 cases are scored in scores already' collect.log || fail "the array left work to do: $(cat array.log collect.log)"

# One training on two ranks, as docs/SCALING.md has it, by the interface that the MPI of this hardy knows.
case $(ldd "$hardy" 2>/dev/null) in
*libmpich*) mpi=pmi2 ;;
*libmpi.so*) mpi=pmix ;;
*) mpi=pmix without=yes ;;
esac
ranks="no srun --mpi=$mpi here"
if srun --mpi=list 2>&1 | grep -qw $mpi; then
	train="train ph/site\ A --size 32 --spacing 4 --subjects 1 --validation 1 --batch 24 --iterations 4 --augment none --calibrate off --threads 1"
	eval "'$hardy' $train -o one" >one.log 2>&1 || fail "one rank: $(cat one.log)"
	eval "srun --mpi=$mpi --overcommit -n 2 --time=5 '$hardy' $train -o two" >two.log 2>&1
	code=$?
	if [ -n "${without:-}" ]; then
		grep -q '2 processes were started together, but this hardy was built without MPI' two.log || fail "srun without MPI: $(cat two.log)"
		[ $code != 0 ] && [ ! -e two ] || fail "srun without MPI: exit $code: $(cat two.log)"
		ranks="two ranks are refused without MPI"
	else
		[ $code = 0 ] && grep -q '"ranks":	2' two/run.json || fail "srun: exit $code: $(cat two.log)"
		for run in one two; do cut -d, -f4 $run/metrics.csv | sed -n 2p >$run.loss; done
		paste one.loss two.loss | awk '{ d = $1 - $2; exit !(NF == 2 && d * d <= 1e-10 * (1 + $1) ^ 2) }' ||
			fail "srun: the first loss differs: $(cat one.loss two.loss)"
		ranks="srun trained on two ranks"
	fi
fi
echo "$ranks; the shell script and a Slurm job array made the same runs, and one table of scores"
