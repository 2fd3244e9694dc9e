/*
 * onnx.c: ONNX files without a program that runs them: the encoding against bytes worked out by hand, and that a file is sound: messages nest, every
 * operator reads what was made before, every tensor of the network is there once with its shape and values. runtime.c compares results.
 */
#include "export/onnx.h"
#include "base/files.h"
#include "base/memory.h"
#include "engine/params.h"
#include "export/protobuf.h"
#include "library/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static void numbers_texts_and_messages(void **state)
{
	(void)state;
	hy_text m = {0}, part = {0};
	hy_proto_int(&m, 1, 150); /* the documentation's own example: 08 96 01 */
	hy_proto_text(&m, 2, "testing");
	hy_proto_int(&part, 1, 150);
	hy_proto_message(&m, 3, &part);
	hy_proto_int(&m, 20, -1);
	hy_proto_float(&m, 2, 1);
	const unsigned char wanted[] = {0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e',  's',  't',  'i',  'n',  'g',
	                                0x1a, 0x03, 0x08, 0x96, 0x01, 0xa0, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                0xff, 0xff, 0xff, 0xff, 0x01, 0x15, 0x00, 0x00, 0x80, 0x3f};
	assert_int_equal(m.used, sizeof wanted);
	assert_memory_equal(m.data, wanted, sizeof wanted);
	assert_null(part.data);
	hy_text_clear(&m);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

typedef struct field {
	int number, wire;
	uint64_t value;      /* of a number */
	const uint8_t *data; /* of counted bytes, or of four */
	size_t n;
} field;

typedef struct reader {
	const uint8_t *at, *end;
} reader;

static uint64_t read_number(reader *r)
{
	uint64_t value = 0;
	for (int shift = 0;; shift += 7) {
		assert_true(r->at < r->end && shift < 64);
		const uint8_t byte = *r->at++;
		value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return value;
	}
}

static bool next(reader *r, field *f)
{
	if (r->at == r->end)
		return false;
	const uint64_t key = read_number(r);
	*f = (field){.number = (int)(key >> 3), .wire = (int)(key & 7)};
	if (f->wire == 0) {
		f->value = read_number(r);
		return true;
	}
	assert_true(f->wire == 2 || f->wire == 5);
	f->n = f->wire == 2 ? read_number(r) : 4;
	assert_true(f->n <= (size_t)(r->end - r->at));
	f->data = r->at;
	r->at += f->n;
	return true;
}

static reader within(const field *f)
{
	assert_int_equal(f->wire, 2);
	return (reader){f->data, f->data + f->n};
}

/* Names that operators may read. */
typedef struct names {
	char name[1024][96];
	int n;
} names;

static void add_name(names *all, const field *f)
{
	assert_true(all->n < 1024 && f->n < 96);
	snprintf(all->name[all->n++], 96, "%.*s", (int)f->n, (const char *)f->data);
}

static bool knows(const names *all, const field *f)
{
	for (int i = 0; i < all->n; i++)
		if (strlen(all->name[i]) == f->n && !memcmp(all->name[i], f->data, f->n))
			return true;
	return false;
}

/* A tensor of the file: of the network, with its very values, or one of the few that the writer makes. */
static void check_tensor(const hy_params *p, const field *f, names *known, int *seen)
{
	reader r = within(f);
	field part, what = {0}, bytes = {0};
	int64_t shape[4] = {0}, n = 1;
	int n_dims = 0;
	while (next(&r, &part)) {
		if (part.number == 1) {
			assert_true(n_dims < 4);
			shape[n_dims++] = (int64_t)part.value;
			n *= (int64_t)part.value;
		} else if (part.number == 2) {
			assert_int_equal(part.value, 1);
		} else if (part.number == 8) {
			what = part;
		} else if (part.number == 9) {
			bytes = part;
		}
	}
	assert_int_equal(bytes.n, (size_t)n * sizeof(float));
	assert_false(knows(known, &what));
	add_name(known, &what);
	const int i = hy_params_find(p, known->name[known->n - 1]);
	if (i < 0)
		return;
	const hy_param *q = &p->list[i];
	assert_int_equal(n_dims, q->n_dims);
	for (int k = 0; k < n_dims; k++)
		assert_int_equal(shape[k], q->shape[k]);
	assert_memory_equal(bytes.data, (q->is_buffer ? p->buffers : p->values) + q->offset, bytes.n);
	seen[i]++;
}

static void check_operator(const field *f, names *known)
{
	reader r = within(f);
	field part;
	int n_outputs = 0;
	while (next(&r, &part)) {
		if (part.number == 1 && part.n && !knows(known, &part))
			fail_msg("an operator reads %.*s, which nothing made", (int)part.n, (const char *)part.data);
		if (part.number != 2)
			continue;
		assert_false(knows(known, &part));
		add_name(known, &part);
		n_outputs++;
	}
	assert_int_equal(n_outputs, 1);
}

/* Tensors come first into `known`, wherever they stand. */
static void check_graph(const hy_params *p, const field *f, names *known, int *seen)
{
	field part;
	reader r = within(f);
	int n_operators = 0, n_outputs = 0;
	while (next(&r, &part)) {
		if (part.number == 5)
			check_tensor(p, &part, known, seen);
		if (part.number != 11)
			continue;
		reader input = within(&part);
		field what;
		assert_true(next(&input, &what));
		add_name(known, &what);
	}
	r = within(f);
	while (next(&r, &part)) {
		if (part.number == 1) {
			check_operator(&part, known);
			n_operators++;
		}
	}
	r = within(f);
	while (next(&r, &part)) {
		if (part.number != 12)
			continue;
		reader output = within(&part);
		field what;
		assert_true(next(&output, &what) && knows(known, &what));
		n_outputs++;
	}
	assert_true(n_operators > 20);
	assert_int_equal(n_outputs, 2);
}

static void check_file(const hy_model *m, bool stn, const char *bytes, size_t size)
{
	const hy_params *p = &m->network.params;
	reader r = {(const uint8_t *)bytes, (const uint8_t *)bytes + size};
	field part;
	int n_graphs = 0;
	names *known = hy_calloc(1, sizeof *known);
	int *seen = hy_calloc(p->n, sizeof *seen);
	assert_true(known && seen);
	while (next(&r, &part)) {
		if (part.number != 7)
			continue;
		check_graph(p, &part, known, seen);
		n_graphs++;
	}
	assert_int_equal(n_graphs, 1);
	for (size_t i = 0; i < p->n; i++) {
		const char *what = p->list[i].name;
		const bool apart = !strncmp(what, "image_decoder", 13) || (!stn && !strncmp(what, "shape_", 6));
		/* where a convolution leaves its bias to the norm behind, the mean has it */
		const bool merged = seen[i] == 0 && (strstr(what, ".bias") || strstr(what, ".running_mean"));
		if (seen[i] != (apart ? 0 : 1) && !merged)
			fail_msg("%s: %d times", what, seen[i]);
	}
	hy_free(known);
	hy_free(seen);
}

static void files_are_sound(void **state)
{
	(void)state;
	hardy_error err;
	const hy_onnx_note note = {"plan", "{\"size\": 32}"};
	for (hy_network_kind kind = 0; kind < HY_N_NETWORKS; kind++) {
		for (int stn = 0; stn < (kind == HY_NETWORK_STUDY ? 2 : 1); stn++) {
			hy_model m;
			hy_text a = {0}, b = {0};
			make_model(&m, kind, 2, 3);
			assert_ok(hy_onnx_make(&m, stn, &note, 1, &a, &err), &err);
			assert_ok(hy_onnx_make(&m, stn, &note, 1, &b, &err), &err);
			assert_int_equal(a.used, b.used);
			assert_memory_equal(a.data, b.data, a.used);
			check_file(&m, stn, a.data, a.used);
			hy_text_clear(&a);
			hy_text_clear(&b);
			hy_model_clear(&m);
		}
	}
}

static void memory_that_runs_out_is_an_error(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	int n_failed = 0;
	make_model(&m, HY_NETWORK_UNET, 1, 3);
	for (int64_t k = 1;; k += 1 + k / 6) {
		hy_text out = {0};
		hy_memory_fail_at(k);
		const hardy_status status = hy_onnx_make(&m, false, NULL, 0, &out, &err);
		hy_memory_fail_at(0);
		hy_text_clear(&out);
		if (!status)
			break;
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		n_failed++;
	}
	assert_true(n_failed > 10);
	hy_model_clear(&m);
}

/* ---- the command -------------------------------------------------------------------------------------------------------- */

static bool holds(const char *bytes, size_t size, const char *text)
{
	for (size_t i = 0; i + strlen(text) <= size; i++)
		if (!memcmp(bytes + i, text, strlen(text)))
			return true;
	return false;
}

static void the_command_writes_what_goes_along(void **state)
{
	(void)state;
	hardy_error err;
	hardy_export_options o;
	char model[1024], output[1024], *bytes, *again;
	size_t size, size_again;
	hardy_model_free(load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1));
	snprintf(model, sizeof model, "%s", scratch_path("model.safetensors"));
	snprintf(output, sizeof output, "%s", scratch_path("model.onnx"));
	hardy_export_options_init(&o);
	o.model = model;
	o.output = output;
	assert_ok(hardy_export(&o, &err), &err);
	assert_ok(hy_file_read(output, &bytes, &size, &err), &err);
	assert_true(holds(bytes, size, "\"spacing_mm\":2") && holds(bytes, size, "\"value\":9,\"name\":\"B\""));
	assert_true(holds(bytes, size, "shape_encoder.")); /* FTN+STN, as hardy predict does */
	assert_ok(hardy_export(&o, &err), &err);           /* its own file is replaced */
	o.network = "ftn";
	assert_ok(hardy_export(&o, &err), &err);
	assert_ok(hy_file_read(output, &again, &size_again, &err), &err);
	assert_true(size_again < size && !holds(again, size_again, "shape_encoder."));
	scratch_write("model.onnx", "somebody's", 10);
	assert_int_equal(hardy_export(&o, &err), HARDY_ERROR_ARGUMENT);
	o.overwrite = true;
	assert_ok(hardy_export(&o, &err), &err);
	o.network = "both";
	assert_int_equal(hardy_export(&o, &err), HARDY_ERROR_ARGUMENT);
	o.network = NULL;
	o.output = "model.pb";
	assert_int_equal(hardy_export(&o, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "model.pb: want a name that ends in .onnx");
	o.output = output;
	o.model = "/no/such.safetensors";
	assert_int_equal(hardy_export(&o, &err), HARDY_ERROR_IO);
	hardy_model_free(load_model("unet.safetensors", HY_NETWORK_UNET, 1, 1));
	o.model = scratch_path("unet.safetensors");
	o.network = "stn";
	assert_int_equal(hardy_export(&o, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "holds a network without one"));
	hy_free(bytes);
	hy_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_texts_and_messages),
	    cmocka_unit_test(files_are_sound),
	    cmocka_unit_test(memory_that_runs_out_is_an_error),
	    cmocka_unit_test(the_command_writes_what_goes_along),
	};
	return cmocka_run_group_tests(tests, NULL, scratch_teardown);
}
