/*
 * perturb_image.c: images changed at random: multi-window masking (hard-example training on the painted image) and RandConv (several
 * views whose predictions are to agree).
 */
#include "training/perturbation.h"

#include "base/memory.h"
#include "perturb/consistency.h"
#include "perturb/randconv.h"
#include "perturb/rescale.h"
#include "perturb/windows.h"

#include <string.h>

static int64_t channels_of(const hy_perturbation *p)
{
	return p->passes->network->config.channels;
}

static int64_t pixels_of(const hy_perturbation *p)
{
	return p->passes->height * p->passes->width;
}

/* Memory for a batch of images, as an input of the tape. */
static float *image_input(const hy_perturbation *p, int *value, hardy_error *err)
{
	hy_passes *s = p->passes;
	const size_t count = (size_t)(s->batch * channels_of(p) * pixels_of(p));
	float *data = hy_alloc_aligned(count, sizeof *data);
	*value = hy_tape_input(&s->tape, s->batch, channels_of(p), s->height, s->width);
	if (!data)
		hy_fail_memory(err, "changed images", count, sizeof *data);
	else if (*value >= 0)
		s->tape.values[*value].data = data;
	return data;
}

/* ---- multi-window masking ----------------------------------------------------------------------------------------------- */

static const hy_parameter mwm_parameters[] = {
    {"windows", 5, 1, HY_MAX_WINDOWS, true, NULL}, /* at most */
    {"go_on", 0.95, 0, 1, false, NULL},            /* probability of one more */
    {"inside", 0.5, 0, 1, false, NULL},            /* probability that a batch is painted inside of the windows, not outside */
    {NULL, 0, 0, 0, false, NULL},
};

typedef struct mwm {
	float *image, *noise; /* owned; noise of one sample after the other */
	int64_t noise_room;
	int segment;
} mwm;

static void clear_mwm(hy_perturbation *p)
{
	mwm *m = p->own;
	if (!m)
		return;
	hy_free_aligned(m->image);
	hy_free(m->noise);
	hy_free(m);
}

static hardy_status record_mwm(hy_perturbation *p, hardy_error *err)
{
	hy_passes *s = p->passes;
	mwm *m = p->own = hy_calloc(1, sizeof *m);
	int x;
	if (!m)
		return hy_fail_memory(err, "window masking", 1, sizeof *m);
	if (!(m->image = image_input(p, &x, err)))
		return HARDY_ERROR_MEMORY;
	const int64_t most = (int64_t)hy_perturbation_value(p, "windows");
	m->noise_room = most * channels_of(p) * (s->height / 3) * (s->width / 3);
	if (!(m->noise = hy_alloc((size_t)s->batch, (size_t)m->noise_room * sizeof(float))))
		return hy_fail_memory(err, "window masking", (size_t)s->batch, (size_t)m->noise_room * sizeof(float));
	p->seg[0] = hy_pass_classes_loss(s, "mwm seg", p->o.weight);
	p->rec = hy_pass_image_loss(s, "mwm rec", p->o.weight);
	p->shape[0] = hy_pass_classes_loss(s, "mwm shape", p->o.weight);
	hy_pass_norm(s, HY_NORM_BATCH, true);
	m->segment = hy_tape_segment(&s->tape);
	hy_pass_example(s, x, &p->seg[0], &p->rec, &p->shape[0]);
	return HARDY_OK;
}

static void fill(hy_rng *g, float *out, int64_t count)
{
	for (int64_t k = 0; k < count; k++)
		out[k] = (float)hy_rng_uniform(g);
}

static hardy_status run_mwm(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	const hy_passes *s = p->passes;
	const mwm *m = p->own;
	const int64_t c = channels_of(p), hw = pixels_of(p);
	const int most = (int)hy_perturbation_value(p, "windows");
	const double go_on = hy_perturbation_value(p, "go_on");
	hy_rng whole = hy_perturbation_rng(p, iteration, 0);
	const bool inside = hy_rng_uniform(&whole) < hy_perturbation_value(p, "inside");
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < s->batch; i++) {
		hy_rng g = hy_perturbation_rng(p, iteration, 1 + (uint64_t)hy_pass_sample(s, i));
		hy_window list[HY_MAX_WINDOWS];
		float *image = m->image + i * c * hw, *noise = m->noise + i * m->noise_room;
		const int n = hy_windows_draw(&g, most, go_on, s->height, s->width, list);
		if (inside) {
			memcpy(image, s->image + i * c * hw, (size_t)(c * hw) * sizeof *image);
			fill(&g, noise, hy_windows_noise(list, n, c));
			hy_windows_in(list, n, noise, c, s->height, s->width, image);
		} else {
			fill(&g, image, c * hw);
			hy_windows_out(list, n, s->image + i * c * hw, c, s->height, s->width, image);
		}
	}
	hy_rescale_unit(m->image, s->batch * c, hw, m->image);
	p->example = m->image;
	return hy_tape_run(&p->passes->tape, m->segment, err);
}

const hy_perturbation_kind hy_perturb_mwm = {
    .name = "mwm",
    .summary = "random multi-window masking",
    .stream = 2,
    .parameters = mwm_parameters,
    .record = record_mwm,
    .run = run_mwm,
    .clear = clear_mwm,
};

/* ---- RandConv ----------------------------------------------------------------------------------------------------------- */

