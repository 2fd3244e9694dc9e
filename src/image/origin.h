/*
 * origin.h: which scans and label maps a command of hardy wrote: a stamp in the header, so that nothing else is ever replaced.
 */
#ifndef HY_IMAGE_ORIGIN_H
#define HY_IMAGE_ORIGIN_H

#include "base/error.h"

#include <stddef.h>

/* Who wrote a file; a letter in its stamp. */
typedef enum hy_maker { HY_MAKER_NONE = 0, HY_MAKER_PREDICT = 'p', HY_MAKER_CORRUPT = 'c' } hy_maker;

/* How a file is written: with this stamp, and over what may be there. {0}: no stamp, over nothing. */
typedef struct hy_origin {
	hy_maker maker;
	bool overwrite; /* whatever is there; else only what the same maker wrote and nobody changed since */
} hy_origin;

/*
 * Puts "hardy-", the maker's letter and the voxels' CRC-32 as eight hexadecimal digits into a field of the header (size bytes, 348 or 540)
 * that the format leaves unused: db_name of NIfTI-1, unused_str of NIfTI-2. Without a maker the header stays as it is.
 */
void hy_origin_stamp(unsigned char *header, size_t size, hy_maker maker, uint32_t crc);

/* HARDY_ERROR_ARGUMENT when something is at path that may not be replaced. A file whose voxels are not those of its stamp was edited. */
hardy_status hy_origin_check(const char *path, const hy_origin *o, hardy_error *err);

#endif
