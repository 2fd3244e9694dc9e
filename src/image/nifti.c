/*
 * nifti.c: scans and label maps in and out of NIfTI files.
 *
 * Nothing that a header says is trusted: dimensions are compared with the file's size before memory is asked for, and what is
 * read from gzip, whose content cannot be measured beforehand, is stored in memory that grows as bytes arrive.
 */
#include "image/nifti.h"

#include "base/memory.h"
#include "base/text.h"
#include "image/nifti_fields.h"
#include "image/nifti_scan.h"
#include "image/stream.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* PADDING: as many zero bytes may follow the voxels; programs that write in blocks leave some. */
enum { CHUNK = 8192, FIRST_ROOM = 1 << 16, PADDING = 1 << 16, LABEL_LIMIT = 1 << 16, PALETTE = 256 };

static const char *const endings[] = {".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"};

void hy_nifti_options_init(hy_nifti_options *o)
{
	*o = (hy_nifti_options){.frame = -1};
}

/* The ending alone is no name. */
static bool ends_in(const char *path, const char *ending)
{
	return strlen(path) > strlen(ending) && hy_ends_with(path, ending);
}

bool hy_nifti_is_name(const char *path)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (ends_in(path, endings[i]))
			return true;
	return false;
}

size_t hy_nifti_stem(const char *name)
{
	size_t longest = 0;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (ends_in(name, endings[i]) && strlen(endings[i]) > longest)
			longest = strlen(endings[i]);
	return strlen(name) - longest;
}

bool hy_nifti_is_scan(const char *name)
{
	return name[0] != '.' && hy_nifti_is_name(name) && !ends_in(name, ".img") && !ends_in(name, ".img.gz");
}

/* Names of header and image; for a pair, the ending of the other half is tried plain first, then gzipped. */
static hardy_status find_files(const char *path, bool pair, char **header, char **image, hardy_error *err)
{
	const size_t n = strlen(path), room = n + 4;
	*header = hy_alloc(room, 1);
	*image = hy_alloc(room, 1);
	if (!*header || !*image)
		return hy_fail_memory(err, path, room, 1);
	snprintf(*header, room, "%s", path);
	snprintf(*image, room, "%s", path);
	if (!pair)
		return HARDY_OK;
	const bool gzipped = ends_in(path, ".gz");
	const size_t stem = n - (gzipped ? 7 : 4);
	const bool is_header = !strncasecmp(path + stem, ".hdr", 4);
	char *const other = is_header ? *image : *header;
	for (int i = 0; i < 4; i++) {
		const bool gz = i % 2 == 0 ? gzipped : !gzipped, upper = i >= 2;
		snprintf(other, room, "%.*s%s%s", (int)stem, path,
		         is_header ? (upper ? ".IMG" : ".img")
		         : upper   ? ".HDR"
		                   : ".hdr",
		         !gz     ? ""
		         : upper ? ".GZ"
		                 : ".gz");
		if (hy_path_exists(other))
			return HARDY_OK;
	}
	if (!hy_path_exists(path))
		return hy_fail(err, HARDY_ERROR_IO, "%s: cannot be opened: no such file", path);
	return hy_fail(err, HARDY_ERROR_IO, "%s: %s is missing: want %.*s%s or the same with .gz beside it", path,
	               is_header ? "its image" : "its header", (int)stem, path, is_header ? ".img" : ".hdr");
}

void hy_nifti_close(hy_nifti_scan *s)
{
	hy_stream_close(&s->stream);
	hy_free(s->header_path);
	hy_free(s->image_path);
	memset(s, 0, sizeof *s);
}

/* Reads the start of the header's file, leaving the stream behind it. */
static hardy_status read_header(hy_nifti_scan *s, bool pair, const double *spacing_mm, const hardy_log *log, hardy_error *err)
{
	uint8_t bytes[HY_NIFTI2_SIZE];
	size_t got = 0;
	hardy_status status = hy_stream_open(&s->stream, s->header_path, err);
	if (!status)
		status = hy_stream_read(&s->stream, bytes, sizeof bytes, &got, err);
	if (!status)
		status = hy_nifti_header_parse(s->header_path, bytes, got, pair, spacing_mm, &s->h, log, err);
	return status;
}

