/*
 * cases.c: the cases that a report shows, of a tiny experiment with small random models: which are chosen, that volumes and pictures are
 * what was segmented, and what is said when models or data are gone.
 */
#include "report/cases.h"

#include "base/files.h"
#include "base/memory.h"
#include "experiment/stress.h"
#include "image/nifti.h"
#include "predict/predictor.h"
#include "support/models.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = 40, NY = 36, NZ = 3, N = NX * NY * NZ, SIZE = 32 };

/* ---- the experiment ----------------------------------------------------------------------------------------------------- */

static void save_model(const char *name, uint64_t seed)
{
	hardy_error err;
	hy_model m;
	drawn_model(&m, &(hy_network_config){.channels = 1, .classes = 3, .decoupler = true}, drawn_ring, SIZE, 3, seed);
	m.classes[1].value = 3; /* label maps would hold other values than indices */
	m.classes[2].value = 1;
	assert_ok(hy_model_save(&m, tree_path(name), NULL, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
}

/* The first slice has no label. */
static void save_case(const char *name, uint64_t seed)
{
	static float x[N];
	static uint8_t label[N];
	char path[128];
	hy_grid g;
	hy_rng r = hy_rng_make(seed, HY_RNG_TEST, 0, 0);
	hy_grid_set_simple(&g, NX, NY, NZ, 2.5, 2.5, 8);
	for (int i = 0; i < N; i++) {
		const double dx = i % NX - NX / 2., dy = i / NX % NY - NY / 2., radius = hypot(dx, dy);
		label[i] = i < NX * NY ? 0 : radius < 6 ? 2 : radius < 12 ? 1 : 0;
		x[i] = (float)(100 * label[i] + hy_rng_between(&r, 0, 60));
	}
	snprintf(path, sizeof path, "set/images/%s.nii.gz", name);
	tree_image_grid(path, &g, 1, x);
	snprintf(path, sizeof path, "set/labels/%s.nii.gz", name);
	tree_labels_grid(path, &g, 1, label);
}

/* Three cases of 0.75, 0.25 and 0.5, and two draws of bias of the first. */
static void write_results(void)
{
	char text[4096];
	size_t n = 0;
	static const char *const methods[2] = {"standard", "other"};
	for (int m = 0; m < 2; m++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		                      "{\"method\":\"%s\",\"title\":\"%s\",\"seed\":%d,\"sets\":[{\"name\":\"home\",\"title\":\"Home\","
		                      "\"kind\":\"intra\",\"cases\":["
		                      "{\"case\":\"s1\",\"ftn\":{\"core\":0.5},\"stn\":{\"core\":0.75}},{\"case\":\"s2\",\"ftn\":{"
		                      "\"core\":0.5},\"stn\":{\"core\":0.25}},"
		                      "{\"case\":\"s3\",\"ftn\":{\"core\":0.5},\"stn\":{\"core\":0.5}}]},{\"name\":\"bias\",\"title\":"
		                      "\"bias\",\"kind\":\"artefact\","
		                      "\"cases\":[{\"case\":\"s1\",\"draw\":0,\"ftn\":{\"core\":0.5},\"stn\":{\"core\":0.5}},"
		                      "{\"case\":\"s1\",\"draw\":1,\"ftn\":{\"core\":0.5},\"stn\":{\"core\":0.25}}]}]}\n",
		                      methods[m], methods[m], m);
	tree_text("results.jsonl", text);
}

static void write_experiment(const char *path)
{
	char text[2048];
	snprintf(
	    text, sizeof text,
	    "{\"sets\":[{\"name\":\"home\",\"title\":\"Home\",\"kind\":\"intra\",\"path\":\"%s\",\"labels\":\"ring=1,core=2\"},"
	    "{\"name\":\"bias\",\"title\":\"bias\",\"kind\":\"artefact\",\"path\":\"%s\",\"labels\":\"ring=1,core=2\"}],"
	    "\"runs\":[{\"method\":\"other\",\"seed\":1,\"folder\":\"runs/somewhere\",\"model\":\"best\"}]}",
	    path, path);
	tree_text("experiment.json", text);
}

static int make_all(void **state)
{
	(void)state;
	tree_new();
	save_case("s1", 1);
	save_case("s2", 2);
	save_case("s3", 3);
	hardy_error err = {0};
	assert_ok(hy_make_folders(tree_path("runs/standard-0"), &err), &err);
	assert_ok(hy_make_folders(tree_path("runs/somewhere"), &err), &err);
	save_model("runs/standard-0/last.safetensors", 5);
	save_model("runs/somewhere/best.safetensors", 6);
	write_results();
	write_experiment(tree_path("set"));
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

static void read_all(hy_results *s, hy_shown *shown, int64_t n_each)
{
	hardy_error err = {0};
	assert_ok(hy_results_read(s, tree_path(""), &err), &err);
	assert_ok(hy_shown_make(shown, s, n_each, NULL, &err), &err);
}

/* The voxels of a packed volume, which is written to a file and read by the library; free with hy_free. */
static uint8_t *unpack(const hy_blob *b, hy_grid *g)
{
	hardy_error err = {0};
	hy_labels l;
	hy_outfile f;
	int64_t values[256];
	assert_int_equal(b->data[0], 0x1f); /* gzip */
	assert_ok(hy_outfile_open(&f, tree_path("volume.nii.gz"), HY_REPLACE_ANY, &err), &err);
	hy_outfile_write(&f, b->data, b->size);
	assert_ok(hy_outfile_commit(&f, &err), &err);
	assert_ok(hy_nifti_read_labels(tree_path("volume.nii.gz"), NULL, &l, values, NULL, &err), &err);
	tree_delete("volume.nii.gz");
	*g = l.grid;
	return l.data;
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static void worst_first_and_both_ends(void **state)
{
	(void)state;
	hy_results s;
	hy_shown shown;
	read_all(&s, &shown, 2);
	assert_string_equal(shown.note, "");
	assert_int_equal(shown.n_models, 2);
	assert_int_equal(shown.n, 4);
	assert_string_equal(shown.cases[0].name, "s2");
	assert_string_equal(shown.cases[1].name, "s1");
	for (size_t i = 0; i < shown.n; i++)
		assert_true(shown.cases[i].drawn); /* both ends of each set */
	assert_int_equal(shown.cases[0].rank, 1);
	assert_int_equal(shown.cases[1].rank, 3);
	assert_int_equal(shown.cases[1].of, 3);
	assert_int_equal(shown.cases[2].rank, 1);
	assert_int_equal(shown.cases[2].draw, 1);
	assert_int_equal(shown.cases[3].draw, 0);
	assert_true(fabs(shown.cases[0].mean - .25) < 1e-9);
	for (size_t i = 0; i < shown.n; i++) {
		assert_int_equal(shown.cases[i].n_maps, 4);
		assert_int_equal(shown.cases[i].n_slices, NZ);
		assert_in_range(shown.cases[i].slice, 1, NZ - 1); /* where the truth has labels */
		assert_true(shown.cases[i].truth_picture.size > 0);
		for (size_t k = 0; k < 4; k++) /* of FTN+STN alone */
			assert_true((shown.cases[i].maps[k].picture.size > 0) == (shown.cases[i].maps[k].which == 1));
	}
	assert_true(fabs(shown.cases[0].maps[1].score->mean[1] - .25) < 1e-9);
	hy_shown_clear(&shown);
	hy_results_clear(&s);
	read_all(&s, &shown, 100);
	assert_int_equal(shown.n, 5);
	hy_shown_clear(&shown);
	hy_results_clear(&s);
}

/* Packed volumes against the same things made here by the library's own steps. */
static void volumes_are_what_was_segmented(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_results s;
	hy_shown shown;
	hy_dataset d;
	hy_model m;
	hy_grid g;
	read_all(&s, &shown, 3);
	const hy_dataset_options o = {.labels = "ring=1,core=2"};
	assert_ok(hy_dataset_open(&d, tree_path("set"), &o, NULL, &err), &err);
	assert_ok(hy_model_load(&m, tree_path("runs/somewhere/best.safetensors"), NULL, &err), &err);
	hy_predictor_options po;
	hy_predictor_options_init(&po);
	po.both = true;
	hy_predictor *predictor = hy_predictor_new((hy_model *const[]){&m}, 1, &po, &err);
	assert_non_null(predictor);
	/* s2 as it is; s1 with the second draw of bias, which is in [0, 1] already. */
	for (int spoiled = 0; spoiled < 2; spoiled++) {
		const hy_shown_case *c = &shown.cases[spoiled ? 3 : 0];
		hy_volume image;
		hy_labels truth;
		hy_prediction p;
		hy_slices slices;
		if (spoiled) {
			m.plan.percentile_low = 0;
			m.plan.percentile_high = 100;
			assert_ok(hy_stress_example(&d, 0, &o, "s1", HY_ARTEFACT_BIAS, 1, &image, &truth, &err), &err);
		} else {
			assert_ok(hy_case_load(&d, 1, &o, &image, &truth, NULL, &err), &err);
		}
		assert_ok(hy_predictor_run(predictor, &image, &p, &err), &err);
		for (int which = 0; which < 2; which++) {
			assert_ok(hy_preprocess_test(&m.plan, &image, which ? &p.label : &p.other, &slices, &err), &err);
			uint8_t *voxels = unpack(&c->maps[2 + which].volume, &g);
			assert_int_equal(g.nx, SIZE);
			assert_int_equal(g.nz, NZ);
			assert_true(g.affine[1][1] < 0); /* rows run downwards */
			assert_memory_equal(voxels, slices.label, SIZE * SIZE * NZ);
			hy_free(voxels);
			hy_slices_clear(&slices);
		}
		assert_ok(hy_preprocess_test(&m.plan, &image, &truth, &slices, &err), &err);
		uint8_t *voxels = unpack(&c->truth, &g), *grey = unpack(&c->image, &g);
		assert_memory_equal(voxels, slices.label, SIZE * SIZE * NZ);
		for (int i = 0; i < SIZE * SIZE * NZ; i++)
			assert_true(fabsf((float)grey[i] - 255 * slices.image[i]) < .501f);
		hy_free(voxels);
		hy_free(grey);
		hy_slices_clear(&slices);
		hy_prediction_clear(&p);
		hy_volume_clear(&image);
		hy_labels_clear(&truth);
	}
	hy_predictor_free(predictor);
	hy_model_clear(&m);
	hy_dataset_clear(&d);
	hy_shown_clear(&shown);
	hy_results_clear(&s);
}

static void page_holds_them(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char *page;
	size_t size;
	hardy_report_options_init(&o);
	assert_ok(hardy_report(tree_path(""), &o, NULL, &err), &err);
	assert_ok(hy_file_read(tree_path("report.html"), &page, &size, &err), &err);
	assert_non_null(strstr(page, "<optgroup label=\"bias\">"));
	assert_non_null(strstr(page, "src=\"data:image/png;base64,iVBOR"));
	/* the colour is that of the value, as in pages of trainings and predictions */
	assert_non_null(strstr(page, "{\"value\":1,\"rgb\":[0,158,115],\"name\":\"ring\"}"));
	assert_non_null(strstr(page, "<span style=\"background:rgb(230,159,0)\"></span>core</li>"));
	assert_non_null(strstr(page, "\"image\":\"H4sI"));
	const char *from = strstr(page, "id=\"cases\">") + strlen("id=\"cases\">");
	cJSON *json = cJSON_ParseWithOpts(from, &from, false);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "cases")), 5);
	assert_int_equal(strncmp(from, "</script>", 9), 0);
	cJSON_Delete(json);
	hy_free(page);
	o.cases = 1001;
	assert_int_equal(hardy_report(tree_path(""), &o, NULL, &err), HARDY_ERROR_ARGUMENT);
	tree_delete("report.html");
}

/* Width and height stand behind the signature, in 4 bytes each. */
static void read_png_size(const char *path, int *width, int *height)
{
	hardy_error err = {0};
	char *data;
	size_t size;
	assert_ok(hy_file_read(path, &data, &size, &err), &err);
	assert_true(size > 24 && !memcmp(data + 1, "PNG", 3));
	*width = (uint8_t)data[18] << 8 | (uint8_t)data[19];
	*height = (uint8_t)data[22] << 8 | (uint8_t)data[23];
	hy_free(data);
}

static void figures_are_made_again(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_figures_options o;
	static char folder[2][256];
	static const char *const files[] = {"fig2.png", "fig3.png", "fig7.png", "figures.json"};
	hardy_figures_options_init(&o);
	o.model = tree_path("runs/standard-0/last.safetensors");
	char *model = hy_strdup(o.model), *data = hy_strdup(tree_path("set"));
	o.model = model;
	o.data = data;
	o.labels = "ring=1,core=2";
	o.scan = "s2";
	o.seed = 7;
	for (int i = 0; i < 2; i++) {
		snprintf(folder[i], sizeof folder[i], "%s", tree_path(i ? "again" : "figures"));
		o.output = folder[i];
		assert_ok(hardy_figures(&o, NULL, &err), &err);
	}
	for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
		char *bytes[2], *path[2];
		size_t size[2];
		for (int i = 0; i < 2; i++) {
			path[i] = hy_path_join(folder[i], files[k]);
			assert_ok(hy_file_read(path[i], &bytes[i], &size[i], &err), &err);
		}
		assert_int_equal(size[0], size[1]);
		assert_memory_equal(bytes[0], bytes[1], size[0]);
		for (int i = 0; i < 2; i++) {
			hy_free(path[i]);
			hy_free(bytes[i]);
		}
	}
	/* Four columns, and four, two and three rows. */
	int width, height[3];
	for (int k = 0; k < 3; k++) {
		char name[64];
		snprintf(name, sizeof name, "figures/%s", files[k]);
		read_png_size(tree_path(name), &width, &height[k]);
		assert_in_range(width, 4 * 288, 4 * 320);
	}
	assert_true(height[0] > height[2] && height[2] > height[1]);

	/* A report finds them in its folder. */
	hardy_report_options ro;
	char *page;
	size_t size;
	hardy_report_options_init(&ro);
	ro.cases = 0;
	assert_ok(hardy_report(tree_path(""), &ro, NULL, &err), &err);
	assert_ok(hy_file_read(tree_path("report.html"), &page, &size, &err), &err);
	assert_non_null(strstr(page, "An image after every augmentation"));
	assert_non_null(strstr(page, "Slice 2 of s2, seed 7"));
	hy_free(page);
	tree_delete("report.html");
	ro.figures = "/proc/none";
	assert_int_equal(hardy_report(tree_path(""), &ro, NULL, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "/proc/none/figures.json"));
	tree_text("figures/fig3.png", "no picture");
	ro.figures = NULL;
	assert_int_equal(hardy_report(tree_path(""), &ro, NULL, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "fig3.png: no PNG"));

	/* What is wrong is named, and nothing is left. */
	o.output = folder[1];
	o.scan = "s9";
	assert_int_equal(hardy_figures(&o, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "s9"));
	o.scan = NULL;
	o.model = data;
	assert_int_equal(hardy_figures(&o, NULL, &err), HARDY_ERROR_ARGUMENT);
	o.model = model;
	o.output = "/proc/none/figures";
	assert_int_equal(hardy_figures(&o, NULL, &err), HARDY_ERROR_IO);
	tree_delete("figures/figures.json"); /* other reports go without */
	hy_free(model);
	hy_free(data);
}

