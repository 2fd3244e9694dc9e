/*
 * figures.c: hardy_figures: what makes examples hard, as pictures. Segmentations corrupted by latent masks at several thresholds, hard and
 * soft (Fig. 2 of Chen et al., MICCAI 2021), by scheme with their entropy (Fig. 3), and an image after every augmentation (Fig. 7).
 *
 * The slices of one scan are the batch: scores and decoding use its batch statistics, as training does.
 */
#include "artefact/artefact.h"
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "draw/png.h"
#include "predict/jobs.h"
#include "predict/legend.h"
#include "predict/model.h"
#include "training/recipe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PANEL = 288, GAP = 6, TEXT = 2, BAR = HY_GLYPH_HEIGHT * TEXT + 2 * GAP, MIN_CROP = 24, MAX_SLICES = 24 };

#define AT(member) offsetof(hardy_figures_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENT(hardy_figures_options, model, "MODEL", "The model."),
    HY_OPTION_ARGUMENT(hardy_figures_options, data, "DATA", "A labelled data set of one channel."),
    HY_OPTION_OUTPUT(hardy_figures_options, "DIR", "Folder for the pictures."),
    {"scan", HARDY_OPTION_TEXT, AT(scan), "SUBJECT_PHASE", "The scan to show; the first labelled one without it.",
     .word = "case"},
    HY_OPTION_SEED(hardy_figures_options, "Seed of masks and draws."),
    HY_OPTION_LABELS(hardy_figures_options),
    HY_OPTION_OVERWRITE(hardy_figures_options, "Replace also files of these names that hardy figures did not write."),
};

const hardy_options hy_figures_table = {"figures", HY_TABLE_ROWS(option_rows), sizeof(hardy_figures_options), NULL};

void hardy_figures_options_init(hardy_figures_options *o)
{
	hardy_options_default(&hy_figures_table, o);
}

typedef struct maker {
	const hardy_figures_options *o;
	const hardy_log *log;
	hy_model model;
	hy_dataset set;
	hy_volume image;
	hy_labels truth;
	hy_slices slices; /* of the scan, on the network's grid; at most MAX_SLICES about the shown one */
	int64_t z;        /* the slice that is shown */
	int64_t x, y, side;
	char case_name[2 * HY_NAME_SIZE];
	cJSON *index;
} maker;

/* ---- sheets ------------------------------------------------------------------------------------------------------------- */

/* Panels in rows, a caption above each. */
typedef struct sheet {
	hy_canvas *canvas;
	int columns, at;
} sheet;

static hardy_status sheet_new(sheet *s, int columns, int rows, hardy_error *err)
{
	*s = (sheet){.columns = columns};
	return hy_canvas_new(&s->canvas, GAP + columns * (PANEL + GAP), GAP + rows * (BAR + PANEL + GAP), err);
}

/* Where the next panel lies; its caption is drawn. */
static void next_panel(sheet *s, const char *caption, int *left, int *top)
{
	*left = GAP + s->at % s->columns * (PANEL + GAP);
	*top = GAP + s->at / s->columns * (BAR + PANEL + GAP) + BAR;
	hy_canvas_text(s->canvas, *left, *top - BAR + GAP, TEXT, caption);
	s->at++;
}

static int scale_of(const maker *m)
{
	return (int)(PANEL / m->side);
}

/* The value whose colour a class has, as in all other pictures. */
static uint8_t shown(const maker *m, uint8_t class)
{
	return class ? (uint8_t)hy_class_shown(m->model.classes, class) : 0;
}

