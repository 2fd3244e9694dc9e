/*
 * predict.c: hardy_predict from files to files, with small random models and made-up scans.
 */
#include "support/fake_dicom.h"
#include "support/listen.h"
#include "support/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"
#include "image/nifti.h"
#include "predict/jobs.h"
#include "predict/predictor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[400]; /* of everything; holds one.safetensors, two.safetensors, pair.safetensors, scans/ */

/* A path below root, valid for the next fifteen calls. */
static const char *at(const char *format, ...)
{
	static char paths[16][700];
	static int next;
	char *path = paths[next++ % 16];
	const int n = snprintf(path, sizeof paths[0], "%s/", root);
	va_list args;
	va_start(args, format);
	vsnprintf(path + n, sizeof paths[0] - (size_t)n, format, args);
	va_end(args);
	return path;
}

static void remove_tree(const char *path)
{
	hy_names names = {0};
	if (hy_path_is_folder(path) && !hy_list_folder(path, &names, NULL)) {
		for (size_t i = 0; i < names.n; i++) {
			char *below = hy_path_join(path, names.name[i]);
			remove_tree(below);
			hy_free(below);
		}
		hy_names_free(&names);
	}
	remove(path);
}

enum { N_LEGEND = 3 }; /* labels.json, labels.label, labels.ctbl */

static size_t n_files(const char *folder)
{
	hy_names names = {0};
	if (hy_list_folder(folder, &names, NULL))
		return 0;
	const size_t n = names.n;
	hy_names_free(&names);
	return n;
}

static void make_folder(const char *path)
{
	hardy_error err;
	assert_ok(hy_make_folders(path, &err), &err);
}

static void same_files(const char *a, const char *b)
{
	hardy_error err;
	char *x, *y;
	size_t n, m;
	assert_ok(hy_file_read(a, &x, &n, &err), &err);
	assert_ok(hy_file_read(b, &y, &m, &err), &err);
	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	hy_free(x);
	hy_free(y);
}

/* ---- models and scans --------------------------------------------------------------------------------------------------- */

static void make_model(hy_model *m, uint64_t seed, int channels)
{
	static const hy_class classes[] = {{"background", 0, true}, {"left, part", 5, true}, {"B", 9, true}};
	const hy_network_config config = {.channels = channels, .classes = 3, .decoupler = true};
	drawn_model(m, &config, classes, 32, 2, seed);
}

