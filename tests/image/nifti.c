/*
 * nifti.c: every type, byte order and container; damaged files; scaling; labels; writing; exhausted memory and disk.
 */
#define _DEFAULT_SOURCE
#include "image/nifti.h"

#include "base/files.h"
#include "base/memory.h"
#include "support/fake_nifti.h"
#include "support/scratch.h"

#include "support/test.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const int all_types[] = {HY_NIFTI_UINT8, HY_NIFTI_INT8,   HY_NIFTI_UINT16, HY_NIFTI_INT16,   HY_NIFTI_UINT32,
                                HY_NIFTI_INT32, HY_NIFTI_UINT64, HY_NIFTI_INT64,  HY_NIFTI_FLOAT32, HY_NIFTI_FLOAT64};
enum { N_TYPES = sizeof all_types / sizeof *all_types };

static void write_fake(const fake_nifti *f, const char *name)
{
	size_t size;
	uint8_t *bytes = fake_nifti_file(f, &size);
	scratch_write(name, bytes, size);
	hy_free(bytes);
}

/* Reads and wants a refusal whose message names the file and says word. */
static void assert_refused(const char *name, const hy_nifti_options *o, hardy_status want, const char *word)
{
	hy_volume v = {0};
	hardy_error err = {0};
	const hardy_status status = hy_nifti_read(scratch_path(name), o, &v, NULL, &err);
	if (!status)
		fail_msg("%s is read, want a refusal that says '%s'", name, word);
	if (status != want || !strstr(err.message, word) || !strstr(err.message, name))
		fail_msg("status %d, message '%s'; want %d, a message with '%s' and '%s'", status, err.message, want, word, name);
	assert_null(v.data);
}

static void assert_pattern(const fake_nifti *f, const char *path, double slope, double inter)
{
	hy_volume v;
	hardy_error err;
	assert_ok(hy_nifti_read(path, NULL, &v, NULL, &err), &err);
	assert_true(v.grid.nx == f->n[0] && v.grid.ny == f->n[1] && v.grid.nz == f->n[2] && v.nt == f->n[3]);
	assert_true(v.grid.spacing_mm[0] == 1.5 && v.grid.spacing_mm[1] == 1.25 && v.grid.spacing_mm[2] == 8);
	for (size_t i = 0; i < fake_nifti_n_voxels(f); i++) {
		const float want = (float)(fake_nifti_value(f, i) * slope + inter);
		if (v.data[i] != want)
			fail_msg("%s: datatype %d, voxel %zu: %.9g, want %.9g", path, f->datatype, i, (double)v.data[i], (double)want);
	}
	hy_volume_clear(&v);
}

static void every_type_order_version_and_container(void **state)
{
	for (int variant = 0; variant < 4 * N_TYPES; variant++) {
		fake_nifti f = fake_nifti_make(all_types[variant / 4]);
		f.version = 1 + variant % 2;
		f.big_endian = variant & 2;
		const double slope = variant % 3 ? 0.5 : 1, inter = variant % 3 ? -3.25 : 0;
		for (int pair = 0; pair < 2; pair++) {
			f.single = !pair;
			f.extension = pair ? 0 : 32 * (variant & 1);
			fake_nifti_update(&f);
			hy_nifti_put_real(f.raw, f.version, HY_F_SCL_SLOPE, 0, variant % 3 ? slope : variant % 6 ? 0 : NAN);
			hy_nifti_put_real(f.raw, f.version, HY_F_SCL_INTER, 0, variant % 3 ? inter : 77);
			uint8_t header[HY_NIFTI2_SIZE + 4 + 64];
			const size_t header_size = fake_nifti_header(&f, header);
			size_t size, zipped_size;
			uint8_t *bytes = fake_nifti_file(&f, &size), *zipped = fake_gzip(bytes, size, &zipped_size);
			if (pair) {
				scratch_write("a.hdr", header, header_size);
				scratch_write("a.img", bytes, size);
				assert_pattern(&f, scratch_path("a.hdr"), slope, inter);
				assert_pattern(&f, scratch_path("a.img"), slope, inter);
				scratch_empty();
				scratch_write("a.hdr", header, header_size);
				scratch_write("a.img.gz", zipped, zipped_size);
				assert_pattern(&f, scratch_path("a.img.gz"), slope, inter);
				assert_pattern(&f, scratch_path("a.hdr"), slope, inter);
			} else {
				scratch_write("a.nii", bytes, size);
				scratch_write("a.nii.gz", zipped, zipped_size);
				assert_pattern(&f, scratch_path("a.nii"), slope, inter);
				assert_pattern(&f, scratch_path("a.nii.gz"), slope, inter);
			}
			scratch_empty();
			hy_free(bytes);
			hy_free(zipped);
		}
	}
}