static void lost_models_and_data_are_told(void **state)
{
	(void)state;
	hy_results s;
	hy_shown shown;
	write_experiment(tree_path("moved"));
	read_all(&s, &shown, 2);
	assert_int_equal(shown.n, 0);
	assert_non_null(strstr(shown.note, "moved"));
	hy_shown_clear(&shown);
	hy_results_clear(&s);
	write_experiment(tree_path("set"));
	tree_truncate("runs/somewhere/best.safetensors", 100);
	read_all(&s, &shown, 2);
	assert_int_equal(shown.n_models, 1);
	assert_int_equal(shown.n, 4);
	assert_non_null(strstr(shown.note, "best.safetensors"));
	hy_shown_clear(&shown);
	hy_results_clear(&s);
	tree_delete("runs/somewhere/best.safetensors");
	tree_delete("runs/standard-0/last.safetensors");
	read_all(&s, &shown, 2);
	assert_int_equal(shown.n, 0);
	assert_non_null(strstr(shown.note, "no model of a finished run"));
	hy_shown_clear(&shown);
	hy_results_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(worst_first_and_both_ends),
	    cmocka_unit_test(volumes_are_what_was_segmented),
	    cmocka_unit_test(page_holds_them),
	    cmocka_unit_test(figures_are_made_again),
	    cmocka_unit_test(lost_models_and_data_are_told), /* the last: it deletes */
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