static hardy_status fail_too_long(const hy_nifti_scan *s, hardy_error *err)
{
	return hy_fail(err, HARDY_ERROR_FORMAT,
	               "%s: holds more than the %lld x %lld x %lld x %lld voxels of %s that its header describes: damaged header?",
	               s->image_path, (long long)s->h.n[0], (long long)s->h.n[1], (long long)s->h.n[2], (long long)s->h.n[3],
	               hy_nifti_type_name(s->h.datatype));
}

hardy_status hy_nifti_open(const char *path, const double *spacing_mm, hy_nifti_scan *out, const hardy_log *log,
                           hardy_error *err)
{
	hy_nifti_scan *const s = out; /* filled in place: zlib's state must not move */
	memset(s, 0, sizeof *s);
	const bool pair = hy_nifti_is_name(path) && !ends_in(path, ".nii") && !ends_in(path, ".nii.gz");
	hardy_status status = find_files(path, pair, &s->header_path, &s->image_path, err);
	if (status)
		goto out;
	status = read_header(s, pair, spacing_mm, log, err);
	if (status)
		goto out;
	/* The image is opened anew: what was read with the header may reach into the voxels. */
	hy_stream_close(&s->stream);
	status = hy_stream_open(&s->stream, s->image_path, err);
	if (status)
		goto out;
	const int64_t limit = hy_stream_limit(&s->stream);
	if (s->h.offset > limit || s->h.n_bytes > limit - s->h.offset) {
		status = hy_fail(
		    err, HARDY_ERROR_FORMAT,
		    "%s: truncated, or dim is wrong: %lld x %lld x %lld x %lld voxels of %s want a file of %lld bytes, it %s %lld",
		    s->image_path, (long long)s->h.n[0], (long long)s->h.n[1], (long long)s->h.n[2], (long long)s->h.n[3],
		    hy_nifti_type_name(s->h.datatype), (long long)(s->h.offset + s->h.n_bytes),
		    s->stream.gzipped ? "inflates to at most" : "holds", (long long)limit);
		goto out;
	}
	if (!s->stream.gzipped && limit - s->h.offset - s->h.n_bytes > PADDING)
		status = fail_too_long(s, err);
out:
	if (status)
		hy_nifti_close(s);
	return status;
}

static hardy_status skip(hy_nifti_scan *s, int64_t size, hardy_error *err)
{
	int64_t done = 0;
	const hardy_status status = hy_stream_skip(&s->stream, size, &done, err);
	if (!status && done < size)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: truncated: ends after %lld bytes, want %lld", s->image_path,
		               (long long)s->stream.position, (long long)(s->h.offset + s->h.n_bytes));
	return status;
}

/* Behind the voxels: the gzip checksum, and nothing but padding; more means that dim or datatype is damaged. */
static hardy_status check_end(hy_nifti_scan *s, const hardy_log *log, hardy_error *err)
{
	uint8_t rest[CHUNK];
	size_t n = 0, got = 0;
	bool padding = true;
	do {
		const hardy_status status = hy_stream_read(&s->stream, rest, sizeof rest, &got, err);
		if (status)
			return status;
		for (size_t i = 0; i < got; i++)
			padding = padding && !rest[i];
		n += got;
	} while (got && padding && n <= PADDING);
	if (!n)
		return HARDY_OK;
	if (!padding || n > PADDING || !s->h.bitpix_agrees)
		return fail_too_long(s, err);
	hy_warn(log, "%s: %zu zero bytes behind the voxels are ignored", s->image_path, n);
	return HARDY_OK;
}

#define DECODE(type)                                                                                                           \
	for (size_t i = 0; i < n; i++) {                                                                                           \
		type value;                                                                                                            \
		memcpy(&value, (const unsigned char *)raw + i * sizeof value, sizeof value);                                           \
		out[i] = (double)value;                                                                                                \
	}                                                                                                                          \
	break

