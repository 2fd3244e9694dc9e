# What is refused before anything is read.
hardy experiment || true
hardy experiment latent-vs-images somewhere -o out || true
hardy experiment something somewhere -o out || true
hardy experiment ablation somewhere || true
hardy experiment ablation somewhere -o out || true
hardy experiment ablation somewhere -o out --emit torque || true
hardy experiment ablation somewhere -o out --preset slow || true
[ ! -e out ]
