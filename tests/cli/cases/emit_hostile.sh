# Scripts for folders whose names a shell would read as something else run as they should, and are whole however long a name is.
hardy phantom ph --sites A --subjects 4 --size 64 --seed 5 --threads 1 >/dev/null 2>&1
folder='$(touch owned) `touch owned` "a'\''; touch owned; %A\'
mkdir "$folder" bin
mv ph/siteA "$folder/data"
cat >bin/sbatch <<'END'
#!/bin/sh
# runs each job of an array, or the one job, at once
cat >job.sh
for word in "$@"; do
	case $word in
	--array=0-*) last=${word#--array=0-} ;;
	esac
	echo "$word" | grep -e --output= | sed 's/^/sbatch: /' >&2
done
n=0
while [ $n -le ${last:-0} ]; do
	SLURM_ARRAY_TASK_ID=$n sh job.sh >/dev/null 2>&1 || echo "job $n: exit $?" >&2
	n=$((n + 1))
done
echo 1
END
chmod +x bin/sbatch
experiment() {
	hardy experiment cooperative-vs-standard "home=$folder/data" --seeds 1 --copies 1 --threads 1 \
		--set size=32,spacing_mm=4,iterations=2,batch=4,subjects=1,validation=0 "$@"
}
experiment --dry-run -o "$folder/out" >/dev/null
experiment --emit slurm -o "$folder/out" >submit.sh
[ ! -e "$folder/out" ] && echo "nothing was made by telling"
PATH=$PWD/bin:$PATH sh submit.sh
[ ! -e owned ] && echo "no name was run"
ls "$folder/out"
experiment --emit shell -o "$folder/out" >run.sh
sh run.sh >/dev/null 2>&1 || echo "run.sh: exit $?"
[ ! -e owned ] && echo "nor by the other script"
long=$(printf '%5000s' x | tr ' ' o)
experiment --emit slurm -o "$long" 2>/dev/null | sh -n && experiment --emit slurm -o "$long" 2>/dev/null | grep -c "ox/slurm"
