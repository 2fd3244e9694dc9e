/*
 * origin.c: the stamp of a file that hardy wrote, and whether it still holds.
 */
#include "image/origin.h"

#include "base/memory.h"
#include "base/outfile.h"
#include "image/nifti_header.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { STAMP = 15, AT_1 = 14, AT_2 = 525, PART = 65536 };

static void print_stamp(char text[STAMP + 1], hy_maker maker, uint32_t crc)
{
	snprintf(text, STAMP + 1, "hardy-%c%08lx", (char)maker, (unsigned long)crc);
}

void hy_origin_stamp(unsigned char *header, size_t size, hy_maker maker, uint32_t crc)
{
	char text[STAMP + 1];
	if (!maker)
		return;
	print_stamp(text, maker, crc);
	if (size == HY_NIFTI1_SIZE)
		memset(header + AT_1, 0, 18); /* db_name is that long */
	memcpy(header + (size == HY_NIFTI1_SIZE ? AT_1 : AT_2), text, STAMP);
}

/* The CRC of what follows the header and the four bytes behind it, as hardy writes files; false when it cannot be read to its end. */
static bool sum_voxels(gzFile f, uint32_t *crc)
{
	unsigned char *part = hy_alloc(PART, 1);
	uLong sum = crc32(0, NULL, 0);
	int got = part ? 0 : -1;
	while (part && (got = gzread(f, part, PART)) > 0)
		sum = crc32(sum, part, (uInt)got);
	hy_free(part);
	*crc = (uint32_t)sum;
	return got == 0;
}

static bool is_own(const char *path, hy_maker maker)
{
	unsigned char header[HY_NIFTI2_SIZE + 4];
	char text[STAMP + 1];
	uint32_t crc = 0;
	gzFile f = maker ? gzopen(path, "rbe") : NULL;
	if (!f)
		return false;
	int size = HY_NIFTI1_SIZE + 4;
	bool good = gzread(f, header, (unsigned)size) == size;
	const bool second = good && (header[0] == (HY_NIFTI2_SIZE & 255) || header[3] == (HY_NIFTI2_SIZE & 255));
	if (second) {
		size = HY_NIFTI2_SIZE + 4;
		good = gzread(f, header + HY_NIFTI1_SIZE + 4, HY_NIFTI2_SIZE - HY_NIFTI1_SIZE) == HY_NIFTI2_SIZE - HY_NIFTI1_SIZE;
	}
	good = good && !memcmp(header + (second ? AT_2 : AT_1), "hardy-", 6) && sum_voxels(f, &crc);
	gzclose(f);
	print_stamp(text, maker, crc);
	return good && !memcmp(header + (second ? AT_2 : AT_1), text, STAMP);
}

hardy_status hy_origin_check(const char *path, const hy_origin *o, hardy_error *err)
{
	hardy_error own = {0};
	const hardy_status any = hy_outfile_check(path, HY_REPLACE_ANY, err);
	if (any || o->overwrite || !hy_outfile_check(path, NULL, &own) || is_own(path, o->maker))
		return any;
	return hy_outfile_refuse(path, err);
}
