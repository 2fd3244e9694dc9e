/*
 * fuzz.h: what a fuzz target defines: libFuzzer calls it, and so does replay.c.
 */
#ifndef HY_FUZZ_FUZZ_H
#define HY_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0; whatever the bytes are, it must come back without a fault or a leak. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