static void save_model(const char *name, uint64_t seed, int channels)
{
	hardy_error err;
	hy_model m;
	make_model(&m, seed, channels);
	assert_ok(hy_model_save(&m, at("%s", name), NULL, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
}

/* An oblique scan of nt frames; frame t of seed is frame 0 of seed + t. */
static void make_scan(hy_volume *v, int64_t nt, uint64_t seed)
{
	hardy_error err;
	hy_grid g;
	hy_grid_set_simple(&g, 36, 30, 3, 1.5, 1.75, 8);
	const double c = cos(0.3), s = sin(0.3);
	const double affine[3][4] = {{-1.5 * c, 1.75 * s, 0, 11}, {1.5 * s, 1.75 * c, 0, -7}, {0, 0, 8, 3}};
	memcpy(g.affine, affine, sizeof affine);
	assert_ok(hy_volume_alloc(v, &g, nt, &err), &err);
	const int64_t n = hy_grid_voxels(&g);
	for (int64_t t = 0; t < nt; t++) {
		hy_rng r = hy_rng_make(seed + (uint64_t)t, HY_RNG_TEST, 2, 0);
		const double phase = (double)(seed + (uint64_t)t);
		for (int64_t i = 0; i < n; i++)
			v->data[t * n + i] = (float)(100 + 60 * sin((double)(i % 36) / 3 + phase) + 10 * hy_rng_normal(&r));
	}
}

static void save_scan(const char *path, int64_t nt, uint64_t seed)
{
	hardy_error err;
	hy_volume v;
	make_scan(&v, nt, seed);
	assert_ok(hy_nifti_write_float(path, &v, v.data, nt, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume_clear(&v);
}

static void save_nan_scan(const char *path)
{
	hardy_error err;
	hy_volume v;
	make_scan(&v, 1, 1);
	v.data[100] = NAN;
	assert_ok(hy_nifti_write_float(path, &v, v.data, 1, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume_clear(&v);
}

/* What hy_predictor makes of the scan, for comparison. */
static hy_prediction expect(const char *model, uint64_t seed)
{
	hardy_error err;
	hy_model m;
	hy_volume v;
	hy_prediction out;
	hy_predictor_options o;
	hy_predictor_options_init(&o);
	o.both = o.reconstruct = o.entropy = o.probabilities = true;
	assert_ok(hy_model_load(&m, at("%s", model), NULL, &err), &err);
	save_scan(at("expected.nii"), 1, seed); /* through a file: spacing is float32 there */
	assert_ok(hy_nifti_read(at("expected.nii"), NULL, &v, NULL, &err), &err);
	hy_predictor *p = hy_predictor_new((hy_model *[]){&m}, 1, &o, &err);
	assert_non_null(p);
	assert_ok(hy_predictor_run(p, &v, &out, &err), &err);
	hy_predictor_free(p);
	hy_volume_clear(&v);
	hy_model_clear(&m);
	return out;
}

static int make_all(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "%s", scratch_folder());
	save_model("one.safetensors", 1, 1);
	save_model("two.safetensors", 2, 1);
	save_model("pair.safetensors", 3, 2);
	make_folder(at("scans"));
	save_scan(at("scans/b.nii.gz"), 1, 20);
	save_scan(at("scans/a.nii"), 1, 10);
	save_scan(at("scans/cine.nii.gz"), 2, 10); /* frame 0 is a's */
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	remove_tree(root);
	return 0;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

/* Predicts inputs (ended by NULL) into output. */
static hardy_status call(hardy_predict_options o, const char *output, hardy_error *err, ...)
{
	const char *inputs[8];
	va_list args;
	va_start(args, err);
	for (o.n_inputs = 0; (inputs[o.n_inputs] = va_arg(args, const char *)); o.n_inputs++)
		;
	va_end(args);
	o.inputs = inputs;
	o.output = output;
	listen_anew();
	return hardy_predict(&o, &listen_log, err);
}

static hardy_predict_options plain(void)
{
	hardy_predict_options o;
	hardy_predict_options_init(&o);
	o.class_numbers = true;
	return o;
}

static hy_volume read_map(const char *path)
{
	hardy_error err;
	hy_volume v;
	assert_ok(hy_nifti_read(path, NULL, &v, NULL, &err), &err);
	return v;
}

static void same_labels(const char *path, int64_t frame, const uint8_t *wanted, const uint8_t *values)
{
	hy_volume v = read_map(path);
	const int64_t n = hy_grid_voxels(&v.grid);
	for (int64_t i = 0; i < n; i++) {
		const uint8_t value = values ? values[wanted[i]] : wanted[i];
		assert_true(v.data[frame * n + i] == (float)value);
	}
	hy_volume_clear(&v);
}

static void read_table(const char *path, char **text)
{
	hardy_error err;
	size_t size = 0;
	assert_ok(hy_file_read(path, text, &size, &err), &err);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static void one_scan_in_its_own_grid(void **state)
{
	(void)state;
	hardy_error err;
	hy_prediction wanted = expect("one.safetensors", 10);
	assert_ok(call(plain(), at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	same_labels(at("out/a.nii.gz"), 0, wanted.label.data, NULL);
	hy_volume in = read_map(at("scans/a.nii")), out = read_map(at("out/a.nii.gz"));
	assert_int_equal(out.nt, 1);
	assert_memory_equal(in.grid.affine, out.grid.affine, sizeof in.grid.affine);
	assert_memory_equal(in.grid.spacing_mm, out.grid.spacing_mm, sizeof in.grid.spacing_mm);
	hy_volume_clear(&in);
	hy_volume_clear(&out);
	char *table = NULL, row[1024];
	read_table(at("out/quality.csv"), &table);
	snprintf(row, sizeof row,
	         "scan,output,frame,status,mean_entropy,disagreement,reconstruction_error,reconstruction_z,predicted_dice,"
	         "predicted_dice_low,\"volume_left, part_ml\","
	         "volume_B_ml,n_warnings,warnings\n%s,a.nii.gz,,ok,%.6g,%.6g,%.6g,,,,%.6g,%.6g,0,\n",
	         at("scans/a.nii"), wanted.mean_entropy, wanted.disagreement, wanted.reconstruction_error, wanted.volume_ml[1],
	         wanted.volume_ml[2]);
	assert_string_equal(table, row);
	hy_free(table);
	assert_int_equal(n_files(at("out")), 2 + N_LEGEND);
	/* the same again, and twice the model, are the same bytes */
	assert_ok(call(plain(), at("again"), &err, at("scans/a.nii"), at("one.safetensors"), NULL), &err);
	same_files(at("out/a.nii.gz"), at("again/a.nii.gz"));
	same_files(at("out/quality.csv"), at("again/quality.csv"));
	assert_ok(call(plain(), at("twice"), &err, at("one.safetensors"), at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	same_files(at("out/a.nii.gz"), at("twice/a.nii.gz"));
	same_files(at("out/quality.csv"), at("twice/quality.csv"));
	assert_ok(call(plain(), at("both"), &err, at("one.safetensors"), at("two.safetensors"), at("scans/a.nii"), NULL), &err);
	hy_prediction_clear(&wanted);
	remove_tree(at("out"));
	remove_tree(at("again"));
	remove_tree(at("twice"));
	remove_tree(at("both"));
}

/* Bytes of a NIfTI-1 header that say where and what, unlike datatype, dimensions and scaling. */
static void the_header_goes_along(void **state)
{
	(void)state;
	static const struct {
		size_t from, to;
		const char *what;
	} parts[] = {{76, 108, "pixdim"}, {123, 124, "units"}, {148, 228, "description"}, {252, 328, "qform and sform"}};
	hardy_error err;
	char *in, *out;
	size_t n, m;
	assert_ok(hy_file_read(at("scans/a.nii"), &in, &n, &err), &err);
	memcpy(in + 148, "what the scanner said", 22);
	in[123] = 10; /* mm and s */
	FILE *f = fopen(at("described.nii"), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(in, 1, n, f), n);
	fclose(f);
	assert_ok(call(plain(), at("new/folder/x.nii"), &err, at("one.safetensors"), at("described.nii"), NULL), &err);
	assert_ok(hy_file_read(at("new/folder/x.nii"), &out, &m, &err), &err);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (memcmp(in + parts[i].from, out + parts[i].from, parts[i].to - parts[i].from))
			fail_msg("%s changed", parts[i].what);
	}
	assert_int_equal(m, 352 + 36 * 30 * 3); /* a byte a voxel */
	assert_true(hy_path_exists(at("new/folder/x_quality.csv")));
	assert_int_equal(n_files(at("new/folder")), 2 + N_LEGEND);
	hy_free(in);
	hy_free(out);
	remove_tree(at("new"));
}

static void folder_with_a_cine(void **state)
{
	(void)state;
	hardy_error err;
	hy_prediction a = expect("one.safetensors", 10), next = expect("one.safetensors", 11), b = expect("one.safetensors", 20);
	hardy_predict_options o = plain();
	o.uncertainty = o.probabilities = true;
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), &err);
	same_labels(at("out/a.nii.gz"), 0, a.label.data, NULL);
	same_labels(at("out/b.nii.gz"), 0, b.label.data, NULL);
	same_labels(at("out/cine.nii.gz"), 0, a.label.data, NULL);
	same_labels(at("out/cine.nii.gz"), 1, next.label.data, NULL);
	hy_volume v = read_map(at("out/cine.nii.gz")), e = read_map(at("out/entropy/cine.nii.gz"));
	hy_volume q = read_map(at("out/probabilities/cine_left__part.nii.gz"));
	const int64_t n = hy_grid_voxels(&v.grid);
	assert_int_equal(v.nt, 2);
	assert_int_equal(e.nt, 2);
	assert_int_equal(q.nt, 2);
	assert_memory_equal(e.data + n, next.entropy, (size_t)n * sizeof(float));
	assert_memory_equal(q.data + n, next.probabilities + n, (size_t)n * sizeof(float));
	hy_volume_clear(&v);
	hy_volume_clear(&e);
	hy_volume_clear(&q);
	assert_int_equal(n_files(at("out")), 6 + N_LEGEND);
	assert_int_equal(n_files(at("out/entropy")), 3);
	assert_int_equal(n_files(at("out/probabilities")), 9);
	char *table = NULL;
	read_table(at("out/quality.csv"), &table);
	int n_lines = 0;
	for (const char *p = table; (p = strchr(p, '\n')); p++)
		n_lines++;
	assert_int_equal(n_lines, 5);
	const char *x = strstr(table, "/a.nii,"), *y = strstr(table, "/b.nii.gz,"),
	           *z = strstr(table, "cine.nii.gz,cine.nii.gz,1,ok,");
	assert_true(x && y && z && x < y && y < z);
	hy_free(table);
	hy_prediction_clear(&a);
	hy_prediction_clear(&b);
	hy_prediction_clear(&next);
	remove_tree(at("out"));
}

static void ftn_and_class_numbers(void **state)
{
	(void)state;
	hardy_error err;
	static const uint8_t values[] = {0, 5, 9};
	hy_prediction a = expect("one.safetensors", 10);
	hardy_predict_options o = plain();
	o.network = "ftn";
	o.class_numbers = true;
	assert_ok(call(o, at("f.nii.gz"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	same_labels(at("f.nii.gz"), 0, a.other.data, NULL);
	/* the same file with other values: only when asked for, since the table beside it says what they are */
	o.class_numbers = false;
	assert_int_equal(call(o, at("f.nii.gz"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(
	    err.message, "f_labels.json: the label maps beside it hold left, part 1, B 2, these would hold left, part 5, B 9"));
	same_labels(at("f.nii.gz"), 0, a.other.data, NULL);
	o.overwrite = true;
	assert_ok(call(o, at("f.nii.gz"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	same_labels(at("f.nii.gz"), 0, a.other.data, values);
	char *table = NULL;
	read_table(at("f_quality.csv"), &table);
	const char *row = strstr(table, ",f.nii.gz,,ok,");
	assert_non_null(row);
	assert_non_null(strstr(row, ",,,,")); /* neither disagreement nor reconstruction */
	hy_free(table);
	hy_prediction_clear(&a);
	remove(at("f.nii.gz"));
	remove(at("f_quality.csv"));
	for (int i = 0; i < N_LEGEND; i++)
		remove(at("f_labels%s", (const char *[]){".json", ".label", ".ctbl"}[i]));
}

static void channels_of_one_scan(void **state)
{
	(void)state;
	hardy_error err;
	make_folder(at("pairs"));
	save_scan(at("pairs/p_0000.nii.gz"), 1, 3);
	save_scan(at("pairs/p_0001.nii.gz"), 1, 4);
	save_scan(at("pairs/q.nii.gz"), 2, 3); /* the same two as frames of one file */
	assert_ok(call(plain(), at("out"), &err, at("pair.safetensors"), at("pairs"), NULL), &err);
	same_files(at("out/p.nii.gz"), at("out/q.nii.gz"));
	assert_int_equal(n_files(at("out")), 3 + N_LEGEND);
	assert_ok(
	    call(plain(), at("named"), &err, at("pair.safetensors"), at("pairs/p_0001.nii.gz"), at("pairs/p_0000.nii.gz"), NULL),
	    &err);
	same_files(at("out/p.nii.gz"), at("named/p.nii.gz"));
	remove(at("pairs/p_0001.nii.gz"));
	assert_int_equal(call(plain(), at("lost"), &err, at("pair.safetensors"), at("pairs/p_0000.nii.gz"), NULL), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "p_0001.nii.gz"));
	assert_false(hy_path_exists(at("lost")));
	assert_int_equal(call(plain(), at("lost"), &err, at("pair.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_DATA);
	/* a model of one channel takes the first channel of nnU-Net's names under the scan's name */
	assert_ok(call(plain(), at("single"), &err, at("one.safetensors"), at("pairs/p_0000.nii.gz"), NULL), &err);
	assert_true(hy_path_exists(at("single/p.nii.gz")));
	remove_tree(at("pairs"));
	remove_tree(at("out"));
	remove_tree(at("named"));
	remove_tree(at("single"));
}

/* A data set with images and labels; three subjects, one of them in two phases. */
static void make_dataset(void)
{
	hardy_error err;
	static const char *const names[] = {"s1_ED", "s1_ES", "s2", "s3"};
	make_folder(at("set/images"));
	make_folder(at("set/labels"));
	for (uint64_t i = 0; i < 4; i++) {
		hy_volume v;
		save_scan(at("set/images/%s.nii.gz", names[i]), 1, 10 * (i + 1));
		make_scan(&v, 1, 1);
		const int64_t n = hy_grid_voxels(&v.grid);
		uint8_t *labels = hy_calloc((size_t)n, 1);
		labels[0] = 1;
		labels[1] = 2;
		assert_ok(
		    hy_nifti_write_labels(at("set/labels/%s.nii.gz", names[i]), &v, labels, 1, &(hy_origin){.overwrite = true}, &err),
		    &err);
		hy_free(labels);
		hy_volume_clear(&v);
	}
}

static void data_sets_and_subjects(void **state)
{
	(void)state;
	hardy_error err;
	hy_prediction a = expect("one.safetensors", 10);
	hardy_predict_options o = plain();
	make_dataset();
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), &err);
	assert_int_equal(n_files(at("out")), 5 + N_LEGEND);
	same_labels(at("out/s1_ED.nii.gz"), 0, a.label.data, NULL);
	assert_true(hy_path_exists(at("out/s1_ES.nii.gz")) && hy_path_exists(at("out/s2.nii.gz")));
	remove_tree(at("out"));
	o.subjects = "s3, s1";
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), &err);
	assert_int_equal(n_files(at("out")), 4 + N_LEGEND);
	assert_false(hy_path_exists(at("out/s2.nii.gz")));
	remove_tree(at("out"));
	scratch_write("list.txt", "s2\r\n\n s3 \n", 11);
	o.subjects = scratch_path("list.txt");
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), &err);
	assert_int_equal(n_files(at("out")), 3 + N_LEGEND);
	remove_tree(at("out"));
	o.subjects = "s1,s9";
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "subject s9 is not in the data set"));
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	o.subjects = NULL;
	o.split = "test";
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), HARDY_ERROR_ARGUMENT);
	scratch_write("splits.json", "{\"test\": [\"s2\"]}", 16);
	o.splits = scratch_path("splits.json");
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), &err);
	assert_int_equal(n_files(at("out")), 2 + N_LEGEND);
	remove_tree(at("out"));
	o = plain();
	assert_int_equal(call(o, at("out"), &err, at("pair.safetensors"), at("set"), NULL), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "1 channel, want 2"));
	/* the labels of a data set are no place for predictions */
	assert_int_equal(call(o, at("set/labels"), &err, at("one.safetensors"), at("set"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "overwrite a label"));
	/* a scan of it that cannot be read does not hold up the others */
	scratch_write("short", "not a scan", 10);
	assert_int_equal(rename(scratch_path("short"), at("set/images/s2.nii.gz")), 0);
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("set"), NULL), HARDY_ERROR_PARTIAL);
	assert_int_equal(n_files(at("out")), 4 + N_LEGEND);
	remove_tree(at("out"));
	remove_tree(at("set"));
	hy_prediction_clear(&a);
}

static void a_bad_scan_among_good_ones(void **state)
{
	(void)state;
	hardy_error err;
	make_folder(at("mixed"));
	save_scan(at("mixed/good.nii.gz"), 1, 10);
	save_scan(at("mixed/later.nii.gz"), 1, 11);
	save_nan_scan(at("mixed/bad.nii.gz"));
	assert_int_equal(call(plain(), at("out"), &err, at("one.safetensors"), at("mixed"), NULL), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(err.message, "1 of 3 scans failed; the first: "));
	assert_non_null(strstr(err.message, "bad.nii.gz"));
	assert_non_null(strstr(heard, "failed: "));
	assert_int_equal(n_files(at("out")), 3 + N_LEGEND);
	assert_false(hy_path_exists(at("out/bad.nii.gz")));
	char *table = NULL;
	read_table(at("out/quality.csv"), &table);
	assert_non_null(strstr(table, "/bad.nii.gz,,,failed,,,,,,,,"));
	assert_non_null(strstr(table, "/later.nii.gz,later.nii.gz,,ok,"));
	hy_free(table);
	remove_tree(at("out"));
	assert_int_equal(call(plain(), at("out"), &err, at("one.safetensors"), at("mixed/bad.nii.gz"), NULL), HARDY_ERROR_NUMERIC);
	assert_non_null(strstr(err.message, "bad.nii.gz"));
	assert_false(hy_path_exists(at("out")));
	remove_tree(at("mixed"));
}

/* Of a scan that fails now nothing stays that an earlier run wrote; what this run would not have written does. */
static void a_failed_scan_leaves_no_old_map(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	make_folder(at("mixed"));
	save_scan(at("mixed/good.nii.gz"), 1, 10);
	save_scan(at("mixed/bad.nii.gz"), 1, 11);
	o.uncertainty = o.probabilities = true;
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("mixed"), NULL), &err);
	assert_true(hy_path_exists(at("out/bad.nii.gz")) && hy_path_exists(at("out/entropy/bad.nii.gz")));
	assert_true(hy_path_exists(at("out/probabilities/bad_B.nii.gz")));
	save_nan_scan(at("mixed/bad.nii.gz"));
	o.probabilities = false;
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("mixed"), NULL), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(heard, "out/bad.nii.gz: removed: it was of an earlier run"));
	assert_false(hy_path_exists(at("out/bad.nii.gz")) || hy_path_exists(at("out/entropy/bad.nii.gz")));
	assert_true(hy_path_exists(at("out/probabilities/bad_B.nii.gz")));
	assert_true(hy_path_exists(at("out/good.nii.gz")));
	remove_tree(at("out"));
	remove_tree(at("mixed"));
}

