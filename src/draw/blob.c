/*
 * blob.c: pictures and volumes in memory, encoded as their files would be.
 */
#include "draw/blob.h"

#include "base/memory.h"
#include "image/nifti_header.h"

#include <string.h>
#include <zlib.h>

void hy_blob_clear(hy_blob *b)
{
	hy_free(b->data);
	*b = (hy_blob){0};
}

static void append(void *payload, const char *data, size_t size)
{
	hy_blob *b = payload;
	if (!size) /* of nothing there may be no memory, either */
		return;
	if (b->size + size > b->room) {
		const size_t room = 2 * (b->size + size);
		uint8_t *larger = b->failed ? NULL : hy_realloc(b->data, room, 1);
		if (!larger) {
			b->failed = true;
			return;
		}
		b->data = larger;
		b->room = room;
	}
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

hardy_sink hy_blob_sink(hy_blob *b)
{
	return (hardy_sink){append, b};
}

static hardy_status finish(hy_blob *b, const char *what, hardy_error *err)
{
	if (!b->failed)
		return HARDY_OK;
	hy_blob_clear(b);
	return hy_fail_memory(err, what, 1, 1);
}

hardy_status hy_blob_png(hy_blob *b, const hy_canvas *c, hardy_error *err)
{
	const hardy_sink sink = hy_blob_sink(b);
	hy_outfile f = {.sink = &sink};
	if (!hy_png_encode(c, &f))
		b->failed = true;
	return finish(b, "a picture", err);
}

static void deflate_all(hy_blob *b, z_stream *z, const uint8_t *data, size_t size, int flush)
{
	uint8_t out[16384];
	z->next_in = (Bytef *)(uintptr_t)data; /* zlib reads only */
	z->avail_in = (uInt)size;
	do {
		z->next_out = out;
		z->avail_out = sizeof out;
		deflate(z, flush);
		append(b, (const char *)out, sizeof out - z->avail_out);
	} while (z->avail_out == 0);
}

hardy_status hy_blob_nifti(hy_blob *b, const hy_grid *grid, const uint8_t *voxels, hardy_error *err)
{
	uint8_t header[HY_NIFTI2_SIZE + 4];
	const hy_volume like = {.grid = *grid, .nt = 1};
	const size_t size = hy_nifti_header_make(&like, 1, HY_NIFTI_UINT8, header), plane = (size_t)(grid->nx * grid->ny);
	z_stream z = {0};
	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return hy_fail_memory(err, "a volume", plane, (size_t)grid->nz);
	deflate_all(b, &z, header, size, Z_NO_FLUSH);
	for (int64_t i = 0; i < grid->nz; i++)
		deflate_all(b, &z, voxels + (size_t)i * plane, plane, Z_NO_FLUSH);
	deflate_all(b, &z, NULL, 0, Z_FINISH);
	deflateEnd(&z);
	return finish(b, "a volume", err);
}