static void frames(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	hy_nifti_options o;
	hy_volume v;
	hardy_error err;
	hy_nifti_options_init(&o);
	write_fake(&f, "a.nii");
	o.frame = 1;
	assert_ok(hy_nifti_read(scratch_path("a.nii"), &o, &v, NULL, &err), &err);
	assert_int_equal(v.nt, 1);
	for (size_t i = 0; i < 60; i++)
		assert_true(v.data[i] == (float)fake_nifti_value(&f, 60 + i));
	hy_volume_clear(&v);
	o.frame = 2;
	assert_refused("a.nii", &o, HARDY_ERROR_DATA, "frame 2 is wanted, the file holds frames 0 to 1");
	o.frame = -1;
	o.header_only = true;
	assert_ok(hy_nifti_read(scratch_path("a.nii"), &o, &v, NULL, &err), &err);
	assert_true(v.nt == 2 && !v.data && v.header && v.header_size == 348);
	hy_volume_clear(&v);
}

static void non_finite_voxels_are_kept(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_FLOAT64);
	const double special[] = {NAN, INFINITY, -INFINITY, 1e200, -1e200};
	const float want[] = {NAN, INFINITY, -INFINITY, INFINITY, -INFINITY};
	size_t size;
	uint8_t *bytes = fake_nifti_file(&f, &size);
	memcpy(bytes + 352, special, sizeof special);
	scratch_write("a.nii", bytes, size);
	hy_free(bytes);
	hy_volume v;
	hardy_error err;
	assert_ok(hy_nifti_read(scratch_path("a.nii"), NULL, &v, NULL, &err), &err);
	assert_true(isnan(v.data[0]));
	for (int i = 1; i < 5; i++)
		assert_true(v.data[i] == want[i]);
	/* and survive being written */
	assert_ok(hy_nifti_write_float(scratch_path("b.nii.gz"), &v, v.data, v.nt, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume back;
	assert_ok(hy_nifti_read(scratch_path("b.nii.gz"), NULL, &back, NULL, &err), &err);
	assert_memory_equal(back.data, v.data, 120 * sizeof *v.data);
	hy_volume_clear(&v);
	hy_volume_clear(&back);
}

static void two_dimensions_and_trailing_ones(void **state)
{
	for (int n_dim = 2; n_dim <= 7; n_dim++) {
		fake_nifti f = fake_nifti_make(HY_NIFTI_UINT8);
		f.n_dim = n_dim;
		for (int i = n_dim; i < 4; i++)
			f.n[i] = 1;
		fake_nifti_update(&f);
		if (n_dim < 7) /* dimensions that do not count may hold anything */
			hy_nifti_put_int(f.raw, 1, HY_F_DIM, n_dim + 1, n_dim == 2 ? -5 : 0);
		write_fake(&f, "a.nii");
		assert_pattern(&f, scratch_path("a.nii"), 1, 0);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		hy_nifti_field field;
		int index;
		int64_t value;
		hardy_status status;
		const char *word;
	} cases[] = {
	    {HY_F_DATATYPE, 0, 32, HARDY_ERROR_UNSUPPORTED, "complex64"},
	    {HY_F_DATATYPE, 0, 1792, HARDY_ERROR_UNSUPPORTED, "complex128"},
	    {HY_F_DATATYPE, 0, 2048, HARDY_ERROR_UNSUPPORTED, "complex256"},
	    {HY_F_DATATYPE, 0, 1536, HARDY_ERROR_UNSUPPORTED, "float128"},
	    {HY_F_DATATYPE, 0, 128, HARDY_ERROR_UNSUPPORTED, "RGB"},
	    {HY_F_DATATYPE, 0, 2304, HARDY_ERROR_UNSUPPORTED, "RGBA"},
	    {HY_F_DATATYPE, 0, 1, HARDY_ERROR_UNSUPPORTED, "binary"},
	    {HY_F_DATATYPE, 0, 0, HARDY_ERROR_FORMAT, "datatype is 0"},
	    {HY_F_DIM, 0, 0, HARDY_ERROR_FORMAT, "dim[0] is 0"},
	    {HY_F_DIM, 0, 8, HARDY_ERROR_FORMAT, "dim[0] is 8"},
	    {HY_F_DIM, 0, 1, HARDY_ERROR_UNSUPPORTED, "dim[0] is 1"},
	    {HY_F_DIM, 3, -4, HARDY_ERROR_FORMAT, "dim[3] is -4, want 1 or more"},
	    {HY_F_DIM, 4, 0, HARDY_ERROR_FORMAT, "dim[4] is 0, want 1 or more"},
	    {HY_F_DIM, 1, 30000, HARDY_ERROR_FORMAT, "truncated"},
	    {HY_F_DIM, 4, 1, HARDY_ERROR_FORMAT, "holds more than"},
	    {HY_F_VOX_OFFSET, 0, 100, HARDY_ERROR_FORMAT, "vox_offset is 100"},
	    {HY_F_VOX_OFFSET, 0, -1, HARDY_ERROR_FORMAT, "vox_offset is -1"},
	    {HY_F_VOX_OFFSET, 0, 1 << 30, HARDY_ERROR_FORMAT, "truncated"},
	    {HY_F_SIZEOF_HDR, 0, 349, HARDY_ERROR_FORMAT, "not NIfTI"},
	    {HY_F_INTENT_CODE, 0, 3006, HARDY_ERROR_UNSUPPORTED, "CIFTI"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
		hy_nifti_put_int(f.raw, 1, cases[i].field, cases[i].index, cases[i].value);
		write_fake(&f, "a.nii");
		assert_refused("a.nii", NULL, cases[i].status, cases[i].word);
	}
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	hy_nifti_put_int(f.raw, 1, HY_F_DIM, 0, 5);
	hy_nifti_put_int(f.raw, 1, HY_F_DIM, 5, 3);
	write_fake(&f, "a.nii");
	assert_refused("a.nii", NULL, HARDY_ERROR_UNSUPPORTED, "5-D");
	f = fake_nifti_make(HY_NIFTI_INT16);
	hy_nifti_put_real(f.raw, 1, HY_F_SCL_SLOPE, 0, 2);
	hy_nifti_put_real(f.raw, 1, HY_F_SCL_INTER, 0, NAN);
	write_fake(&f, "a.nii");
	assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, "scl_inter");
	f = fake_nifti_make(HY_NIFTI_INT16);
	f.version = 2;
	fake_nifti_update(&f);
	hy_nifti_put_int(f.raw, 2, HY_F_DIM, 1, INT64_MAX);
	hy_nifti_put_int(f.raw, 2, HY_F_DIM, 2, INT64_MAX);
	write_fake(&f, "a.nii");
	assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, "more voxels than any file holds");
	/* A gzip that would have to grow beyond what deflate can do is refused before memory is asked for. */
	f = fake_nifti_make(HY_NIFTI_INT16);
	hy_nifti_put_int(f.raw, 1, HY_F_DIM, 1, 32000);
	hy_nifti_put_int(f.raw, 1, HY_F_DIM, 2, 32000);
	size_t size, zipped_size;
	uint8_t *bytes = fake_nifti_file(&f, &size), *zipped = fake_gzip(bytes, size, &zipped_size);
	scratch_write("a.nii.gz", zipped, zipped_size);
	assert_refused("a.nii.gz", NULL, HARDY_ERROR_FORMAT, "inflates to at most");
	hy_free(bytes);
	hy_free(zipped);
	scratch_empty();
	assert_refused("a.nii", NULL, HARDY_ERROR_IO, "No such file");
	assert_refused("a.hdr", NULL, HARDY_ERROR_IO, "no such file");
	assert_refused("a.img.gz", NULL, HARDY_ERROR_IO, "no such file");
	hy_volume v;
	hardy_error err;
	assert_int_equal(hy_nifti_read(scratch_folder(), NULL, &v, NULL, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "is a folder"));
}