static void strict_about_warnings(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	make_model(&m, 1, 1);
	m.fingerprint = (hy_fingerprint){.n_volumes = 1,
	                                 .spacing_low_mm = {3, 3, 8},
	                                 .spacing_high_mm = {3, 3, 8},
	                                 .mean_low = {0},
	                                 .mean_high = {1},
	                                 .sd_low = {0},
	                                 .sd_high = {1}};
	assert_ok(hy_model_save(&m, at("narrow.safetensors"), NULL, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
	hardy_predict_options o = plain();
	assert_ok(call(o, at("out"), &err, at("narrow.safetensors"), at("scans/a.nii"), NULL), &err);
	assert_non_null(strstr(heard, "spacing along x is 1.500 mm, training scans have 3.000 mm"));
	o.strict = true;
	assert_int_equal(call(o, at("out"), &err, at("narrow.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_THRESHOLD);
	char *table = NULL;
	read_table(at("out/quality.csv"), &table);
	assert_non_null(strstr(table, ",2,\"spacing along x is 1.500 mm, training scans have 3.000 mm; spacing along y"));
	hy_free(table);
	assert_true(hy_path_exists(at("out/a.nii.gz")));
	o.spacing_mm[0] = o.spacing_mm[1] = 3;
	assert_ok(call(o, at("out"), &err, at("narrow.safetensors"), at("scans/a.nii"), NULL), &err);
	remove_tree(at("out"));
	remove(at("narrow.safetensors"));
}

static void arguments_that_cannot_be(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	char *bytes;
	size_t n;
	assert_int_equal(call(o, at("out"), &err, at("none.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_IO);
	assert_ok(hy_file_read(at("one.safetensors"), &bytes, &n, &err), &err);
	scratch_write("cut.safetensors", bytes, n / 2);
	hy_free(bytes);
	assert_int_equal(call(o, at("out"), &err, at("cut.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_FORMAT);
	assert_int_equal(call(o, at("out"), &err, at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), NULL), HARDY_ERROR_ARGUMENT);
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("nowhere.nii"), NULL), HARDY_ERROR_IO);
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("pair.safetensors"), at("scans/a.nii"), NULL),
	                 HARDY_ERROR_ARGUMENT);
	assert_int_equal(call(o, at("out.nii.gz"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "one file for 3 scans"));
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), at("scans"), NULL),
	                 HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "two scans would both be written as a"));
	assert_int_equal(call(o, at("scans"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "would overwrite a scan"));
	assert_int_equal(call(o, at("scans/a.nii"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	make_folder(at("empty"));
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("empty"), NULL), HARDY_ERROR_DATA);
	remove_tree(at("empty"));
	assert_int_equal(call(o, at("scans/a.nii/out"), &err, at("one.safetensors"), at("scans/b.nii.gz"), NULL), HARDY_ERROR_IO);
	assert_int_equal(n_files(at("scans")), 3);
	assert_false(hy_path_exists(at("out")) || hy_path_exists(at("out.nii.gz")));
	/* a run folder stands for its best model */
	make_folder(at("run"));
	assert_int_equal(symlink(at("one.safetensors"), at("run/best.safetensors")), 0);
	assert_ok(call(o, at("out"), &err, at("run"), at("scans/a.nii"), NULL), &err);
	remove_tree(at("run"));
	remove_tree(at("out"));
}

static void put_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A run folder stands for the model that its run.json names, or that counted when run.json did not name one. */
static void a_run_names_its_model(void **state)
{
	static const struct {
		const char *json, *model; /* NULL: an error that holds the text */
		const char *error;
	} cases[] = {
	    {"{\"model\": \"last.safetensors\", \"epoch_of_best\": 2}", "last.safetensors", NULL},
	    {"{\"model\": \"best.safetensors\"}", "best.safetensors", NULL},
	    {"{\"options\": {\"schedule\": \"constant\"}, \"epoch_of_best\": 2}", "best.safetensors", NULL},
	    {"{\"options\": {\"schedule\": \"one-cycle\"}, \"epoch_of_best\": 2}", "last.safetensors", NULL},
	    {"{\"options\": {\"schedule\": \"constant\"}}", "last.safetensors", NULL},
	    {"{\"model\": \"other.safetensors\"}", NULL, "other.safetensors, is not there"},
	    {"{\"model\": \"../one.safetensors\"}", NULL, "want the name of"},
	};
	(void)state;
	make_folder(at("run"));
	assert_int_equal(symlink(at("one.safetensors"), at("run/best.safetensors")), 0);
	assert_int_equal(symlink(at("one.safetensors"), at("run/last.safetensors")), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hardy_error err = {0};
		char *model = NULL;
		put_text(at("run/run.json"), cases[i].json);
		const hardy_status status = hy_model_argument(at("run"), &model, &err);
		if (cases[i].model) {
			assert_ok(status, &err);
			assert_non_null(model);
			assert_non_null(strstr(model, cases[i].model));
		} else {
			assert_true(status != HARDY_OK);
			assert_non_null(strstr(err.message, cases[i].error));
		}
		hy_free(model);
	}
	remove_tree(at("run"));
}

/* Reference labels beside the scans, a map that was corrected by hand, a table of somebody: none is lost, and none is half-written. */
static void replaces_what_it_wrote_alone(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	hy_volume v;
	make_folder(at("set2/images"));
	make_folder(at("set2/labels"));
	save_scan(at("set2/images/b.nii.gz"), 1, 20);
	save_scan(at("set2/labels/b.nii.gz"), 1, 30);
	save_scan(at("kept.nii.gz"), 1, 30);
	assert_int_equal(call(o, at("set2/labels"), &err, at("one.safetensors"), at("set2/images"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "set2/labels/b.nii.gz"));
	assert_int_equal(call(o, at("set2/labels/b.nii.gz"), &err, at("one.safetensors"), at("set2/images/b.nii.gz"), NULL),
	                 HARDY_ERROR_ARGUMENT);
	same_files(at("set2/labels/b.nii.gz"), at("kept.nii.gz"));
	assert_int_equal(n_files(at("set2/labels")), 1);
	/* its own maps it replaces, with other content, too */
	o.uncertainty = true;
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("set2/images"), NULL), &err);
	assert_ok(call(o, at("out"), &err, at("two.safetensors"), at("set2/images"), NULL), &err);
	/* unless somebody corrected them: same header, other voxels */
	assert_ok(hy_nifti_read(at("out/b.nii.gz"), NULL, &v, NULL, &err), &err);
	v.data[7] = v.data[7] == 0;
	assert_ok(hy_nifti_write_float(at("out/b.nii.gz"), &v, v.data, 1, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume_clear(&v);
	assert_int_equal(call(o, at("out"), &err, at("two.safetensors"), at("set2/images"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "out/b.nii.gz"));
	o.overwrite = true;
	assert_ok(call(o, at("out"), &err, at("two.safetensors"), at("set2/images"), NULL), &err);
	assert_int_equal(call(o, at("set2/images"), &err, at("one.safetensors"), at("set2/images"), NULL), HARDY_ERROR_ARGUMENT);
	o.overwrite = false;
	put_text(at("out/quality.csv"), "opinions\n");
	assert_int_equal(call(o, at("out"), &err, at("two.safetensors"), at("set2/images"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "quality.csv"));
	/* a name of another format is neither a file nor a folder */
	assert_int_equal(call(o, at("x.nrrd"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "a scan is written as .nii or .nii.gz"));
	assert_false(hy_path_exists(at("x.nrrd")));
	o.precision = NULL;
	assert_int_equal(call(o, at("x"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	remove_tree(at("set2"));
	remove_tree(at("out"));
}

static size_t count_in(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* Predictions in parts into one folder make one table. */
static void rows_of_earlier_runs_stay(void **state)
{
	(void)state;
	hardy_error err;
	char *table = NULL;
	assert_ok(call(plain(), at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	assert_ok(call(plain(), at("out"), &err, at("one.safetensors"), at("scans/cine.nii.gz"), NULL), &err);
	assert_ok(call(plain(), at("out"), &err, at("one.safetensors"), at("scans/b.nii.gz"), at("scans/cine.nii.gz"), NULL), &err);
	read_table(at("out/quality.csv"), &table);
	assert_int_equal(count_in(table, "\n"), 1 + 1 + 2 + 1);
	assert_int_equal(count_in(table, ",a.nii.gz,"), 1);
	assert_int_equal(count_in(table, ",cine.nii.gz,"), 2);
	hy_free(table);
	/* a map that is gone has no row */
	remove(at("out/a.nii.gz"));
	assert_ok(call(plain(), at("out"), &err, at("one.safetensors"), at("scans/b.nii.gz"), NULL), &err);
	read_table(at("out/quality.csv"), &table);
	assert_int_equal(count_in(table, ",a.nii.gz,"), 0);
	assert_int_equal(count_in(table, ",b.nii.gz,"), 1);
	assert_int_equal(count_in(table, ",cine.nii.gz,"), 2);
	hy_free(table);
	assert_int_equal(n_files(at("out")), 3 + N_LEGEND); /* and no lock */
	remove_tree(at("out"));
}

/* Jobs that divide a folder, cut short and begun again: each scan once, and one table with a row each, whenever it is written. */
static void parts_and_what_is_missing(void **state)
{
	(void)state;
	hardy_error err;
	char *table = NULL;
	hardy_predict_options o = plain();
	o.table_every_s = 0; /* behind each scan */
	for (int k = 3; k >= 1; k--) {
		char part[8];
		snprintf(part, sizeof part, "%d/3", k);
		o.part = part;
		assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), &err);
		assert_int_equal(n_files(at("out")), 4 - k + 1 + N_LEGEND);
	}
	assert_ok(call(plain(), at("whole"), &err, at("one.safetensors"), at("scans"), NULL), &err);
	same_files(at("out/a.nii.gz"), at("whole/a.nii.gz"));
	same_files(at("out/cine.nii.gz"), at("whole/cine.nii.gz"));
	read_table(at("out/quality.csv"), &table);
	assert_int_equal(count_in(table, "\n"), 1 + 1 + 1 + 2);
	hy_free(table);

	/* what is there stays as it is, also where another model would make something else of it; a map or a row that is gone is made again */
	o.part = NULL;
	o.missing = true;
	remove(at("out/b.nii.gz"));
	assert_ok(call(o, at("out"), &err, at("two.safetensors"), at("scans"), NULL), &err);
	same_files(at("out/a.nii.gz"), at("whole/a.nii.gz"));
	assert_true(hy_path_exists(at("out/b.nii.gz")));
	assert_non_null(strstr(logged, "2 scans have label map and row already"));
	remove(at("out/quality.csv"));
	o.part = "1/1";
	put_text(at("scans/c.nii.gz"), "no scan");
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_PARTIAL);
	read_table(at("out/quality.csv"), &table);
	assert_int_equal(count_in(table, "\n"), 1 + 1 + 1 + 2 + 1);
	assert_int_equal(count_in(table, ",failed,"), 1);
	hy_free(table);
	remove(at("scans/c.nii.gz"));

	/* nothing to do is no failure */
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), &err);
	o.part = "7/9";
	assert_ok(call(o, at("none"), &err, at("one.safetensors"), at("scans"), NULL), &err);
	assert_false(hy_path_exists(at("none")));
	static const char *const bad[] = {"", "1", "0/2", "3/2", "1/2x", "x/2", "-1/2", "1/", "1/1000001"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		o.part = bad[i];
		assert_int_equal(call(o, at("none"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_ARGUMENT);
		assert_non_null(strstr(err.message, "want K/N"));
	}
	o.part = "1/2";
	assert_int_equal(call(o, at("x.nii.gz"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	remove_tree(at("out"));
	remove_tree(at("whole"));
}

/* Names of classes that differ only in what no file name has. */
static void every_class_has_its_own_file(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	hy_model m;
	make_model(&m, 1, 1);
	snprintf(m.classes[1].name, HY_NAME_SIZE, "a b");
	snprintf(m.classes[2].name, HY_NAME_SIZE, "a/b");
	assert_ok(hy_model_save(&m, at("names.safetensors"), NULL, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
	o.probabilities = true;
	assert_ok(call(o, at("out"), &err, at("names.safetensors"), at("scans/a.nii"), NULL), &err);
	assert_int_equal(n_files(at("out/probabilities")), 3);
	remove_tree(at("out"));
	remove(at("names.safetensors"));
}

/* Asked before each scan, and before each frame but the first. */
static void what_was_done_before_a_stop_stays(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	char *table;
	o.stop = &listen_stop;
	stop_at = 1;
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_INTERRUPTED);
	assert_false(hy_path_exists(at("out")));
	for (stop_at = 2; stop_at < 5; stop_at++) { /* before b, before the cine, within the cine */
		const int n_done = stop_at < 3 ? 1 : 2;
		assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_INTERRUPTED);
		assert_int_equal(n_files(at("out")), n_done + 1 + N_LEGEND);
		read_table(at("out/quality.csv"), &table);
		assert_int_equal(count_in(table, ",a.nii.gz,,ok,"), 1);
		assert_int_equal(count_in(table, ",b.nii.gz,,ok,"), n_done - 1);
		assert_int_equal(count_in(table, "cine"), 0);
		hy_free(table);
		remove_tree(at("out"));
	}
	stop_at = 0;
	/* Rows of an earlier run stay for the maps that a stop left alone. */
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), &err);
	stop_at = 2;
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans"), NULL), HARDY_ERROR_INTERRUPTED);
	read_table(at("out/quality.csv"), &table);
	assert_int_equal(count_in(table, ",a.nii.gz,,ok,"), 1);
	assert_int_equal(count_in(table, ",b.nii.gz,,ok,"), 1);
	assert_int_equal(count_in(table, ",cine.nii.gz,"), 2);
	hy_free(table);
	stop_at = 0;
	remove_tree(at("out"));
}

static void bids_has_its_own_layout(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	char *text;
	cJSON *json;
	o.class_numbers = false;
	o.bids = true;
	make_folder(at("bids/func"));
	save_scan(at("bids/sub-01_ses-b_acq-x_T1w.nii.gz"), 1, 10);
	save_scan(at("bids/func/sub-02_bold.nii.gz"), 2, 10);
	save_scan(at("bids/a_nn-ES.nii.gz"), 1, 20);
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("bids"), at("bids/func"), NULL), &err);
	static const char *const maps[] = {"sub-01/ses-b/anat/sub-01_ses-b_acq-x_dseg", "sub-02/func/sub-02_dseg",
	                                   "sub-ann/anat/sub-ann_desc-ES_dseg"};
	for (int i = 0; i < 3; i++) {
		assert_true(hy_path_exists(at("out/%s.nii.gz", maps[i])));
		assert_ok(hy_json_read(at("out/%s.json", maps[i]), &json, &err), &err);
		assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "SpatialReference")->valuestring, "orig");
		assert_true(hy_json_number(cJSON_GetObjectItemCaseSensitive(json, "Labels"), "left, part", 0) == 5);
		const cJSON *model = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "Models"), 0);
		assert_string_equal(cJSON_GetObjectItemCaseSensitive(model, "File")->valuestring, "one.safetensors");
		assert_true(hy_json_number(cJSON_GetObjectItemCaseSensitive(model, "Plan"), "size", 0) == 32);
		cJSON_Delete(json);
	}
	assert_ok(hy_json_read(at("out/dataset_description.json"), &json, &err), &err);
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "DatasetType")->valuestring, "derivative");
	assert_non_null(cJSON_GetObjectItemCaseSensitive(json, "BIDSVersion"));
	cJSON_Delete(json);
	read_table(at("out/dseg.tsv"), &text);
	assert_string_equal(text, "index\tname\tcolor\n0\tbackground\t#000000\n5\tleft, part\t#cc79a7\n9\tB\t#009e73\n");
	hy_free(text);
	read_table(at("out/quality.csv"), &text);
	assert_int_equal(count_in(text, ",sub-02/func/sub-02_dseg.nii.gz,"), 2);
	hy_free(text);
	/* Again: all of it is replaced. */
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("bids"), NULL), &err);
	remove_tree(at("out"));
}

static void bids_replaces_nothing_of_others(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	o.class_numbers = false;
	o.bids = true;
	static const char *const theirs[] = {"dataset_description.json", "dseg.tsv", "sub-a/anat/sub-a_dseg.json"};
	for (int i = 0; i < 3; i++) {
		char *text;
		make_folder(at("out/sub-a/anat"));
		FILE *f = fopen(at("out/%s", theirs[i]), "w");
		assert_non_null(f);
		assert_true(fputs("{\"Name\": \"theirs\"}\n", f) >= 0);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
		assert_non_null(strstr(err.message, theirs[i]));
		read_table(at("out/%s", theirs[i]), &text);
		assert_string_equal(text, "{\"Name\": \"theirs\"}\n");
		hy_free(text);
		assert_false(hy_path_exists(at("out/sub-a/anat/sub-a_dseg.nii.gz")));
		o.overwrite = true;
		assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
		o.overwrite = false;
		remove_tree(at("out"));
	}
	save_nan_scan(at("bad.nii"));
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("bad.nii"), NULL), HARDY_ERROR_NUMERIC);
	assert_false(hy_path_exists(at("out"))); /* with all its folders */
	assert_int_equal(call(o, at("out.nii.gz"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
	make_folder(at("twice/x"));
	make_folder(at("twice/y"));
	save_scan(at("twice/x/sub-1_T1w.nii.gz"), 1, 1);
	save_scan(at("twice/y/sub-1_T2w.nii.gz"), 1, 1);
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("twice/x"), at("twice/y"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "would both be written as sub-1/anat/sub-1_dseg"));
	save_scan(at("__.nii.gz"), 1, 1);
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("__.nii.gz"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "no letter or digit"));
	o.class_numbers = true;
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), HARDY_ERROR_ARGUMENT);
}

