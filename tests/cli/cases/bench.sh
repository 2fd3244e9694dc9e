hardy bench step --size 16 --batch 2 --steps 1 --seconds 0 --threads 1 --standard --json
hardy bench predict --size 16 --slices 1 --steps 1 --threads 1
hardy bench metrics --steps 1 --seconds 0