static void halves_of_a_pair(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_UINT8);
	write_fake(&f, "a.hdr");
	scratch_write("a.img", "", 0);
	assert_refused("a.hdr", NULL, HARDY_ERROR_FORMAT, "magic is n+1");
	f.single = false;
	fake_nifti_update(&f);
	uint8_t header[HY_NIFTI2_SIZE];
	scratch_write("a.nii", header, fake_nifti_header(&f, header));
	assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, "magic is ni1");
	scratch_write("a.hdr", header, fake_nifti_header(&f, header));
	assert_refused("a.img", NULL, HARDY_ERROR_FORMAT, "truncated");
	scratch_empty();
	scratch_write("a.hdr", header, fake_nifti_header(&f, header));
	assert_refused("a.hdr", NULL, HARDY_ERROR_IO, "its image is missing");
	scratch_empty();
	write_fake(&f, "a.img");
	assert_refused("a.img", NULL, HARDY_ERROR_IO, "its header is missing");
	scratch_empty();
}

static void truncated_at_every_length(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	size_t size, zipped_size;
	uint8_t *bytes = fake_nifti_file(&f, &size), *zipped = fake_gzip(bytes, size, &zipped_size);
	hy_volume v;
	hardy_error err;
	for (size_t n = 0; n < size; n++) {
		scratch_write("a.nii", bytes, n);
		assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, n < 348 ? "not NIfTI" : "truncated");
	}
	for (size_t n = 0; n < zipped_size; n++) {
		scratch_write("a.nii.gz", zipped, n);
		assert_refused("a.nii.gz", NULL, HARDY_ERROR_FORMAT, n < 2 ? "not NIfTI" : "truncated");
	}
	/* A wrong checksum behind voxels that are all there. */
	for (size_t i = zipped_size - 8; i < zipped_size; i++) {
		zipped[i] ^= 0x10;
		scratch_write("a.nii.gz", zipped, zipped_size);
		assert_refused("a.nii.gz", NULL, HARDY_ERROR_FORMAT, "damaged");
		zipped[i] ^= 0x10;
	}
	/* Two members are one stream; padding behind a gzip does not count. */
	size_t n_first, n_second;
	uint8_t *first = fake_gzip(bytes, 400, &n_first), *second = fake_gzip(bytes + 400, size - 400, &n_second);
	uint8_t *joined = hy_calloc(n_first + n_second + 100, 1);
	assert_non_null(joined);
	memcpy(joined, first, n_first);
	memcpy(joined + n_first, second, n_second);
	scratch_write("a.nii.gz", joined, n_first + n_second + 100);
	assert_ok(hy_nifti_read(scratch_path("a.nii.gz"), NULL, &v, NULL, &err), &err);
	hy_volume_clear(&v);
	hy_free(joined);
	hy_free(first);
	hy_free(second);
	hy_free(bytes);
	hy_free(zipped);
}