static void bids_survives_lack_of_memory(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	o.class_numbers = false;
	o.bids = o.probabilities = true;
	const int64_t before = hy_memory_calls();
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	const int64_t n = hy_memory_calls() - before;
	remove_tree(at("out"));
	for (int64_t k = 1; k <= n; k += n - k < 150 ? TEST_STRIDE : n / 12) {
		hy_memory_fail_at(k);
		const hardy_status status = call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL);
		hy_memory_fail_at(0);
		if (status && hy_path_exists(at("out")))
			fail_msg("call %lld of %lld: %s: but outputs are left", (long long)k, (long long)n, err.message);
		remove_tree(at("out"));
	}
}

/* A dcm2niix that makes the same scan of any series, or of some none. */
static void put_converter(const char *script)
{
	char path[5000];
	FILE *f = fopen(at("bin/dcm2niix"), "w");
	assert_non_null(f);
	assert_true(fputs(script, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(at("bin/dcm2niix"), 0700), 0);
	snprintf(path, sizeof path, "%s:%.3500s", at("bin"), getenv("PATH"));
	setenv("PATH", path, 1);
}

static void folders_of_dicom_are_scans(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	uint8_t bytes[FAKE_DICOM_ROOM];
	char script[2048], *table;
	char *usual = strdup(getenv("PATH"));
	assert_non_null(usual);
	make_folder(at("bin"));
	make_folder(at("scratch"));
	for (int i = 0; i < 2; i++) { /* two series in folders of their own */
		const fake_dicom d = {.patient = "p", .series = i ? "1.2" : "1.1", .series_number = i, .trigger_ms = NAN};
		make_folder(at("dicom/s%d", i));
		FILE *f = fopen(at("dicom/s%d/IM1", i), "wb");
		assert_non_null(f);
		const size_t size = fake_dicom_make(&d, bytes);
		assert_int_equal(fwrite(bytes, 1, size, f), size);
		assert_int_equal(fclose(f), 0);
	}
	/* The output folder is the last argument but one. */
	snprintf(
	    script, sizeof script,
	    "#!/bin/sh\nwhile [ $# -gt 2 ]; do shift; done\ncase $1 in *out1) echo no; exit 5;; esac\ncp '%s' \"$1/scan.nii\"\n",
	    at("scans/a.nii"));
	put_converter(script);
	o.scratch = at("scratch");
	assert_int_equal(call(o, at("out"), &err, at("one.safetensors"), at("dicom"), NULL), HARDY_ERROR_PARTIAL);
	assert_int_equal(n_files(at("out")), 1 + 1 + N_LEGEND);
	hy_prediction wanted = expect("one.safetensors", 10);
	same_labels(at("out/s0.nii.gz"), 0, wanted.label.data, NULL);
	hy_prediction_clear(&wanted);
	read_table(at("out/quality.csv"), &table);
	assert_int_equal(count_in(table, "/dicom/s0,s0.nii.gz,,ok,"), 1);
	assert_int_equal(count_in(table, "/dicom/s1: dcm2niix failed: the process ended with exit code 5; its last lines: no"), 1);
	assert_int_equal(count_in(table, "scratch"), 0);
	assert_null(strstr(logged, "scratch"));
	hy_free(table);
	assert_int_equal(n_files(at("scratch")), 0);
	assert_int_equal(call(o, at("out2"), &err, at("pair.safetensors"), at("dicom"), NULL), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "one channel"));
	assert_int_equal(call(o, at("out2"), &err, at("one.safetensors"), at("dicom/s0/IM1"), NULL), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "want the folder"));
	setenv("PATH", usual, 1);
	free(usual);
	remove_tree(at("out"));
	remove_tree(at("dicom"));
}

