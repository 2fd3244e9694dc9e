# What only the command can judge, each with the usage exit code 2, and nothing made.
mkdir data
try() {
	hardy train "$@" || echo "exit $?"
}
try data
try -o run
try data -o run --preset slow
try data -o run --recipe brave
try data -o run --recipe randconv+brave
try data -o run --recipe randconv:lamda=3
try data -o run --recipe adv-bias:epsilon=1.5+cooperative
try data -o run --recipe maxstyle:first_layer=5,last_layer=4
printf 'members:\n  - name: mwm\n    windows: many\n' >recipe.yaml
try data -o run --recipe recipe.yaml
printf 'members:\n  - name: mwm\n    window: 3\n' >recipe.yaml
try data -o run --recipe recipe.yaml
rm recipe.yaml
try data -o run --ema 1
try data -o run --threshold-range 0.5
try data -o run --percentiles 2,x
try data -o run --iterations 0
try data -o run --size 40
try data -o run --resume
try absent -o run
try data -o run
ls
