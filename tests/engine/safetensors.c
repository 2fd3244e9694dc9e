/*
 * safetensors.c: the model file: round trip, and every way in which a file can be wrong is refused.
 */
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"
#include "engine/safetensors.h"
#include "support/json_memory.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/hardy-safetensors-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/x.safetensors", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails, and with it the test, when something was left behind */
}

static const float weights[6] = {1, -2, 3.5F, 0, 1e-30F, 7};
static const int64_t n_tracked = 1234567890123;
static const uint8_t values[3] = {0, 1, 255};
static const char *const keys[] = {"plan", "quoted \" \\ \n key"};
static const char *const texts[] = {"{\"spacing\": [1.5, 1.5, 10]}", "caf\xc3\xa9 \x01"};

static void write_example(const char *to)
{
	const hy_st_tensor tensors[] = {
	    {.name = (char *)"up.bytes", .dtype = HY_U8, .n_dims = 1, .shape = {3}, .data = values, .n_bytes = 3},
	    {.name = (char *)"up.weight",
	     .dtype = HY_F32,
	     .n_dims = 2,
	     .shape = {2, 3},
	     .data = weights,
	     .n_bytes = sizeof weights},
	    {.name = (char *)"up.empty", .dtype = HY_F32, .n_dims = 2, .shape = {0, 3}, .data = NULL, .n_bytes = 0},
	    {.name = (char *)"up.num_batches_tracked", .dtype = HY_I64, .n_dims = 0, .data = &n_tracked, .n_bytes = 8},
	};
	hardy_error err;
	assert_ok(hy_st_write(to, tensors, 4, keys, texts, 2, HY_REPLACE_ANY, &err), &err);
}

static void round_trip(void **state)
{
	(void)state;
	hardy_error err;
	hy_st_file f;
	write_example(path);
	assert_ok(hy_st_read(&f, path, &err), &err);
	assert_int_equal(f.n_tensors, 4);
	assert_int_equal(f.n_metadata, 2);
	assert_string_equal(hy_st_metadata(&f, keys[0]), texts[0]);
	assert_string_equal(hy_st_metadata(&f, keys[1]), texts[1]);
	assert_null(hy_st_metadata(&f, "absent"));
	assert_null(hy_st_find(&f, "absent"));
	const hy_st_tensor *t = hy_st_find(&f, "up.weight");
	assert_non_null(t);
	assert_int_equal(t->dtype, HY_F32);
	assert_int_equal(t->n_dims, 2);
	assert_int_equal(t->shape[0], 2);
	assert_int_equal(t->shape[1], 3);
	assert_memory_equal(t->data, weights, sizeof weights);
	t = hy_st_find(&f, "up.num_batches_tracked");
	assert_non_null(t);
	assert_int_equal(t->n_dims, 0);
	assert_memory_equal(t->data, &n_tracked, 8);
	t = hy_st_find(&f, "up.bytes");
	assert_non_null(t);
	assert_memory_equal(t->data, values, 3);
	/* Every tensor is aligned to its type, counted from the file's start. */
	for (size_t i = 0; i < f.n_tensors; i++) {
		size_t width = f.tensors[i].dtype == HY_I64 ? 8 : f.tensors[i].dtype == HY_F32 ? 4 : 1;
		assert_int_equal((size_t)((const char *)f.tensors[i].data - f.buffer) % width, 0);
	}
	hy_st_clear(&f);
	hy_st_clear(&f);
}

static void empty_file_round_trip(void **state)
{
	(void)state;
	hardy_error err;
	hy_st_file f;
	assert_ok(hy_st_write(path, NULL, 0, NULL, NULL, 0, HY_REPLACE_ANY, &err), &err);
	assert_ok(hy_st_read(&f, path, &err), &err);
	assert_int_equal(f.n_tensors, 0);
	assert_int_equal(f.n_metadata, 0);
	hy_st_clear(&f);
}

/* Parses a copy of exactly n bytes, so that the sanitizer sees a read behind them. */
static hardy_status parse(const void *bytes, size_t n, hardy_error *err)
{
	char *copy = hy_alloc(n, 1);
	assert_non_null(copy);
	if (n)
		memcpy(copy, bytes, n);
	hy_st_file f;
	hardy_status status = hy_st_parse(&f, copy, n, "x", err);
	if (!status)
		hy_st_clear(&f);
	else
		assert_true(err->message[0]);
	return status;
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	hardy_error err;
	char *data;
	size_t size;
	write_example(path);
	assert_ok(hy_file_read(path, &data, &size, &err), &err);
	for (size_t n = 0; n < size; n++)
		assert_int_not_equal(parse(data, n, &err), HARDY_OK);
	assert_int_equal(parse(data, size, &err), HARDY_OK);
	/* One byte too many is no better; hy_file_read leaves a zero there. */
	assert_int_equal(parse(data, size + 1, &err), HARDY_ERROR_FORMAT);
	hy_free(data);
}