/* n voxels as they lie in the file to scaled values. */
static void decode(const hy_nifti_header *h, void *raw, size_t n, double *out)
{
	if (h->big_endian != hy_host_is_big_endian())
		hy_swap_bytes(raw, n, h->voxel_size);
	switch (h->datatype) {
	case HY_NIFTI_UINT8:
		DECODE(uint8_t);
	case HY_NIFTI_INT8:
		DECODE(int8_t);
	case HY_NIFTI_INT16:
		DECODE(int16_t);
	case HY_NIFTI_UINT16:
		DECODE(uint16_t);
	case HY_NIFTI_INT32:
		DECODE(int32_t);
	case HY_NIFTI_UINT32:
		DECODE(uint32_t);
	case HY_NIFTI_INT64:
		DECODE(int64_t);
	case HY_NIFTI_UINT64:
		DECODE(uint64_t);
	case HY_NIFTI_FLOAT32:
		DECODE(float);
	default:
		DECODE(double);
	}
	if (h->scaled)
		for (size_t i = 0; i < n; i++)
			out[i] = out[i] * h->slope + h->inter;
}

/* Receives the voxels of one read in order. */
typedef struct collector {
	hardy_status (*take)(struct collector *c, const double *values, size_t n, hardy_error *err);
	unsigned char *data; /* floats or label values */
	size_t element, used, room, wanted;
	/* labels only */
	hy_label_values *values;
	int16_t *place; /* of LABEL_LIMIT values: index into values, -1 for one not seen yet */
	int64_t n_bad, first_bad;
	double first_value;
	bool inexact, too_many;
} collector;

/* Room for n more elements: all at once when the file's size vouches for them, doubling otherwise. */
static hardy_status make_room(collector *c, size_t n, bool vouched, const char *path, hardy_error *err)
{
	if (c->used + n <= c->room)
		return HARDY_OK;
	size_t room = vouched ? c->wanted : c->room ? 2 * c->room : FIRST_ROOM;
	if (room > c->wanted)
		room = c->wanted;
	unsigned char *larger = hy_realloc(c->data, room, c->element);
	if (!larger)
		return hy_fail_memory(err, path, room, c->element);
	c->data = larger;
	c->room = room;
	return HARDY_OK;
}

static hardy_status take_floats(collector *c, const double *values, size_t n, hardy_error *err)
{
	float *to = (float *)(void *)c->data + c->used;
	for (size_t i = 0; i < n; i++)
		to[i] = values[i] > (double)FLT_MAX ? INFINITY : values[i] < -(double)FLT_MAX ? -INFINITY : (float)values[i];
	return HARDY_OK;
}

/*
 * Values are whole numbers up to rounding: integers that are scaled, and floats that other programs resampled by the nearest voxel or
 * computed with, reach them only nearly (0.999995). A hundredth is far from any doubt.
 */
static const double label_tolerance = 0.01;

/* Index of a value among those seen; a new one is added while there is room. */
static uint8_t place_of(collector *c, int value)
{
	hy_label_values *v = c->values;
	if (c->place[value] < 0) {
		if (v->n == PALETTE) {
			c->too_many = true;
			return 0;
		}
		v->value[v->n] = (uint16_t)value;
		c->place[value] = (int16_t)v->n++;
	}
	return (uint8_t)c->place[value];
}

static hardy_status take_labels(collector *c, const double *values, size_t n, hardy_error *err)
{
	for (size_t i = 0, end; i < n; i = end) {
		const double whole = nearbyint(values[i]);
		for (end = i + 1; end < n && values[end] == values[i];) /* background, mostly */
			end++;
		if (!(fabs(values[i] - whole) <= label_tolerance && whole >= 0 && whole < LABEL_LIMIT)) { /* NaN too */
			if (!c->n_bad) {
				c->first_bad = (int64_t)(c->used + i);
				c->first_value = values[i];
			}
			c->n_bad += (int64_t)(end - i);
			memset(c->data + c->used + i, 0, end - i);
			continue;
		}
		c->inexact = c->inexact || whole != values[i];
		const uint8_t k = place_of(c, (int)whole);
		memset(c->data + c->used + i, k, end - i);
		c->values->count[k] += (int64_t)(end - i);
	}
	return HARDY_OK;
}