/* The shown part of a slice: values in [0, 1] as grey. map (the same slice's labels): their borders upon it; NULL. */
static void put_image(const maker *m, sheet *s, const char *caption, const float *slice, const uint8_t *map)
{
	int left, top;
	const int side = (int)m->side, scale = scale_of(m);
	next_panel(s, caption, &left, &top);
	for (int j = 0; j < side; j++)
		for (int i = 0; i < side; i++) {
			const float v = slice[(m->y + j) * m->slices.width + m->x + i];
			const uint8_t grey = (uint8_t)lrintf(255 * (isfinite(v) ? fminf(fmaxf(v, 0), 1) : 0));
			hy_canvas_fill(s->canvas, left + i * scale, top + j * scale, scale, scale, (uint8_t[3]){grey, grey, grey});
		}
	if (!map)
		return;
	uint8_t part[PANEL * PANEL];
	for (int j = 0; j < side; j++)
		for (int i = 0; i < side; i++)
			part[j * side + i] = shown(m, map[(m->y + j) * m->slices.width + m->x + i]);
	hy_canvas_contours(s->canvas, left, top, scale, part, side, side);
}

/* Labels as areas. */
static void put_labels(const maker *m, sheet *s, const char *caption, const uint8_t *map)
{
	int left, top;
	const int side = (int)m->side, scale = scale_of(m);
	next_panel(s, caption, &left, &top);
	for (int j = 0; j < side; j++)
		for (int i = 0; i < side; i++) {
			uint8_t rgb[3] = {24, 24, 24};
			const uint8_t label = map[(m->y + j) * m->slices.width + m->x + i];
			if (label)
				hy_label_colour(shown(m, label), rgb);
			hy_canvas_fill(s->canvas, left + i * scale, top + j * scale, scale, scale, rgb);
		}
}

static hardy_status save(maker *m, const sheet *s, const char *file, const char *title, const char *caption, hardy_error *err)
{
	char *path = hy_path_join(m->o->output, file);
	cJSON *item = cJSON_CreateObject();
	hardy_status status = path ? hy_png_write(s->canvas, path, m->o->overwrite ? HY_REPLACE_ANY : HY_PNG_MARK, err)
	                           : hy_fail_memory(err, file, 1, 1);
	const bool good = !status && hy_json_add(item, "file", cJSON_CreateString(file)) &&
	                  hy_json_add(item, "title", cJSON_CreateString(title)) &&
	                  hy_json_add(item, "caption", cJSON_CreateString(caption)) &&
	                  hy_json_add(item, "width", cJSON_CreateNumber(s->canvas->width)) &&
	                  hy_json_add(item, "height", cJSON_CreateNumber(s->canvas->height));
	if (!hy_json_append(cJSON_GetObjectItem(m->index, "figures"), hy_json_keep(good, item)) && !status)
		status = hy_fail_memory(err, file, 1, 1);
	hy_free(path);
	return status;
}

/* ---- the scan ----------------------------------------------------------------------------------------------------------- */

static void left_out(void *payload, const char *subject, const char *phase, const char *text)
{
	const maker *m = payload;
	hy_warn(m->log, "left out: %s %s: %s", subject, phase, text);
}

static hardy_status find_case(maker *m, size_t *at, hardy_error *err)
{
	for (*at = 0; *at < m->set.n_cases; ++*at) {
		const hy_case *c = &m->set.cases[*at];
		snprintf(m->case_name, sizeof m->case_name, *c->phase ? "%s_%s" : "%s", c->subject, c->phase);
		if (c->label_path && (!m->o->scan || !strcmp(m->o->scan, m->case_name)))
			return HARDY_OK;
	}
	return hy_fail(err, HARDY_ERROR_DATA, "%s: has no labelled case%s%s; want SUBJECT_PHASE", m->set.root,
	               m->o->scan ? " " : "", m->o->scan ? m->o->scan : "");
}