static void survives_lack_of_memory(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predict_options o = plain();
	o.uncertainty = o.probabilities = o.adapt = true;
	o.components = "largest";
	const int64_t before = hy_memory_calls();
	assert_ok(call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL), &err);
	const int64_t n = hy_memory_calls() - before;
	const size_t n_complete = n_files(at("out"));
	remove_tree(at("out"));
	for (int64_t k = 1; k <= n; k += k < 5 || n - k < 60 ? 1 : n / 12) {
		hy_memory_fail_at(k);
		const hardy_status status = call(o, at("out"), &err, at("one.safetensors"), at("scans/a.nii"), NULL);
		hy_memory_fail_at(0);
		if (!status)
			assert_int_equal(n_files(at("out")), n_complete);
		else if (hy_path_exists(at("out")))
			fail_msg("call %lld of %lld: %s: but outputs are left", (long long)k, (long long)n, err.message);
		remove_tree(at("out"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_scan_in_its_own_grid),
	    cmocka_unit_test(the_header_goes_along),
	    cmocka_unit_test(folder_with_a_cine),
	    cmocka_unit_test(ftn_and_class_numbers),
	    cmocka_unit_test(channels_of_one_scan),
	    cmocka_unit_test(data_sets_and_subjects),
	    cmocka_unit_test(a_bad_scan_among_good_ones),
	    cmocka_unit_test(a_failed_scan_leaves_no_old_map),
	    cmocka_unit_test(strict_about_warnings),
	    cmocka_unit_test(arguments_that_cannot_be),
	    cmocka_unit_test(a_run_names_its_model),
	    cmocka_unit_test(replaces_what_it_wrote_alone),
	    cmocka_unit_test(rows_of_earlier_runs_stay),
	    cmocka_unit_test(every_class_has_its_own_file),
	    cmocka_unit_test(survives_lack_of_memory),
	    cmocka_unit_test(what_was_done_before_a_stop_stays),
	    cmocka_unit_test(folders_of_dicom_are_scans),
	    cmocka_unit_test(bids_has_its_own_layout),
	    cmocka_unit_test(bids_replaces_nothing_of_others),
	    cmocka_unit_test(bids_survives_lack_of_memory),
	    cmocka_unit_test(parts_and_what_is_missing),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
