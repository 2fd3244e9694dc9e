/*
 * gzip.c: any bytes as a plain or gzipped stream, read in pieces and skipped over: what comes out stays within the bound that is told
 * before anything is read.
 */
#include "fuzz.h"
#include "place.h"

#include "image/stream.h"

#include <stdlib.h>

enum { PIECE = 4099, MOST = 1 << 18 };

/* Reads to the end or to MOST bytes; skip: every other piece is skipped. */
static void go_through(const char *path, bool skip)
{
	static unsigned char piece[PIECE];
	hy_stream s;
	hardy_error err;
	int64_t total = 0;
	hardy_status status = hy_stream_open(&s, path, &err);
	const int64_t limit = status ? 0 : hy_stream_limit(&s);
	for (bool odd = false; !status && total < MOST; odd = !odd) {
		size_t got = 0;
		int64_t skipped = 0;
		if (odd && skip)
			status = hy_stream_skip(&s, PIECE, &skipped, &err);
		else
			status = hy_stream_read(&s, piece, PIECE, &got, &err);
		if (status || !(got + (size_t)skipped))
			break;
		total += (int64_t)got + skipped;
	}
	if (total > limit)
		abort();
	hy_stream_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = place_kept("stream", data, size);
	go_through(path, false);
	go_through(path, true);
	return 0;
}
