/*
 * rng.c: Philox4x32-10 and the distributions drawn from it.
 */
#include "base/rng.h"

#include <math.h>

static uint64_t mix(uint64_t x) /* finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) */
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];
	for (int round = 0; round < 10; round++) {
		const uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
		const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
		c1 = (uint32_t)p1;
		c3 = (uint32_t)p0;
		c0 = n0;
		c2 = n2;
		k0 += 0x9e3779b9u;
		k1 += 0xbb67ae85u;
	}
	out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

hy_rng hy_rng_make(uint64_t seed, hy_rng_purpose purpose, uint64_t a, uint64_t b)
{
	const uint64_t key = mix(mix(seed) ^ (uint64_t)purpose);
	const uint64_t stream = mix(mix(key ^ mix(a)) + b);
	hy_rng g = {.key = {(uint32_t)key, (uint32_t)(key >> 32)}, .counter = {0, 0, (uint32_t)stream, (uint32_t)(stream >> 32)}};
	return g;
}

uint32_t hy_rng_u32(hy_rng *g)
{
	if (!g->n_left) {
		philox(g->counter, g->key, g->block);
		if (++g->counter[0] == 0)
			g->counter[1]++;
		g->n_left = 4;
	}
	return g->block[--g->n_left];
}

double hy_rng_uniform(hy_rng *g)
{
	const uint64_t high = hy_rng_u32(g), low = hy_rng_u32(g);
	return (double)(((high << 32) | low) >> 11) * 0x1p-53;
}

double hy_rng_between(hy_rng *g, double low, double high)
{
	return low + (high - low) * hy_rng_uniform(g);
}

double hy_rng_normal(hy_rng *g)
{
	const double radius = sqrt(-2.0 * log(1.0 - hy_rng_uniform(g)));
	return radius * cos(6.283185307179586 * hy_rng_uniform(g));
}

void hy_rng_normals(hy_rng *g, float *out, size_t n)
{
	for (size_t i = 0; i < n; i += 2) {
		const float u = ((float)(hy_rng_u32(g) >> 8) + 0.5f) * 0x1p-24f, v = (float)(hy_rng_u32(g) >> 8) * 0x1p-24f;
		const float radius = sqrtf(-2 * logf(u)), angle = 6.28318531f * v;
		out[i] = radius * cosf(angle);
		if (i + 1 < n)
			out[i + 1] = radius * sinf(angle);
	}
}

uint64_t hy_rng_below(hy_rng *g, uint64_t n)
{
	const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
	uint64_t x;
	do
		x = ((uint64_t)hy_rng_u32(g) << 32) | hy_rng_u32(g);
	while (x >= limit);
	return x % n;
}

void hy_rng_permutation(hy_rng *g, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const size_t j = (size_t)hy_rng_below(g, i + 1);
		out[i] = out[j];
		out[j] = i;
	}
}