/* The slice with the largest labelled area, and a square around its labels. */
static void choose_part(maker *m)
{
	const hy_slices *s = &m->slices;
	const int64_t plane = s->height * s->width, least = s->height < s->width ? s->height : s->width;
	int64_t most = -1, x0 = s->width, x1 = -1, y0 = s->height, y1 = -1;
	for (int64_t z = 0; z < s->n; z++) {
		int64_t n = 0;
		for (int64_t i = 0; i < plane; i++)
			n += s->label[z * plane + i] != 0;
		if (n > most) {
			most = n;
			m->z = z;
		}
	}
	for (int64_t i = 0; i < plane; i++)
		if (s->label[m->z * plane + i]) {
			const int64_t x = i % s->width, y = i / s->width;
			x0 = x < x0 ? x : x0;
			x1 = x > x1 ? x : x1;
			y0 = y < y0 ? y : y0;
			y1 = y > y1 ? y : y1;
		}
	m->side = x1 < 0 ? least : 2 * (x1 - x0 > y1 - y0 ? x1 - x0 : y1 - y0) + 1;
	m->side = m->side < MIN_CROP ? MIN_CROP : m->side;
	m->side = m->side > least ? least : m->side > PANEL ? PANEL : m->side;
	m->x = x1 < 0 ? 0 : (x0 + x1 + 1 - m->side) / 2;
	m->y = x1 < 0 ? 0 : (y0 + y1 + 1 - m->side) / 2;
	m->x = m->x < 0 ? 0 : m->x > s->width - m->side ? s->width - m->side : m->x;
	m->y = m->y < 0 ? 0 : m->y > s->height - m->side ? s->height - m->side : m->y;
}

/* Labels become the model's classes; a long stack is cut to the slices about the shown one. */
static void fit_slices(maker *m)
{
	uint8_t map[256] = {0};
	hy_slices *s = &m->slices;
	const int64_t plane = s->height * s->width;
	for (int c = 1; c < m->set.n_classes; c++)
		for (int k = 1; k < m->model.n_classes; k++)
			if (!strcmp(m->set.classes[c].name, m->model.classes[k].name))
				map[c] = (uint8_t)k;
	for (int64_t i = 0; i < s->n * plane; i++)
		s->label[i] = map[s->label[i]];
	choose_part(m);
	if (s->n <= MAX_SLICES)
		return;
	int64_t from = m->z - MAX_SLICES / 2;
	from = from < 0 ? 0 : from > s->n - MAX_SLICES ? s->n - MAX_SLICES : from;
	memmove(s->image, s->image + from * s->channels * plane, (size_t)(MAX_SLICES * s->channels * plane) * sizeof *s->image);
	memmove(s->label, s->label + from * plane, (size_t)(MAX_SLICES * plane));
	s->n = MAX_SLICES;
	m->z -= from;
}

static hardy_status load(maker *m, hardy_error *err)
{
	char *path = NULL;
	size_t at = 0;
	hardy_status status = hy_model_argument(m->o->model, &path, err);
	if (!status && !path)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT,
		                 "%s: no model; want a .safetensors file, a run folder, or one with model.safetensors", m->o->model);
	if (!status)
		status = hy_model_load(&m->model, path, NULL, err);
	hy_free(path);
	if (!status && m->model.n_channels != 1)
		status =
		    hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: has %d channels; figures are for one", m->o->model, m->model.n_channels);
	const hy_dataset_options o = {.labels = m->o->labels};
	if (!status)
		status = hy_dataset_open_usable(&m->set, m->o->data, &o, left_out, m, m->log, err);
	if (!status)
		status = find_case(m, &at, err);
	if (!status)
		status = hy_case_load(&m->set, at, &o, &m->image, &m->truth, m->log, err);
	if (!status)
		status = hy_preprocess_test(&m->model.plan, &m->image, &m->truth, &m->slices, err);
	if (!status && m->slices.n < 2)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: has one slice, want 2 or more (batch norm needs several)", m->case_name);
	if (!status)
		fit_slices(m);
	return status;
}

/* ---- latent masks ------------------------------------------------------------------------------------------------------- */

static const double THRESHOLDS[] = {0.1, 0.3, 0.5};
enum { N_THRESHOLDS = sizeof THRESHOLDS / sizeof THRESHOLDS[0] };