/* Whatever bit of the header is wrong, the file is refused with a message or its voxels are the right number. */
static void every_bit_of_the_header_flipped(void **state)
{
	for (int variant = 0; variant < 4; variant++) {
		fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
		f.version = 1 + variant % 2;
		f.big_endian = variant & 2;
		fake_nifti_update(&f);
		hy_nifti_put_int(f.raw, f.version, HY_F_SFORM_CODE, 0, 1);
		hy_nifti_put_int(f.raw, f.version, HY_F_QFORM_CODE, 0, 1);
		hy_nifti_put_real(f.raw, f.version, HY_F_SCL_SLOPE, 0, 2);
		for (int i = 0; i < 3; i++)
			hy_nifti_put_real(f.raw, f.version, HY_F_SROW, 5 * i, i == 0 ? 1.5 : i == 1 ? 1.25 : 8);
		size_t size;
		uint8_t *bytes = fake_nifti_file(&f, &size);
		int n_refused = 0;
		for (size_t bit = 0; bit < 8 * (size - 240); bit++) {
			hy_volume v = {0};
			hardy_error err = {0};
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			scratch_write("a.nii", bytes, size);
			if (hy_nifti_read(scratch_path("a.nii"), NULL, &v, NULL, &err)) {
				n_refused++;
				assert_true(strlen(err.message) > 20 && strstr(err.message, "a.nii"));
			} else {
				assert_int_equal(hy_grid_voxels(&v.grid) * v.nt, 120);
				for (int i = 0; i < 3; i++)
					assert_true(v.grid.spacing_mm[i] > 0 && isfinite(v.grid.spacing_mm[i]));
			}
			hy_volume_clear(&v);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_true(n_refused > 100);
		hy_free(bytes);
	}
}

static void warn_counter(void *payload, hardy_log_level level, const char *line)
{
	*(int *)payload += level == HARDY_LOG_WARNING;
}

static void a_little_padding_is_tolerated_with_a_warning(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	size_t size;
	uint8_t *bytes = fake_nifti_file(&f, &size), *padded = hy_calloc((1 << 16) + 1200, 1);
	int n_warnings = 0;
	const hardy_log log = {warn_counter, &n_warnings};
	hy_volume v;
	hardy_error err;
	memcpy(padded, bytes, size);
	scratch_write("a.nii", padded, size + 100);
	assert_ok(hy_nifti_read(scratch_path("a.nii"), NULL, &v, &log, &err), &err);
	assert_int_equal(n_warnings, 1);
	hy_volume_clear(&v);
	padded[size + 50] = 1;
	scratch_write("a.nii", padded, size + 100);
	assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, "holds more than");
	padded[size + 50] = 0;
	n_warnings = 0;
	scratch_write("a.nii", padded, size + (1 << 16)); /* some blocks */
	assert_ok(hy_nifti_read(scratch_path("a.nii"), NULL, &v, &log, &err), &err);
	assert_int_equal(n_warnings, 1);
	hy_volume_clear(&v);
	scratch_write("a.nii", padded, size + (1 << 16) + 1);
	assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, "holds more than");
	hy_free(padded);
	hy_free(bytes);
}

static void bitpix_is_believed_less_than_datatype(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	hy_nifti_put_int(f.raw, 1, HY_F_BITPIX, 0, 8);
	write_fake(&f, "a.nii");
	assert_pattern(&f, scratch_path("a.nii"), 1, 0);
}

static void analyze(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	f.single = false;
	for (int big = 0; big < 2; big++) {
		f.big_endian = big;
		fake_nifti_update(&f);
		memset(f.raw + 344, 0, 4);
		uint8_t header[HY_NIFTI2_SIZE];
		scratch_write("a.hdr", header, fake_nifti_header(&f, header));
		write_fake(&f, "a.img");
		assert_pattern(&f, scratch_path("a.img"), 1, 0);
		int n_warnings = 0;
		const hardy_log log = {warn_counter, &n_warnings};
		hy_volume v;
		hardy_error err;
		assert_ok(hy_nifti_read(scratch_path("a.hdr"), NULL, &v, &log, &err), &err);
		/* x to the left, origin in the centre; no header to carry on */
		assert_true(n_warnings == 1 && v.grid.affine[0][0] == -1.5 && v.grid.affine[0][3] == 3 && v.grid.affine[2][3] == -8);
		assert_null(v.header);
		hy_volume_clear(&v);
	}
	/* A NIfTI magic with one wrong letter is damage, not ANALYZE. */
	memcpy(f.raw + 344, "nj1", 4);
	uint8_t header[HY_NIFTI2_SIZE];
	scratch_write("a.hdr", header, fake_nifti_header(&f, header));
	assert_refused("a.hdr", NULL, HARDY_ERROR_FORMAT, "magic");
	/* Only a pair can be ANALYZE. */
	memset(f.raw + 344, 0, 4);
	scratch_write("a.nii", header, fake_nifti_header(&f, header));
	assert_refused("a.nii", NULL, HARDY_ERROR_FORMAT, "not NIfTI");
	scratch_empty();
}

