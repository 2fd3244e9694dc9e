# What can be wrong before anything is done; nothing is left behind.
fails() {
	code=0
	"$@" 2>message || code=$?
	echo "$code $(head -n 1 message)"
}
mkdir data
fails hardy stress model.safetensors
fails hardy stress model.safetensors data
fails hardy stress model.safetensors data -o out
fails hardy stress data other -o out
fails hardy stress model.safetensors data --copies 0 -o out
fails hardy stress model.safetensors data --sweep-copies 101 -o out
ls