/* A step that is never finished: its scores and hard examples are what is wanted. */
typedef struct bench {
	hy_step *step;
	hy_step_masks masks;
	float *factors, *work; /* owned, as the masks */
	int64_t n, positions, most;
	uint8_t *map; /* owned: arg max of the shown slice's p^ */
	float *entropy;
} bench;

static void bench_clear(bench *b)
{
	hy_step_free(b->step);
	hy_free(b->masks.i.data);
	hy_free(b->masks.s.data);
	hy_free(b->factors);
	hy_free(b->work);
	hy_free(b->map);
	hy_free(b->entropy);
}

static hardy_status run_step(const maker *m, bench *b, hardy_error *err)
{
	double terms[HY_N_TERMS];
	return hy_step_gradients(b->step, m->slices.image, m->slices.image, m->slices.label, &b->masks, 0, terms, err);
}

static hardy_status bench_init(maker *m, bench *b, hardy_error *err)
{
	const hy_slices *s = &m->slices;
	hy_step_options o;
	hy_step_options_init(&o);
	o.batch = b->n = s->n;
	o.height = s->height;
	o.width = s->width;
	o.seed = (uint64_t)m->o->seed;
	o.cooperative = true;
	b->positions = (s->height / HY_CODE_STRIDE) * (s->width / HY_CODE_STRIDE);
	b->most = b->positions > HY_CODE_CHANNELS ? b->positions : HY_CODE_CHANNELS;
	const size_t room = (size_t)(s->n * b->most), plane = (size_t)(s->height * s->width);
	b->masks.i.data = hy_alloc(room, sizeof(float));
	b->masks.s.data = hy_alloc(room, sizeof(float));
	b->factors = hy_alloc(room, sizeof(float));
	b->work = hy_alloc((size_t)b->most, sizeof(float));
	b->map = hy_alloc(plane, 1);
	b->entropy = hy_alloc(plane, sizeof(float));
	if (!b->masks.i.data || !b->masks.s.data || !b->factors || !b->work || !b->map || !b->entropy)
		return hy_fail_memory(err, "masks", room, sizeof(float));
	for (size_t i = 0; i < room; i++)
		b->masks.i.data[i] = b->masks.s.data[i] = 1;
	b->step = hy_step_new(&m->model.network, &o, err);
	return b->step ? run_step(m, b, err) : err && err->status ? err->status : HARDY_ERROR_MEMORY;
}

/* A mask of a code, as training draws it, but with this threshold. */
static void make_mask(const maker *m, bench *b, hy_scheme scheme, bool hard, double p, bool of_z_s, hy_mask *mask)
{
	hy_rng g = hy_rng_make((uint64_t)m->o->seed, HY_RNG_MASK, (uint64_t)scheme, of_z_s);
	hy_mask_options o;
	hy_mask_options_init(&o);
	o.hard = hard;
	o.p_low = o.p_high = p;
	hy_mask_draw(&o, scheme, &g, hy_step_score(b->step, of_z_s, false), hy_step_score(b->step, of_z_s, true), b->n,
	             HY_CODE_CHANNELS, b->positions, b->work, mask);
}

/* Decodes both codes under masks of this kind; the shown slice's arg max and entropy go to b. */
static hardy_status corrupt(const maker *m, bench *b, hy_scheme scheme, bool hard, double p, hardy_error *err)
{
	make_mask(m, b, scheme, hard, p, false, &b->masks.i);
	make_mask(m, b, scheme, hard, p, true, &b->masks.s);
	const hardy_status status = run_step(m, b, err);
	if (status)
		return status;
	const int n_classes = m->model.n_classes;
	const int64_t plane = m->slices.height * m->slices.width;
	const float *logits = hy_step_p_hat(b->step) + m->z * n_classes * plane;
	for (int64_t i = 0; i < plane; i++) {
		int best = 0;
		double sum = 0, entropy = 0, e[HY_MAX_CLASSES];
		for (int c = 1; c < n_classes; c++)
			if (logits[c * plane + i] > logits[best * plane + i])
				best = c;
		for (int c = 0; c < n_classes; c++)
			sum += e[c] = exp((double)logits[c * plane + i] - (double)logits[best * plane + i]);
		for (int c = 0; c < n_classes; c++)
			entropy -= e[c] > 0 ? e[c] / sum * log(e[c] / sum) : 0;
		b->map[i] = (uint8_t)best;
		b->entropy[i] = (float)(entropy / log(n_classes));
	}
	return HARDY_OK;
}