/* Reads one frame, or all for -1, into the collector, and the rest of the file to its end. */
static hardy_status collect(hy_nifti_scan *s, int64_t frame, collector *c, const hardy_log *log, hardy_error *err)
{
	const hy_nifti_header *h = &s->h;
	const int64_t frame_bytes = h->n_bytes / h->n[3];
	const int64_t first = frame < 0 ? 0 : frame, n_frames = frame < 0 ? h->n[3] : 1;
	unsigned char raw[CHUNK * 8];
	double *values = hy_alloc(CHUNK, sizeof *values);
	if (!values)
		return hy_fail_memory(err, s->image_path, CHUNK, sizeof *values);
	c->wanted = (size_t)(frame_bytes / (int64_t)h->voxel_size * n_frames);
	hardy_status status = skip(s, h->offset + first * frame_bytes, err);
	while (!status && c->used < c->wanted) {
		const size_t n = c->wanted - c->used < CHUNK ? c->wanted - c->used : CHUNK;
		size_t got = 0;
		status = hy_stream_read(&s->stream, raw, n * h->voxel_size, &got, err);
		if (!status && got < n * h->voxel_size)
			status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: truncated: ends after %lld bytes, want %lld", s->image_path,
			                 (long long)s->stream.position, (long long)(h->offset + h->n_bytes));
		if (!status)
			status = make_room(c, n, !s->stream.gzipped, s->image_path, err);
		if (status)
			break;
		decode(h, raw, n, values);
		status = c->take(c, values, n, err);
		c->used += n;
	}
	if (!status)
		status = skip(s, (h->n[3] - first - n_frames) * frame_bytes, err);
	if (!status)
		status = check_end(s, log, err);
	hy_free(values);
	return status;
}

static hardy_status check_frame(const hy_nifti_scan *s, int64_t frame, hardy_error *err)
{
	if (frame < s->h.n[3])
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_DATA, "%s: frame %lld is wanted, the file holds frames 0 to %lld", s->image_path,
	               (long long)frame, (long long)s->h.n[3] - 1);
}

/* The header for outputs to carry; ANALYZE's is not NIfTI, so that outputs get one of their own. */
static hardy_status keep_header(const hy_nifti_scan *s, hy_volume *v, hardy_error *err)
{
	if (!s->h.version)
		return HARDY_OK;
	v->header = hy_alloc(s->h.size, 1);
	if (!v->header)
		return hy_fail_memory(err, s->header_path, s->h.size, 1);
	memcpy(v->header, s->h.raw, s->h.size);
	v->header_size = s->h.size;
	return HARDY_OK;
}

hardy_status hy_nifti_read(const char *path, const hy_nifti_options *o, hy_volume *out, const hardy_log *log, hardy_error *err)
{
	hy_nifti_options defaults;
	hy_nifti_scan s = {0};
	hy_volume v = {0};
	collector c = {.take = take_floats, .element = sizeof(float)};
	if (!o) {
		hy_nifti_options_init(&defaults);
		o = &defaults;
	}
	hardy_status status = hy_nifti_open(path, o->spacing_mm, &s, log, err);
	if (status || (status = check_frame(&s, o->frame, err)) || (status = keep_header(&s, &v, err)))
		goto out;
	v.grid = s.h.grid;
	v.nt = o->frame < 0 ? s.h.n[3] : 1;
	if (!o->header_only && (status = collect(&s, o->frame, &c, log, err)))
		goto out;
	v.data = (float *)(void *)c.data;
	c.data = NULL;
	*out = v;
	memset(&v, 0, sizeof v);
out:
	hy_free(c.data);
	hy_volume_clear(&v);
	hy_nifti_close(&s);
	return status;
}

static hardy_status fail_label(const char *path, const collector *c, const hy_grid *g, hardy_error *err)
{
	if (!c->n_bad)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: more than %d different values: no label map", path, PALETTE);
	return hy_fail(
	    err, HARDY_ERROR_DATA,
	    "%s: value %.9g at voxel (%lld, %lld, %lld) is no label: want whole numbers from 0 to %d; %lld voxels are not", path,
	    c->first_value, (long long)(c->first_bad % g->nx), (long long)(c->first_bad / g->nx % g->ny),
	    (long long)(c->first_bad / g->nx / g->ny), LABEL_LIMIT - 1, (long long)c->n_bad);
}

