/*
 * sha256.h: SHA-256 (FIPS 180-4), to tell whether two files or two configurations are the same on different machines.
 */
#ifndef HY_BASE_SHA256_H
#define HY_BASE_SHA256_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { HY_SHA256_TEXT = 65 }; /* 64 hexadecimal digits and a terminating zero */

typedef struct hy_sha256 {
	uint32_t state[8];
	uint64_t n_bytes;
	uint8_t block[64];
	void (*mix)(struct hy_sha256 *s, const uint8_t *block); /* by the processor's instructions where it has them */
} hy_sha256;

void hy_sha256_init(hy_sha256 *s);
void hy_sha256_init_plain(hy_sha256 *s); /* without those instructions, for tests */
void hy_sha256_add(hy_sha256 *s, const void *data, size_t size);
void hy_sha256_end(hy_sha256 *s, char text[HY_SHA256_TEXT]);

void hy_sha256_of(const void *data, size_t size, char text[HY_SHA256_TEXT]);
hardy_status hy_sha256_of_file(const char *path, char text[HY_SHA256_TEXT], hardy_error *err);

#endif