/* Rows: channel and spatial masks, hard and soft; columns: the threshold p. */
static hardy_status draw_thresholds(maker *m, bench *b, hardy_error *err)
{
	sheet s;
	char caption[64];
	hardy_status status = sheet_new(&s, 1 + N_THRESHOLDS, 4, err);
	for (int row = 0; row < 4 && !status; row++) {
		const hy_scheme scheme = row < 2 ? HY_SCHEME_CHANNEL : HY_SCHEME_SPATIAL;
		const bool hard = row % 2 == 0;
		const char *name = row < 2 ? "channel" : "spatial";
		put_labels(m, &s, "truth", m->slices.label + m->z * m->slices.height * m->slices.width);
		for (int k = 0; k < N_THRESHOLDS && !status; k++) {
			status = corrupt(m, b, scheme, hard, THRESHOLDS[k], err);
			snprintf(caption, sizeof caption, "%s %s p = %.1f", name, hard ? "hard" : "soft", THRESHOLDS[k]);
			if (!status)
				put_labels(m, &s, caption, b->map);
		}
	}
	if (!status)
		status = save(m, &s, "fig2.png", "Corrupted segmentations by threshold",
		              "What the segmentation decoder makes of a masked latent code. Rows: the code's most sensitive channels "
		              "or positions are "
		              "masked, by zero (hard) or by a random factor below one half (soft). Columns: the share p of them.",
		              err);
	hy_canvas_free(s.canvas);
	return status;
}

/* The three schemes at p = 0.5, soft: segmentation and entropy. */
static hardy_status draw_schemes(maker *m, bench *b, hardy_error *err)
{
	static const char *const names[] = {"dropout", "channel", "spatial"};
	static const hy_scheme schemes[] = {HY_SCHEME_DROPOUT, HY_SCHEME_CHANNEL, HY_SCHEME_SPATIAL};
	sheet s;
	char caption[64];
	const int64_t plane = m->slices.height * m->slices.width;
	hardy_status status = sheet_new(&s, 4, 2, err);
	if (!status)
		put_image(m, &s, "image and truth", m->slices.image + m->z * plane, m->slices.label + m->z * plane);
	float *entropy = hy_alloc(3 * (size_t)plane, sizeof *entropy);
	if (!status && !entropy)
		status = hy_fail_memory(err, "entropy", 3 * (size_t)plane, sizeof *entropy);
	for (int k = 0; k < 3 && !status; k++) {
		status = corrupt(m, b, schemes[k], false, 0.5, err);
		if (status)
			break;
		put_labels(m, &s, names[k], b->map);
		memcpy(entropy + k * plane, b->entropy, (size_t)plane * sizeof *entropy);
	}
	if (!status)
		put_labels(m, &s, "truth", m->slices.label + m->z * plane);
	for (int k = 0; k < 3 && !status; k++) {
		snprintf(caption, sizeof caption, "%s, entropy", names[k]);
		put_image(m, &s, caption, entropy + k * plane, NULL);
	}
	if (!status)
		status = save(
		    m, &s, "fig3.png", "Corrupted segmentations by scheme, and their entropy",
		    "Above: what is decoded after dropout of channels, after masking the most sensitive channels, and after masking "
		    "the "
		    "most sensitive positions (soft, p = 0.5). Below: the entropy of the class probabilities; white is the highest.",
		    err);
	hy_free(entropy);
	hy_canvas_free(s.canvas);
	return status;
}