static void labels(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_FLOAT32);
	f.n[3] = 1;
	f.n_dim = 3;
	fake_nifti_update(&f);
	size_t size;
	uint8_t *bytes = fake_nifti_file(&f, &size);
	float voxels[60] = {0};
	voxels[7] = 3;
	voxels[8] = 255;
	memcpy(bytes + 352, voxels, sizeof voxels);
	scratch_write("a.nii", bytes, size);
	int64_t values[256];
	hy_labels l = {0};
	hardy_error err;
	assert_ok(hy_nifti_read_labels(scratch_path("a.nii"), NULL, &l, values, NULL, &err), &err);
	assert_true(l.data[7] == 3 && l.data[8] == 255 && l.data[0] == 0);
	assert_true(values[0] == 58 && values[3] == 1 && values[255] == 1 && values[1] == 0);
	hy_labels_clear(&l);
	const float bad[] = {0.5f, -1, 65536, NAN, INFINITY, 1.02f};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		voxels[27] = bad[i];
		voxels[59] = bad[i];
		memcpy(bytes + 352, voxels, sizeof voxels);
		scratch_write("a.nii", bytes, size);
		assert_int_equal(hy_nifti_read_labels(scratch_path("a.nii"), NULL, &l, values, NULL, &err), HARDY_ERROR_DATA);
		char wanted[100];
		snprintf(wanted, sizeof wanted, "value %.9g at voxel (2, 1, 1)", (double)bad[i]);
		assert_non_null(strstr(err.message, wanted));
		assert_non_null(strstr(err.message, "2 voxels"));
		assert_non_null(strstr(err.message, "a.nii"));
		assert_null(l.data);
	}
	hy_free(bytes);
	/* Whole numbers that were stored as scaled integers. */
	f.datatype = HY_NIFTI_INT16;
	fake_nifti_update(&f);
	hy_nifti_put_real(f.raw, 1, HY_F_SCL_SLOPE, 0, 3.0 / 65535);
	hy_nifti_put_real(f.raw, 1, HY_F_SCL_INTER, 0, 1.5 + 1.5 / 65535);
	bytes = fake_nifti_file(&f, &size);
	for (int i = 0; i < 60; i++) {
		const int16_t stored = (int16_t)(i % 4 * 21845 - 32768);
		memcpy(bytes + 352 + 2 * i, &stored, 2);
	}
	int n_warnings = 0;
	const hardy_log log = {warn_counter, &n_warnings};
	scratch_write("a.nii", bytes, size);
	assert_ok(hy_nifti_read_labels(scratch_path("a.nii"), NULL, &l, values, &log, &err), &err);
	assert_int_equal(n_warnings, 1);
	for (int i = 0; i < 60; i++)
		assert_int_equal(l.data[i], i % 4);
	hy_labels_clear(&l);
	hy_free(bytes);
	/* Several frames are no label map unless one is named. */
	f = fake_nifti_make(HY_NIFTI_UINT8);
	write_fake(&f, "a.nii");
	assert_int_equal(hy_nifti_read_labels(scratch_path("a.nii"), NULL, &l, values, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "2 frames"));
	hy_nifti_options o;
	hy_nifti_options_init(&o);
	o.frame = 1;
	assert_ok(hy_nifti_read_labels(scratch_path("a.nii"), &o, &l, NULL, NULL, &err), &err);
	assert_int_equal(l.data[3], fake_nifti_value(&f, 63));
	hy_labels_clear(&l);
}

static void labels_of_any_type_and_size(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_FLOAT32);
	f.n[3] = 1;
	f.n_dim = 3;
	fake_nifti_update(&f);
	size_t size;
	uint8_t *bytes = fake_nifti_file(&f, &size);
	float voxels[60] = {0};
	voxels[3] = 499.9953f; /* stored by a program that computes with them */
	voxels[4] = 65535.004f;
	voxels[5] = 1e-6f;
	voxels[6] = 500;
	memcpy(bytes + 352, voxels, sizeof voxels);
	scratch_write("a.nii", bytes, size);
	int n_warnings = 0;
	const hardy_log log = {warn_counter, &n_warnings};
	hy_label_values values;
	hy_labels l = {0};
	hardy_error err;
	assert_ok(hy_nifti_read_values(scratch_path("a.nii"), NULL, &l, &values, &log, &err), &err);
	assert_int_equal(n_warnings, 1);
	assert_int_equal(values.n, 3);
	assert_true(values.value[0] == 0 && values.value[1] == 500 && values.value[2] == 65535);
	assert_true(values.count[0] == 57 && values.count[1] == 2 && values.count[2] == 1);
	assert_true(l.data[3] == 1 && l.data[4] == 2 && l.data[5] == 0 && l.data[6] == 1);
	/* Back as they were. */
	hy_volume like = {.grid = l.grid, .nt = 1};
	uint16_t own[256] = {0, 500, 65535};
	assert_ok(hy_nifti_write_values(scratch_path("out.nii.gz"), &like, l.data, own, 1, NULL, &err), &err);
	hy_labels_clear(&l);
	assert_ok(hy_nifti_read_values(scratch_path("out.nii.gz"), NULL, &l, &values, NULL, &err), &err);
	assert_true(values.n == 3 && values.value[l.data[4]] == 65535 && values.value[l.data[6]] == 500);
	hy_labels_clear(&l);
	/* 257 different values are no label map. */
	hy_free(bytes);
	f = fake_nifti_make(HY_NIFTI_UINT16);
	f.n[0] = 257;
	f.n[1] = f.n[2] = f.n[3] = 1;
	f.n_dim = 3;
	fake_nifti_update(&f);
	bytes = fake_nifti_file(&f, &size);
	for (int i = 0; i < 257; i++) {
		const uint16_t v = (uint16_t)(i * 3);
		memcpy(bytes + 352 + 2 * i, &v, 2);
	}
	scratch_write("a.nii", bytes, size);
	assert_int_equal(hy_nifti_read_values(scratch_path("a.nii"), NULL, &l, &values, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "more than 256 different values"));
	hy_free(bytes);
}