/* A flipped bit may change a name or a value, which only a checksum could tell, but never hurts; in the length it is noticed.
 */
static void bit_flips_do_no_harm(void **state)
{
	(void)state;
	hardy_error err;
	char *data;
	size_t size;
	write_example(path);
	assert_ok(hy_file_read(path, &data, &size, &err), &err);
	size_t n_refused = 0;
	for (size_t bit = 0; bit < 8 * size; bit++) {
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
		hardy_status status = parse(data, size, &err);
		if (bit < 64)
			assert_int_not_equal(status, HARDY_OK);
		n_refused += status != HARDY_OK;
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
	}
	assert_in_range(n_refused, 1000, 8 * size - 8 * 35); /* the 35 bytes of data carry no check */
	hy_free(data);
}

/* Parses a header with n_data zero bytes behind it. */
static hardy_status parse_header(const char *header, size_t n_data, hardy_error *err)
{
	char bytes[1024] = {0};
	size_t n = strlen(header);
	assert_in_range(8 + n + n_data, 8, sizeof bytes);
	bytes[0] = (char)(n & 255);
	bytes[1] = (char)(n >> 8);
	memcpy(bytes + 8, header, n);
	return parse(bytes, 8 + n + n_data, err);
}

#define A                        "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define B                        "\"b\":{\"dtype\":\"U8\",\"shape\":[1,3],\"data_offsets\":[8,11]}"
#define T(dtype, shape, offsets) "{\"a\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void wrong_headers_are_refused(void **state)
{
	(void)state;
	const struct {
		const char *header;
		size_t n_data;
		const char *message; /* NULL: the file is good */
	} cases[] = {
	    {"{" A "," B "}", 11, NULL},
	    {"{" B "," A "}  \n", 11, NULL},
	    {"{\"__metadata__\":{\"k\":\"v\"}}", 0, NULL},
	    {T("F32", "[]", "[0,4]"), 4, NULL},
	    {"", 0, "not a JSON object"},
	    {"[]", 0, "not a JSON object"},
	    {" {}", 0, "not a JSON object"},
	    {"{\"a\":1", 0, "line 1: not valid JSON"},
	    {"{} x", 0, "line 1: more behind the end of the JSON document"},
	    {"{}\t", 0, "stray bytes"},
	    {"{} \r\n", 0, "stray bytes"},
	    {"{\"a\":1}", 0, "not described by an object"},
	    {"{" A "," A "}", 8, "stands twice"},
	    {"{" A ",\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8,9]}}", 9, "\"a\" stands twice"},
	    {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[7,11]}}", 11, "overlaps"},
	    {"{" A ",\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[9,11]}}", 11, "gap"},
	    {"{" A "}", 9, "end at byte 8"},
	    {"{" A "}", 7, "more than the 7 bytes"},
	    {T("F32", "[1]", "[4,8]"), 8, "gap"},
	    {T("F32", "[1]", "[4,0]"), 4, "data_offsets are [4, 0]"},
	    {T("F32", "[1]", "[0,5]"), 5, "hold 5 bytes, want 4"},
	    {T("F32", "[1]", "[0,4,4]"), 4, "not two whole numbers"},
	    {T("F32", "[1]", "[0,-4]"), 4, "not two whole numbers"},
	    {T("F32", "[1]", "[0,4.5]"), 4, "not two whole numbers"},
	    {T("F32", "[1]", "[0,\"4\"]"), 4, "not two whole numbers"},
	    {T("F32", "[-1]", "[0,4]"), 4, "shape[0] is not a whole number"},
	    {T("F32", "[1.5]", "[0,4]"), 4, "shape[0] is not a whole number"},
	    {T("F32", "[1e999]", "[0,4]"), 4, "shape[0] is not a whole number"},
	    {T("F32", "1", "[0,4]"), 4, "shape is missing or not a list"},
	    {T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "9 dimensions"},
	    {T("F32", "[4294967296,4294967296]", "[0,0]"), 0, "asks for more"},
	    {T("F32", "[9007199254740992,9007199254740992]", "[0,0]"), 0, "asks for more"},
	    {T("F16", "[2]", "[0,4]"), 4, "dtype is F16"},
	    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is missing"},
	    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape is missing"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets are missing"},
	    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
	     "\"dtype\" is unknown or stands"},
	    {"{\"a\":{\"extra\":1,\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"extra\" is unknown"},
	    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
	    {"{\"__metadata__\":{\"k\":1}}", 0, "\"k\" is not a string"},
	    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ stands twice"},
	    {"{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, "\"k\" stands twice"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		hardy_error err = {0};
		hardy_status status = parse_header(cases[i].header, cases[i].n_data, &err);
		if (!cases[i].message && status)
			fail_msg("%s: %s", cases[i].header, err.message);
		if (cases[i].message && (!status || !strstr(err.message, cases[i].message)))
			fail_msg("%s: found \"%s\", want \"%s\"", cases[i].header, err.message, cases[i].message);
	}
}