/* ---- augmentations ------------------------------------------------------------------------------------------------------ */

static hardy_status put_latent(maker *m, bench *b, sheet *s, hardy_error *err)
{
	static const char *const names[] = {"latent: dropout", "latent: channel", "latent: spatial"};
	static const hy_scheme schemes[] = {HY_SCHEME_DROPOUT, HY_SCHEME_CHANNEL, HY_SCHEME_SPATIAL};
	hardy_status status = HARDY_OK;
	for (int k = 0; k < 3 && !status; k++) {
		status = corrupt(m, b, schemes[k], false, 0.5, err);
		if (!status)
			put_image(m, s, names[k], hy_step_x_hat(b->step) + m->z * m->slices.height * m->slices.width, NULL);
	}
	return status;
}

/* One step of all rivals; each leaves its example. */
static hardy_status put_rivals(maker *m, sheet *s, hardy_error *err)
{
	static const char *const names[] = {"mwm", "randconv", "adv-noise", "adv-bias"};
	hardy_train_options t;
	hy_recipe recipe;
	hy_step_options o;
	double terms[HY_N_TERMS];
	hardy_status status = hardy_train_options_init(&t, NULL, "standard", err);
	if (!status)
		status = hy_recipe_read("mwm+randconv+adv-noise+adv-bias", &recipe, err);
	if (status)
		return status;
	t.batch = m->slices.n;
	t.size = m->slices.width;
	t.seed = m->o->seed;
	hy_recipe_options(&o, &recipe, &t);
	o.batch = m->slices.n;
	o.height = m->slices.height;
	o.width = m->slices.width;
	hy_step *step = hy_step_new(&m->model.network, &o, err);
	if (!step)
		return err && err->status ? err->status : HARDY_ERROR_MEMORY;
	status = hy_step_gradients(step, m->slices.image, m->slices.image, m->slices.label, NULL, 0, terms, err);
	for (int k = 0; k < 4 && !status; k++)
		put_image(m, s, names[k], hy_step_perturbation(step, k)->example + m->z * o.height * o.width, NULL);
	hy_step_free(step);
	return status;
}

static hardy_status put_artefacts(maker *m, sheet *s, hardy_error *err)
{
	const hy_slices *x = &m->slices;
	const size_t n = (size_t)(x->n * x->height * x->width);
	float *stack = hy_alloc(n, sizeof *stack);
	hardy_status status = stack ? HARDY_OK : hy_fail_memory(err, "a scan", n, sizeof *stack);
	for (int kind = 0; kind < HY_N_ACDCC && !status; kind++) {
		const int64_t size[3] = {x->n, x->height, x->width};
		hy_rng g = hy_artefact_stream((uint64_t)m->o->seed, (hy_artefact_kind)kind, m->case_name, 0, 0);
		const hy_artefact a = hy_artefact_draw((hy_artefact_kind)kind, 0, size, false, &g);
		memcpy(stack, x->image, n * sizeof *stack);
		status = hy_acdcc_apply(&a, stack, x->n, x->height, x->width, 0, err);
		if (!status)
			put_image(m, s, hy_artefact_name((hy_artefact_kind)kind), stack + m->z * x->height * x->width, NULL);
	}
	hy_free(stack);
	return status;
}