static void extensions_in_any_case(void **state)
{
	static const char *const good[] = {"a.nii", "A.NII.GZ", "a.Nii.gz", "b.HDR", "c.img.GZ", ".NII.nii"};
	static const size_t stems[] = {1, 1, 1, 1, 1, 4};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(hy_nifti_is_name(good[i]));
		assert_int_equal(hy_nifti_stem(good[i]), stems[i]);
	}
	assert_true(hy_nifti_is_scan("A.NII.GZ") && hy_nifti_is_scan("b.Hdr"));
	assert_false(hy_nifti_is_scan("c.IMG") || hy_nifti_is_scan(".a.nii") || hy_nifti_is_scan("a.niii"));
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	write_fake(&f, "A.NII");
	hy_volume v;
	hardy_error err;
	assert_ok(hy_nifti_read(scratch_path("A.NII"), NULL, &v, NULL, &err), &err);
	hy_volume_clear(&v);
}

static void outputs_carry_the_header(void **state)
{
	for (int variant = 0; variant < 4; variant++) {
		fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
		f.version = 1 + variant % 2;
		f.big_endian = variant & 2;
		f.extension = 16;
		fake_nifti_update(&f);
		hy_nifti_put_int(f.raw, f.version, HY_F_SFORM_CODE, 0, 4);
		hy_nifti_put_int(f.raw, f.version, HY_F_QFORM_CODE, 0, 2);
		hy_nifti_put_real(f.raw, f.version, HY_F_PIXDIM, 0, -1);
		hy_nifti_put_real(f.raw, f.version, HY_F_PIXDIM, 4, 0.04);
		hy_nifti_put_real(f.raw, f.version, HY_F_SCL_SLOPE, 0, 2);
		hy_nifti_put_real(f.raw, f.version, HY_F_CAL_MAX, 0, 900);
		for (int i = 0; i < 12; i++)
			hy_nifti_put_real(f.raw, f.version, HY_F_SROW, i, i % 5 == 0 ? 3 - 0.125 * i : 0.25 * i);
		for (int i = 0; i < 3; i++) {
			hy_nifti_put_real(f.raw, f.version, HY_F_QUATERN, i, 0.125 * i);
			hy_nifti_put_real(f.raw, f.version, HY_F_QOFFSET, i, -40.5 * i);
		}
		write_fake(&f, "in.nii");
		hy_volume v;
		hardy_error err;
		assert_ok(hy_nifti_read(scratch_path("in.nii"), NULL, &v, NULL, &err), &err);
		uint8_t map[120];
		for (int i = 0; i < 120; i++)
			map[i] = (uint8_t)(i % 4);
		assert_ok(hy_nifti_write_labels(scratch_path("out.nii"), &v, map, 2, &(hy_origin){.overwrite = true}, &err), &err);
		assert_ok(hy_nifti_write_labels(scratch_path("one.nii.gz"), &v, map, 1, &(hy_origin){.overwrite = true}, &err), &err);
		assert_ok(hy_nifti_write_float(scratch_path("float.nii.gz"), &v, v.data, 2, &(hy_origin){.overwrite = true}, &err),
		          &err);
		assert_ok(hy_nifti_write_float(scratch_path("again.nii.gz"), &v, v.data, 2, &(hy_origin){.overwrite = true}, &err),
		          &err);

		/* Field by field: everything that says where and what, as it was; always little-endian. */
		char *out;
		size_t size;
		assert_ok(hy_file_read(scratch_path("out.nii"), &out, &size, &err), &err);
		const size_t header_size = f.version == 2 ? 540 : 348;
		assert_int_equal(size, header_size + 4 + 120);
		const uint8_t *raw = (const uint8_t *)out;
		static const struct {
			hy_nifti_field field;
			int count;
		} same[] = {{HY_F_SIZEOF_HDR, 1}, {HY_F_PIXDIM, 8},  {HY_F_XYZT_UNITS, 1}, {HY_F_QFORM_CODE, 1}, {HY_F_SFORM_CODE, 1},
		            {HY_F_QUATERN, 3},    {HY_F_QOFFSET, 3}, {HY_F_SROW, 12},      {HY_F_DIM, 8}};
		for (size_t k = 0; k < sizeof same / sizeof *same; k++)
			for (int i = 0; i < same[k].count; i++)
				assert_true(hy_nifti_get_real(raw, f.version, same[k].field, i) ==
				            hy_nifti_get_real(f.raw, f.version, same[k].field, i));
		assert_int_equal(hy_nifti_get_int(raw, f.version, HY_F_DATATYPE, 0), 2);
		assert_int_equal(hy_nifti_get_int(raw, f.version, HY_F_BITPIX, 0), 8);
		assert_true(hy_nifti_get_real(raw, f.version, HY_F_SCL_SLOPE, 0) == 1);
		assert_true(hy_nifti_get_real(raw, f.version, HY_F_CAL_MAX, 0) == 0);
		assert_memory_equal(out + header_size + 4, map, 120);
		char text[81];
		hy_nifti_header_description(out, header_size, text);
		assert_string_equal(text, "made for a test");
		hy_free(out);

		hy_volume back;
		hy_labels l;
		assert_ok(hy_nifti_read(scratch_path("float.nii.gz"), NULL, &back, NULL, &err), &err);
		assert_true(hy_grid_difference_mm(&back.grid, &v.grid) < 1e-6);
		assert_memory_equal(back.data, v.data, 120 * sizeof *v.data);
		hy_volume_clear(&back);
		assert_ok(hy_nifti_read_labels(scratch_path("one.nii.gz"), NULL, &l, NULL, NULL, &err), &err);
		assert_memory_equal(l.data, map, 60);
		hy_labels_clear(&l);
		/* The same bytes each time. */
		char *a, *b;
		size_t n_a, n_b;
		assert_ok(hy_file_read(scratch_path("float.nii.gz"), &a, &n_a, &err), &err);
		assert_ok(hy_file_read(scratch_path("again.nii.gz"), &b, &n_b, &err), &err);
		assert_int_equal(n_a, n_b);
		assert_memory_equal(a, b, n_a);
		hy_free(a);
		hy_free(b);
		hy_volume_clear(&v);
	}
	scratch_empty();
}