/* Sorts the values, 0 first, and makes the voxels' indices follow. */
static void sort_values(collector *c)
{
	hy_label_values sorted = {.n = c->values->n};
	uint8_t moved[PALETTE];
	for (int i = 0; i < sorted.n; i++) {
		int rank = 0;
		for (int k = 0; k < sorted.n; k++)
			rank += c->values->value[k] < c->values->value[i];
		sorted.value[rank] = c->values->value[i];
		sorted.count[rank] = c->values->count[i];
		moved[i] = (uint8_t)rank;
	}
	*c->values = sorted;
	for (size_t i = 0; i < c->used; i++)
		c->data[i] = moved[c->data[i]];
}

static hardy_status collect_labels(hy_nifti_scan *s, const char *path, int64_t frame, collector *c, const hardy_log *log,
                                   hardy_error *err)
{
	c->place = hy_alloc(LABEL_LIMIT, sizeof *c->place);
	if (!c->place)
		return hy_fail_memory(err, path, LABEL_LIMIT, sizeof *c->place);
	memset(c->place, 0xff, LABEL_LIMIT * sizeof *c->place);
	place_of(c, 0);
	hardy_status status = collect(s, frame, c, log, err);
	if (!status && (c->n_bad || c->too_many))
		status = fail_label(path, c, &s->h.grid, err);
	if (!status)
		sort_values(c);
	if (!status && c->inexact)
		hy_warn(log, "%s: label values are whole numbers only up to rounding; rounded", path);
	hy_free(c->place);
	return status;
}

hardy_status hy_nifti_read_values(const char *path, const hy_nifti_options *o, hy_labels *out, hy_label_values *values,
                                  const hardy_log *log, hardy_error *err)
{
	hy_nifti_options defaults;
	hy_nifti_scan s = {0};
	hy_label_values seen = {0};
	collector c = {.take = take_labels, .element = 1, .values = &seen};
	if (!o) {
		hy_nifti_options_init(&defaults);
		o = &defaults;
	}
	hardy_status status = hy_nifti_open(path, o->spacing_mm, &s, log, err);
	if (status || (status = check_frame(&s, o->frame, err)))
		goto out;
	if (o->frame < 0 && s.h.n[3] > 1) {
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds %lld frames, want a label map of one", path, (long long)s.h.n[3]);
		goto out;
	}
	if (!o->header_only && (status = collect_labels(&s, path, o->frame, &c, log, err)))
		goto out;
	*out = (hy_labels){.grid = s.h.grid, .data = c.data};
	*values = seen;
	c.data = NULL;
out:
	hy_free(c.data);
	hy_nifti_close(&s);
	return status;
}

hardy_status hy_nifti_read_labels(const char *path, const hy_nifti_options *o, hy_labels *out, int64_t values[256],
                                  const hardy_log *log, hardy_error *err)
{
	hy_labels l = {0};
	hy_label_values seen = {0};
	const hardy_status status = hy_nifti_read_values(path, o, &l, &seen, log, err);
	if (status)
		return status;
	int64_t count[256] = {0};
	for (int i = 0; i < seen.n; i++) {
		if (seen.value[i] > UINT8_MAX) {
			hy_labels_clear(&l);
			return hy_fail(err, HARDY_ERROR_DATA, "%s: label value %d, want 0 to 255", path, seen.value[i]);
		}
		count[seen.value[i]] = seen.count[i];
	}
	for (int64_t i = 0, n = hy_grid_voxels(&l.grid); i < n && l.data; i++)
		l.data[i] = (uint8_t)seen.value[l.data[i]];
	*out = l;
	if (values)
		memcpy(values, count, sizeof count);
	return HARDY_OK;
}

static hardy_status count_voxels(const char *path, const hy_volume *like, int64_t nt, size_t *n, hardy_error *err)
{
	const hy_grid *g = &like->grid;
	if (!hy_ends_with(path, ".nii") && !hy_ends_with(path, ".nii.gz"))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: a scan is written as .nii or .nii.gz", path);
	if (g->nx < 1 || g->ny < 1 || g->nz < 1 || nt < 1 || __builtin_mul_overflow((size_t)g->nx, (size_t)g->ny, n) ||
	    __builtin_mul_overflow(*n, (size_t)g->nz, n) || __builtin_mul_overflow(*n, (size_t)nt, n))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: %lld x %lld x %lld x %lld voxels: each count must be 1 or more", path,
		               (long long)g->nx, (long long)g->ny, (long long)g->nz, (long long)nt);
	return HARDY_OK;
}

