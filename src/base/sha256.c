/*
 * sha256.c: SHA-256 as FIPS 180-4 has it.
 */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#define HAVE_SHA_INSTRUCTIONS 1
#else
#define HAVE_SHA_INSTRUCTIONS 0
#endif

/* Fractional parts of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* One of the 64 rounds. The eight variables change places from round to round; here their names do. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                                                       \
	do {                                                                                                                       \
		const uint32_t t = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (g ^ (e & (f ^ g))) + constants[i] + w[i];           \
		d += t;                                                                                                                \
		h = t + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) | (c & (a | b)));                                          \
	} while (0)

static void mix_block(hy_sha256 *s, const uint8_t *block)
{
	uint32_t w[64], *v = s->state;
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
		       block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		const uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
	uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
	for (int i = 0; i < 64; i += 8) {
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	v[0] += a, v[1] += b, v[2] += c, v[3] += d, v[4] += e, v[5] += f, v[6] += g, v[7] += h;
}

#if HAVE_SHA_INSTRUCTIONS
/* The same by the processor's instructions, four words of the schedule and four rounds at a time. */
__attribute__((target("sha,sse4.1"))) static void mix_block_fast(hy_sha256 *s, const uint8_t *block)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203); /* words are big-endian */
	const __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)s->state), 0xb1);
	const __m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(s->state + 4)), 0x1b);
	const __m128i first = _mm_alignr_epi8(low, high, 8), second = _mm_blend_epi16(high, low, 0xf0);
	__m128i abef = first, cdgh = second, w[4];
	for (int i = 0; i < 16; i++) {
		__m128i *now = &w[i % 4];
		if (i < 4) {
			*now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * i)), swap);
		} else {
			const __m128i before = w[(i + 3) % 4], middle = _mm_alignr_epi8(before, w[(i + 2) % 4], 4);
			*now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(i + 1) % 4]), middle), before);
		}
		const __m128i k = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)(constants + 4 * i)));
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, k);
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(k, 0x0e));
	}
	const __m128i a = _mm_shuffle_epi32(_mm_add_epi32(abef, first), 0x1b),
	              b = _mm_shuffle_epi32(_mm_add_epi32(cdgh, second), 0xb1);
	_mm_storeu_si128((__m128i *)s->state, _mm_blend_epi16(a, b, 0xf0));
	_mm_storeu_si128((__m128i *)(s->state + 4), _mm_alignr_epi8(b, a, 8));
}

static bool has_sha_instructions(void)
{
	unsigned a, b, c, d;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) && __get_cpuid(1, &a, &b, &c, &d) && (c >> 19 & 1);
}
#endif

void hy_sha256_init(hy_sha256 *s)
{
	/* of the square roots of the first eight */
	static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	memcpy(s->state, start, sizeof start);
	s->n_bytes = 0;
	s->mix = mix_block;
#if HAVE_SHA_INSTRUCTIONS
	if (has_sha_instructions())
		s->mix = mix_block_fast;
#endif
}

void hy_sha256_init_plain(hy_sha256 *s)
{
	hy_sha256_init(s);
	s->mix = mix_block;
}

void hy_sha256_add(hy_sha256 *s, const void *data, size_t size)
{
	const uint8_t *p = data;
	while (size) {
		const size_t at = s->n_bytes % 64, n = size < 64 - at ? size : 64 - at;
		if (n == 64) {
			s->mix(s, p);
		} else {
			memcpy(s->block + at, p, n);
			if (at + n == 64)
				s->mix(s, s->block);
		}
		s->n_bytes += n;
		p += n;
		size -= n;
	}
}

void hy_sha256_end(hy_sha256 *s, char text[HY_SHA256_TEXT])
{
	const uint64_t n_bits = 8 * s->n_bytes;
	uint8_t length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)(n_bits >> (56 - 8 * i));
	hy_sha256_add(s, "\x80", 1);
	while (s->n_bytes % 64 != 56)
		hy_sha256_add(s, "", 1);
	hy_sha256_add(s, length, 8);
	for (int i = 0; i < 8; i++)
		snprintf(text + 8 * i, 9, "%08x", (unsigned)s->state[i]);
}

void hy_sha256_of(const void *data, size_t size, char text[HY_SHA256_TEXT])
{
	hy_sha256 s;
	hy_sha256_init(&s);
	hy_sha256_add(&s, data, size);
	hy_sha256_end(&s, text);
}

hardy_status hy_sha256_of_file(const char *path, char text[HY_SHA256_TEXT], hardy_error *err)
{
	unsigned char buffer[16384];
	hy_sha256 s;
	size_t n;
	FILE *f = fopen(path, "rb");
	if (!f)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be opened", path);
	hy_sha256_init(&s);
	while ((n = fread(buffer, 1, sizeof buffer, f)) > 0)
		hy_sha256_add(&s, buffer, n);
	const bool bad = ferror(f) != 0;
	const hardy_status status = bad ? hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", path) : HARDY_OK;
	fclose(f);
	if (!status)
		hy_sha256_end(&s, text);
	return status;
}