static void a_volume_made_in_memory_gets_a_header(void **state)
{
	hy_grid g;
	hy_volume v, back;
	hardy_error err;
	hy_grid_set_simple(&g, 7, 3, 2, 1.25, 1.5, 9);
	/* Oblique and left-handed, so that the quaternion has to say it too. */
	const double c = cos(0.3), s = sin(0.3);
	const double affine[3][4] = {{-1.25 * c, 1.5 * s, 0, 12}, {-1.25 * s, -1.5 * c, 0, -30}, {0, 0, -9, 4.5}};
	memcpy(g.affine, affine, sizeof affine);
	assert_ok(hy_volume_alloc(&v, &g, 3, &err), &err);
	for (int i = 0; i < 126; i++)
		v.data[i] = (float)i / 7;
	assert_ok(hy_nifti_write_float(scratch_path("a.nii.gz"), &v, v.data, 3, &(hy_origin){.overwrite = true}, &err), &err);
	assert_ok(hy_nifti_read(scratch_path("a.nii.gz"), NULL, &back, NULL, &err), &err);
	assert_true(back.nt == 3 && hy_grid_difference_mm(&back.grid, &g) < 1e-4);
	assert_memory_equal(back.data, v.data, 126 * sizeof *v.data);
	/* The qform alone says the same. */
	hy_nifti_put_int(back.header, 1, HY_F_SFORM_CODE, 0, 0);
	assert_ok(hy_nifti_write_float(scratch_path("b.nii"), &back, back.data, 3, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume_clear(&back);
	assert_ok(hy_nifti_read(scratch_path("b.nii"), NULL, &back, NULL, &err), &err);
	assert_true(hy_grid_difference_mm(&back.grid, &g) < 1e-4);
	/* A kept header whose dimensions are another grid's does not lend its geometry. */
	back.grid.nx = 6;
	back.grid.affine[0][3] = 100;
	assert_ok(hy_nifti_write_float(scratch_path("c.nii"), &back, back.data, 1, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume other;
	assert_ok(hy_nifti_read(scratch_path("c.nii"), NULL, &other, NULL, &err), &err);
	assert_true(hy_grid_difference_mm(&back.grid, &other.grid) < 1e-4);
	hy_volume_clear(&other);
	hy_volume_clear(&back);
	/* More than NIfTI-1 can count becomes NIfTI-2. */
	hy_volume_clear(&v);
	hy_grid_set_simple(&g, 40000, 1, 1, 1, 1, 1);
	assert_ok(hy_volume_alloc(&v, &g, 1, &err), &err);
	assert_ok(hy_nifti_write_float(scratch_path("d.nii.gz"), &v, v.data, 1, &(hy_origin){.overwrite = true}, &err), &err);
	assert_ok(hy_nifti_read(scratch_path("d.nii.gz"), NULL, &back, NULL, &err), &err);
	assert_true(back.grid.nx == 40000 && back.header_size == 540);
	hy_volume_clear(&back);
	hy_volume_clear(&v);
	scratch_empty();
}

static void writing_fails_cleanly(void **state)
{
	hy_grid g;
	hy_volume v;
	hardy_error err;
	hy_grid_set_simple(&g, 64, 64, 8, 1, 1, 1);
	assert_ok(hy_volume_alloc(&v, &g, 1, &err), &err);
	uint32_t noise = 1; /* so that gzip cannot make it small */
	for (int64_t i = 0; i < hy_grid_voxels(&g); i++)
		v.data[i] = (float)(noise = noise * 1664525u + 1013904223u);
	assert_int_equal(hy_nifti_write_float(scratch_path("none/a.nii"), &v, v.data, 1, &(hy_origin){.overwrite = true}, &err),
	                 HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "none/a.nii"));
	assert_int_equal(hy_nifti_write_float(scratch_path("a.img"), &v, v.data, 1, &(hy_origin){.overwrite = true}, &err),
	                 HARDY_ERROR_ARGUMENT);
	assert_int_equal(hy_nifti_write_float(scratch_path("a.nii"), &v, v.data, 0, &(hy_origin){.overwrite = true}, &err),
	                 HARDY_ERROR_ARGUMENT);
	assert_int_equal(scratch_n_files(), 0);
	/* A disk that is full after 20 kB: an error, the earlier file as it was, and nothing else left. */
	scratch_write("a.nii", "earlier", 7);
	scratch_write("a.nii.gz", "earlier", 7);
	struct rlimit before, small;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 20000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	hardy_error err_gz;
	const hardy_status plain =
	    hy_nifti_write_float(scratch_path("a.nii"), &v, v.data, 1, &(hy_origin){.overwrite = true}, &err);
	const hardy_status gz =
	    hy_nifti_write_float(scratch_path("a.nii.gz"), &v, v.data, 1, &(hy_origin){.overwrite = true}, &err_gz);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(plain, HARDY_ERROR_IO);
	assert_int_equal(gz, HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "a.nii: cannot be written"));
	assert_non_null(strstr(err_gz.message, "a.nii.gz: cannot be written"));
	assert_int_equal(scratch_n_files(), 2);
	char *kept;
	size_t size;
	assert_ok(hy_file_read(scratch_path("a.nii.gz"), &kept, &size, &err), &err);
	assert_string_equal(kept, "earlier");
	hy_free(kept);
	hy_volume_clear(&v);
	scratch_empty();
}

/* Every allocation of reading and writing fails once: an error each time, nothing left over, and success in the end. */
static void memory_runs_out_anywhere(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_UINT8);
	f.n[3] = 1;
	f.n_dim = 3;
	fake_nifti_update(&f);
	size_t size, zipped_size;
	uint8_t *bytes = fake_nifti_file(&f, &size), *zipped = fake_gzip(bytes, size, &zipped_size);
	for (int what = 0; what < 4; what++) {
		scratch_empty();
		scratch_write("a.nii.gz", zipped, zipped_size);
		hardy_status status = HARDY_ERROR_MEMORY;
		int k = 1;
		for (; status; k++) {
			hy_volume v = {0};
			hy_labels l = {0};
			hardy_error err = {0};
			const char *in = scratch_path("a.nii.gz"), *out = scratch_path(what == 2 ? "b.nii" : "b.nii.gz");
			if (what >= 2)
				assert_ok(hy_nifti_read(in, NULL, &v, NULL, &err), &err);
			hy_memory_fail_at(k);
			if (what == 0)
				status = hy_nifti_read(in, NULL, &v, NULL, &err);
			else if (what == 1)
				status = hy_nifti_read_labels(in, NULL, &l, NULL, NULL, &err);
			else
				status = hy_nifti_write_float(out, &v, v.data, 1, &(hy_origin){.overwrite = true}, &err);
			hy_memory_fail_at(0);
			if (status) {
				if (status != HARDY_ERROR_MEMORY)
					fail_msg("call %d: status %d, %s", k, status, err.message);
				assert_true(what >= 2 || (!v.data && !v.header && !l.data));
				assert_int_equal(scratch_n_files(), 1);
			}
			hy_volume_clear(&v);
			hy_labels_clear(&l);
			assert_true(k < 100);
		}
		assert_true(k > 3);
	}
	hy_free(bytes);
	hy_free(zipped);
	scratch_empty();
}

static void names(void **state)
{
	static const char *const yes[] = {"a.nii", "a.nii.gz", "x/a.hdr", "a.hdr.gz", "a.img", "a.img.gz"};
	static const char *const no[] = {"a.gz", "nii", ".nii", "a.nii.bz2", "a.png", ""};
	for (int i = 0; i < 6; i++) {
		assert_true(hy_nifti_is_name(yes[i]));
		assert_false(hy_nifti_is_name(no[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_order_version_and_container),
	    cmocka_unit_test(frames),
	    cmocka_unit_test(non_finite_voxels_are_kept),
	    cmocka_unit_test(two_dimensions_and_trailing_ones),
	    cmocka_unit_test(what_is_refused),
	    cmocka_unit_test(halves_of_a_pair),
	    cmocka_unit_test(truncated_at_every_length),
	    cmocka_unit_test(every_bit_of_the_header_flipped),
	    cmocka_unit_test(a_little_padding_is_tolerated_with_a_warning),
	    cmocka_unit_test(bitpix_is_believed_less_than_datatype),
	    cmocka_unit_test(analyze),
	    cmocka_unit_test(labels),
	    cmocka_unit_test(labels_of_any_type_and_size),
	    cmocka_unit_test(extensions_in_any_case),
	    cmocka_unit_test(outputs_carry_the_header),
	    cmocka_unit_test(a_volume_made_in_memory_gets_a_header),
	    cmocka_unit_test(writing_fails_cleanly),
	    cmocka_unit_test(memory_runs_out_anywhere),
	    cmocka_unit_test(names),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove();
	return failed;
}