static const hy_parameter randconv_parameters[] = {
    {"views", 3, 1, HY_MAX_VIEWS, true, NULL},
    {"lambda", 10, 0, 1000, false, NULL},                /* weight of the views' consistency */
    {"labelled", 0, 0, HY_MAX_VIEWS, true, NULL},        /* views with cross-entropy; 1 in Xu et al., ICLR 2021 */
    {"largest", 7, 1, HY_RANDCONV_MAX_SIZE, true, NULL}, /* side of a kernel, odd */
    {"mix", 1, 0, 1, true, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

typedef struct randconv {
	int n, segment;
	float *image[HY_MAX_VIEWS]; /* owned */
	hy_loss rec[HY_MAX_VIEWS], seg[HY_MAX_VIEWS], shape[HY_MAX_VIEWS];
	hy_views views;
} randconv;

static hardy_status check_randconv(const double *values, int64_t height, int64_t width, hardy_error *err)
{
	(void)height, (void)width;
	if (values[2] > values[0])
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "randconv: labelled is %g, want at most its %g views", values[2], values[0]);
	if (values[0] < 2 && values[2] < 1)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "randconv: one view has no other to agree with: want views of 2 or more, or labelled of 1");
	if ((int)values[3] % 2 == 0)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "randconv: largest is %g, want an odd number", values[3]);
	return HARDY_OK;
}

static void clear_randconv(hy_perturbation *p)
{
	randconv *r = p->own;
	for (int v = 0; r && v < HY_MAX_VIEWS; v++)
		hy_free_aligned(r->image[v]);
	hy_free(r);
}

/* All views stay alive until their predictions have been compared; batch norm trains, as in the standard pass. */
static void record_views(hy_perturbation *p, const int *x, int n_labelled)
{
	hy_passes *s = p->passes;
	hy_tape *t = &s->tape;
	randconv *r = p->own;
	int begin[HY_MAX_VIEWS], end[HY_MAX_VIEWS], logits[HY_MAX_VIEWS];
	hy_pass_norm(s, HY_NORM_TRACK, false);
	r->segment = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	for (int v = 0; v < r->n; v++) {
		begin[v] = hy_tape_mark(t);
		const hy_forward f = hy_network_forward(t, s->network, x[v]);
		logits[v] = f.p;
		end[v] = hy_tape_mark(t);
		hy_pass_reconstruction(s, f.z_i, &r->rec[v]);
		if (v >= n_labelled)
			continue;
		hy_op_cross_entropy(t, logits[v], &r->seg[v]);
		hy_pass_stn_on_prediction(s, logits[v], !s->separate, &r->shape[v]);
	}
	hy_op_views(t, logits, r->n, &r->views);
	for (int v = r->n - 1; v >= 0; v--)
		hy_tape_back(t, begin[v], end[v], HY_PASS_TRAIN);
}

static hardy_status record_randconv(hy_perturbation *p, hardy_error *err)
{
	hy_passes *s = p->passes;
	randconv *r = p->own = hy_calloc(1, sizeof *r);
	int x[HY_MAX_VIEWS];
	if (!r)
		return hy_fail_memory(err, "RandConv", 1, sizeof *r);
	const int n_labelled = (int)hy_perturbation_value(p, "labelled");
	r->n = (int)hy_perturbation_value(p, "views");
	for (int v = 0; v < r->n; v++) {
		if (!(r->image[v] = image_input(p, &x[v], err)))
			return HARDY_ERROR_MEMORY;
		r->rec[v] = hy_pass_image_loss(s, "randconv rec", p->o.weight / r->n);
		r->seg[v] = hy_pass_classes_loss(s, "randconv seg", p->o.weight / (n_labelled ? n_labelled : 1));
		r->shape[v] = hy_pass_classes_loss(s, "randconv shape", p->o.weight / (n_labelled ? n_labelled : 1));
	}
	p->rec.name = "randconv rec";
	p->seg[0].name = p->shape[0].name = n_labelled ? "randconv seg" : NULL;
	p->has_consistency = true;
	r->views = (hy_views){.name = "randconv consistency",
	                      .weight = hy_pass_share(s, p->o.weight * hy_perturbation_value(p, "lambda"))};
	record_views(p, x, n_labelled);
	return HARDY_OK;
}

static hardy_status run_randconv(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	hy_passes *s = p->passes;
	randconv *r = p->own;
	const int64_t c = channels_of(p);
	for (int v = 0; v < r->n; v++) {
		hy_rng g = hy_perturbation_rng(p, iteration, (uint64_t)v);
		hy_randconv one;
		hy_randconv_draw(&g, c, (int)hy_perturbation_value(p, "largest"), hy_perturbation_value(p, "mix") != 0, &one);
		hy_randconv_apply(&one, s->noisy, s->batch, c, s->height, s->width, r->image[v]);
		hy_rescale_unit(r->image[v], s->batch * c, pixels_of(p), r->image[v]);
		r->seg[v].label = r->shape[v].label = s->label;
	}
	p->example = r->image[0];
	const hardy_status status = hy_tape_run(&s->tape, r->segment, err);
	for (int v = 0; v < r->n; v++) {
		p->rec.value += r->rec[v].value;
		p->seg[0].value += r->seg[v].value + r->seg[v].dice;
		p->shape[0].value += r->shape[v].value + r->shape[v].dice;
	}
	p->consistency = r->views.value;
	return status;
}

const hy_perturbation_kind hy_perturb_randconv = {
    .name = "randconv",
    .summary = "several views of the image through random convolutions, whose predictions are to agree",
    .stream = 3,
    .parameters = randconv_parameters,
    .check = check_randconv,
    .record = record_randconv,
    .run = run_randconv,
    .clear = clear_randconv,
};
