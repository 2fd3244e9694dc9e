/*
 * safetensors.h: the model and checkpoint file.
 *
 * Layout: 8 bytes little-endian length L of the header; L bytes of JSON: {"__metadata__": {string: string}, "tensor name":
 * {"dtype": "F32"|"I64"|..., "shape": [...], "data_offsets": [begin, end]}}; then the bytes. Offsets count from the header's
 * end, ascending and without gaps. Everything is little-endian.
 */
#ifndef HY_ENGINE_SAFETENSORS_H
#define HY_ENGINE_SAFETENSORS_H

#include "base/error.h"
#include "base/sha256.h"

#include <stddef.h>
#include <stdint.h>

typedef enum hy_dtype { HY_F32, HY_F64, HY_I64, HY_I32, HY_U8 } hy_dtype;

typedef struct hy_st_tensor {
	char *name; /* owned */
	hy_dtype dtype;
	int n_dims;
	int64_t shape[8];
	const void *data; /* inside the file's buffer, at least 1-byte aligned: copy before use */
	size_t n_bytes;
} hy_st_tensor;

typedef struct hy_st_file {
	char *buffer; /* owned */
	size_t size;
	hy_st_tensor *tensors; /* owned, in file order */
	size_t n_tensors;
	char **keys, **values; /* owned: __metadata__ */
	size_t n_metadata;
} hy_st_file;

/* Reads and checks the whole file: lengths, JSON, dtypes, shapes against offsets, gaps, overlaps, names twice. */
hardy_status hy_st_read(hy_st_file *f, const char *path, hardy_error *err);
/* The same for bytes in memory. Takes the buffer (from hy_alloc), whatever the result; name stands for the file in messages. */
hardy_status hy_st_parse(hy_st_file *f, char *buffer, size_t size, const char *name, hardy_error *err);
void hy_st_clear(hy_st_file *f);
const hy_st_tensor *hy_st_find(const hy_st_file *f, const char *name); /* NULL when absent */
const char *hy_st_metadata(const hy_st_file *f, const char *key);      /* NULL when absent */

/*
 * SHA-256 of names, types, shapes and bytes of the tensors, whatever their order. HARDY_ERROR_MEMORY alone. docs/MODELS.md says what is
 * hashed.
 */
hardy_status hy_st_hash(const hy_st_tensor *tensors, size_t n_tensors, char text[HY_SHA256_TEXT], hardy_error *err);

/*
 * Writes atomically. tensors[i].data may point anywhere. Wide types come first in the file, otherwise the order given is kept,
 * and the header is padded with spaces to a multiple of eight, so that every tensor is aligned: some readers map the file.
 * mark: as in hy_outfile_open.
 */
hardy_status hy_st_write(const char *path, const hy_st_tensor *tensors, size_t n_tensors, const char *const *keys,
                         const char *const *values, size_t n_metadata, const char *mark, hardy_error *err);

#endif