/* Hands on n values of `size` bytes in the file's byte order, which is little-endian, part by part. */
static void each_part(const void *data, size_t n, size_t size, void (*take)(void *payload, const void *part, size_t bytes),
                      void *payload)
{
	for (size_t done = 0; done < n;) {
		float part[CHUNK]; /* as large as any type written here */
		const size_t m = n - done < CHUNK ? n - done : CHUNK;
		memcpy(part, (const char *)data + done * size, m * size);
		if (hy_host_is_big_endian())
			hy_swap_bytes(part, m, size);
		take(payload, part, m * size);
		done += m;
	}
}

static void add_to_sum(void *payload, const void *part, size_t bytes)
{
	uLong *sum = payload;
	*sum = crc32(*sum, part, (uInt)bytes);
}

static void add_to_file(void *payload, const void *part, size_t bytes)
{
	hy_sink_write(payload, part, bytes);
}

/* Values of `size` bytes in this machine's order, as `type`. */
static hardy_status write_values(const char *path, const hy_volume *like, const void *data, size_t size, int type, int64_t nt,
                                 const hy_origin *o, hardy_error *err)
{
	static const hy_origin nothing = {0};
	uint8_t header[HY_NIFTI2_SIZE + 4];
	hy_sink sink;
	size_t n = 0;
	uLong sum = crc32(0, NULL, 0);
	o = o ? o : &nothing;
	hardy_status status = count_voxels(path, like, nt, &n, err);
	if (!status)
		status = hy_origin_check(path, o, err);
	if (!status)
		status = hy_sink_open(&sink, path, HY_REPLACE_ANY, err); /* what may not be replaced is not there */
	if (status)
		return status;
	const size_t header_size = hy_nifti_header_make(like, nt, type, header);
	if (o->maker)
		each_part(data, n, size, add_to_sum, &sum);
	hy_origin_stamp(header, header_size - 4, o->maker, (uint32_t)sum);
	hy_sink_write(&sink, header, header_size);
	each_part(data, n, size, add_to_file, &sink);
	return hy_sink_commit(&sink, err);
}

hardy_status hy_nifti_write_values(const char *path, const hy_volume *like, const uint8_t *data, const uint16_t value[256],
                                   int64_t nt, const hy_origin *o, hardy_error *err)
{
	const size_t n = (size_t)(hy_grid_voxels(&like->grid) * nt);
	bool wide = false;
	for (int i = 0; i < PALETTE; i++)
		wide = wide || value[i] > UINT8_MAX;
	const size_t size = wide ? sizeof(uint16_t) : 1;
	unsigned char *own = hy_alloc(n, size);
	if (!own)
		return hy_fail_memory(err, path, n, size);
	for (size_t i = 0; i < n; i++) {
		const uint16_t v = value[data[i]];
		if (wide)
			memcpy(own + i * sizeof v, &v, sizeof v);
		else
			own[i] = (unsigned char)v;
	}
	const hardy_status status = write_values(path, like, own, size, wide ? HY_NIFTI_UINT16 : HY_NIFTI_UINT8, nt, o, err);
	hy_free(own);
	return status;
}

hardy_status hy_nifti_write_labels(const char *path, const hy_volume *like, const uint8_t *data, int64_t nt, const hy_origin *o,
                                   hardy_error *err)
{
	return write_values(path, like, data, sizeof *data, HY_NIFTI_UINT8, nt, o, err);
}

hardy_status hy_nifti_write_float(const char *path, const hy_volume *like, const float *data, int64_t nt, const hy_origin *o,
                                  hardy_error *err)
{
	return write_values(path, like, data, sizeof *data, HY_NIFTI_FLOAT32, nt, o, err);
}

hardy_status hy_nifti_write_uint16(const char *path, const hy_volume *like, const uint16_t *data, int64_t nt,
                                   const hy_origin *o, hardy_error *err)
{
	return write_values(path, like, data, sizeof *data, HY_NIFTI_UINT16, nt, o, err);
}

hardy_status hy_nifti_write_int16(const char *path, const hy_volume *like, const int16_t *data, int64_t nt, const hy_origin *o,
                                  hardy_error *err)
{
	return write_values(path, like, data, sizeof *data, HY_NIFTI_INT16, nt, o, err);
}