static void huge_header_length_is_refused(void **state)
{
	(void)state;
	hardy_error err;
	const unsigned char lengths[][8] = {{255, 255, 255, 255, 255, 255, 255, 255},
	                                    {0, 0, 0, 0, 0, 0, 0, 128},
	                                    {0, 0, 0, 0, 1, 0, 0, 0},
	                                    {3, 0, 0, 0, 0, 0, 0, 0}};
	for (size_t i = 0; i < 4; i++) {
		unsigned char bytes[10] = {0, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
		memcpy(bytes, lengths[i], 8);
		assert_int_equal(parse(bytes, sizeof bytes, &err), HARDY_ERROR_FORMAT);
	}
}

static void deep_nesting_is_refused(void **state)
{
	(void)state;
	hardy_error err;
	size_t n = 100000;
	char *bytes = hy_alloc(8 + n, 1);
	assert_non_null(bytes);
	memset(bytes, '[', 8 + n);
	memcpy(bytes + 8, "{\"a\":", 5);
	for (int i = 0; i < 8; i++)
		bytes[i] = (char)(n >> (8 * i) & 255);
	assert_int_equal(parse(bytes, 8 + n, &err), HARDY_ERROR_FORMAT);
	hy_free(bytes);
}

static void writer_refuses_what_no_reader_takes(void **state)
{
	(void)state;
	hardy_error err;
	const hy_st_tensor good = {.name = (char *)"a", .dtype = HY_F32, .n_dims = 1, .shape = {6}, .data = weights, .n_bytes = 24};
	hy_st_tensor bad[2] = {good, good};
	unlink(path);
	assert_int_equal(hy_st_write(path, bad, 2, NULL, NULL, 0, HY_REPLACE_ANY, &err), HARDY_ERROR_FORMAT);
	bad[0].shape[0] = 5;
	assert_int_equal(hy_st_write(path, bad, 1, NULL, NULL, 0, HY_REPLACE_ANY, &err), HARDY_ERROR_ARGUMENT);
	bad[0] = good;
	bad[0].name = (char *)"__metadata__";
	assert_int_equal(hy_st_write(path, bad, 1, NULL, NULL, 0, HY_REPLACE_ANY, &err), HARDY_ERROR_ARGUMENT);
	assert_false(hy_path_exists(path));
	assert_int_equal(hy_st_write("/proc/none/x.safetensors", &good, 1, NULL, NULL, 0, HY_REPLACE_ANY, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "/proc/none/x.safetensors"));
}

/* A failed write leaves the old file as it was. */
static void write_is_all_or_nothing(void **state)
{
	(void)state;
	hardy_error err;
	hy_st_file f;
	write_example(path);
	const hy_st_tensor t = {.name = (char *)"a", .dtype = HY_F32, .n_dims = 1, .shape = {6}, .data = weights, .n_bytes = 24};
	json_memory_counts(true); /* the header's memory runs out, too */
	const int64_t before = hy_memory_calls(), live = hy_memory_live();
	assert_ok(hy_st_write(path, &t, 1, NULL, NULL, 0, HY_REPLACE_ANY, &err), &err);
	int64_t n_calls = hy_memory_calls() - before;
	write_example(path);
	for (int64_t k = 1; k <= n_calls; k++) {
		hy_memory_fail_at(k);
		assert_int_equal(hy_st_write(path, &t, 1, NULL, NULL, 0, HY_REPLACE_ANY, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_int_equal(hy_memory_live(), live);
	}
	json_memory_counts(false);
	assert_ok(hy_st_read(&f, path, &err), &err);
	assert_int_equal(f.n_tensors, 4);
	hy_st_clear(&f);
}

static void reader_survives_exhausted_memory(void **state)
{
	(void)state;
	hardy_error err;
	hy_st_file f;
	write_example(path);
	int64_t before = hy_memory_calls();
	assert_ok(hy_st_read(&f, path, &err), &err);
	hy_st_clear(&f);
	int64_t n_calls = hy_memory_calls() - before;
	assert_in_range(n_calls, 5, 1000);
	for (int64_t k = 1; k <= n_calls; k++) {
		hy_memory_fail_at(k);
		assert_int_equal(hy_st_read(&f, path, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(empty_file_round_trip),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(bit_flips_do_no_harm),
	    cmocka_unit_test(wrong_headers_are_refused),
	    cmocka_unit_test(huge_header_length_is_refused),
	    cmocka_unit_test(deep_nesting_is_refused),
	    cmocka_unit_test(writer_refuses_what_no_reader_takes),
	    cmocka_unit_test(write_is_all_or_nothing),
	    cmocka_unit_test(reader_survives_exhausted_memory),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