static hardy_status draw_augmentations(maker *m, bench *b, hardy_error *err)
{
	sheet s;
	hardy_status status = sheet_new(&s, 4, 3, err);
	if (!status) {
		put_image(m, &s, "image", m->slices.image + m->z * m->slices.height * m->slices.width, NULL);
		status = put_latent(m, b, &s, err);
	}
	if (!status)
		status = put_rivals(m, &s, err);
	if (!status)
		status = put_artefacts(m, &s, err);
	if (!status)
		status = save(
		    m, &s, "fig7.png", "An image after every augmentation",
		    "First row: the image, and what the image decoder makes of its latent code after masking. Second row: multi-window "
		    "masking, a random convolution, adversarial noise, an adversarial bias field. Third row: the artefacts of the test "
		    "sets: bias field, ghosting, motion, spike.",
		    err);
	hy_canvas_free(s.canvas);
	return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static hardy_status write_index(const maker *m, hardy_error *err)
{
	hy_outfile f = {0};
	char *path = hy_path_join(m->o->output, "figures.json"), *text = hy_json_print(m->index, true);
	hardy_status status = path && text ? hy_outfile_open(&f, path, m->o->overwrite ? HY_REPLACE_ANY : HY_MARK_JSON, err)
	                                   : hy_fail_memory(err, "figures.json", 1, 1);
	if (!status) {
		hy_outfile_printf(&f, "%s\n", text);
		status = hy_outfile_commit(&f, err);
	}
	cJSON_free(text);
	hy_free(path);
	return status;
}

static hardy_status check_options(const hardy_figures_options *o, hardy_error *err)
{
	if (!o->model || !o->data)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "want a model and a data set");
	if (!o->output || !o->output[0])
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no output is named");
	return hardy_options_check(&hy_figures_table, o, err);
}

/* Known before the work. */
static hardy_status check_output(const hardy_figures_options *o, hardy_error *err)
{
	static const char *const names[] = {"fig2.png", "fig3.png", "fig7.png", "figures.json"};
	hardy_status status = HARDY_OK;
	for (int i = 0; i < 4 && !status; i++) {
		char *path = hy_path_join(o->output, names[i]);
		status = path ? hy_outfile_check(path,
		                                 o->overwrite ? HY_REPLACE_ANY
		                                 : i < 3      ? HY_PNG_MARK
		                                              : HY_MARK_JSON,
		                                 err)
		              : hy_fail_memory(err, names[i], 1, 1);
		hy_free(path);
	}
	return status;
}

hardy_status hardy_figures(const hardy_figures_options *o, const hardy_log *log, hardy_error *err)
{
	hardy_error own = {0};
	maker m = {.o = o, .log = log};
	bench b = {0};
	err = err ? err : &own;
	hardy_status status = check_options(o, err);
	if (!status)
		status = check_output(o, err);
	if (!status)
		status = load(&m, err);
	if (!status) {
		m.index = cJSON_CreateObject();
		if (!hy_json_add(m.index, "model", cJSON_CreateString(o->model)) ||
		    !hy_json_add(m.index, "data", cJSON_CreateString(o->data)) ||
		    !hy_json_add(m.index, "case", cJSON_CreateString(m.case_name)) ||
		    !hy_json_add(m.index, "slice", cJSON_CreateNumber((double)m.z + 1)) ||
		    !hy_json_add(m.index, "seed", hy_json_real((double)o->seed)) ||
		    !hy_json_add(m.index, "hardy_version", cJSON_CreateString(hardy_version())) ||
		    !hy_json_add(m.index, "figures", cJSON_CreateArray()))
			status = hy_fail_memory(err, "figures.json", 1, 1);
	}
	if (!status)
		status = bench_init(&m, &b, err);
	if (!status)
		status = hy_make_output_folder(o->output, err);
	if (!status)
		status = draw_thresholds(&m, &b, err);
	if (!status)
		status = draw_schemes(&m, &b, err);
	if (!status)
		status = draw_augmentations(&m, &b, err);
	if (!status)
		status = write_index(&m, err);
	bench_clear(&b);
	cJSON_Delete(m.index);
	hy_slices_clear(&m.slices);
	hy_volume_clear(&m.image);
	hy_labels_clear(&m.truth);
	hy_dataset_clear(&m.set);
	hy_model_clear(&m.model);
	return status;
}
