# A file system that takes no file of a model's size: an error that names it, and no piece of a model left.
hardy phantom data --sites A --subjects 3 --size 64 2>/dev/null
trap '' XFSZ
ulimit -f 2000
hardy train data/siteA -o run --subjects 2 --validation 1 --size 16 --spacing 8 --batch 2 --iterations 2 --threads 1 2>error || echo "exit $?"
grep '^hardy train' error
ls run
