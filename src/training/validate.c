/*
 * validate.c: slices of all cases go through the network in batches; overlap is counted per case, class and network.
 */
#include "training/validate.h"

#include "base/memory.h"
#include "metric/overlap.h"
#include "network/infer.h"
#include "predict/components.h"
#include "predict/variants.h"

#include <math.h>
#include <string.h>

enum { BATCH = 8 };

struct hy_validator {
	hy_network *network;
	const hy_stack *stack;
	int64_t size;
	const hy_ranks *ranks; /* that share the slices */
	hy_infer *infer;
	float *logits[2];  /* owned: BATCH x classes x size x size */
	uint8_t *label[2]; /* owned: of all slices */
};

hy_validator *hy_validator_new(hy_network *network, const hy_stack *stack, int64_t size, hardy_error *err)
{
	const hy_infer_options o = {.batch = BATCH, .height = size, .width = size, .stn = true, .norm = HY_NORM_RUNNING};
	const size_t pixels = (size_t)(size * size), n_logits = BATCH * (size_t)network->config.classes * pixels;
	hy_validator *v = hy_calloc(1, sizeof *v);
	if (!v) {
		hy_fail_memory(err, "validation", 1, sizeof *v);
		return NULL;
	}
	static const hy_ranks alone = {.rank = 0, .size = 1};
	*v = (hy_validator){.network = network, .stack = stack, .size = size, .ranks = &alone};
	for (int k = 0; k < 2; k++) {
		v->logits[k] = hy_alloc_aligned(n_logits, sizeof **v->logits);
		v->label[k] = hy_alloc((size_t)stack->n, pixels);
		if (!v->logits[k] || !v->label[k]) {
			hy_fail_memory(err, "validation", n_logits, sizeof **v->logits);
			hy_validator_free(v);
			return NULL;
		}
	}
	v->infer = hy_infer_new(network, &o, err);
	if (!v->infer) {
		hy_validator_free(v);
		return NULL;
	}
	return v;
}

void hy_validator_free(hy_validator *v)
{
	if (!v)
		return;
	hy_infer_free(v->infer);
	for (int k = 0; k < 2; k++) {
		hy_free_aligned(v->logits[k]);
		hy_free(v->label[k]);
	}
	hy_free(v);
}

void hy_validator_share(hy_validator *v, const hy_ranks *ranks)
{
	v->ranks = ranks;
}

/* The first of equals, as argmax does. */
static void arg_max(const float *logits, int classes, int64_t pixels, uint8_t *label)
{
	for (int64_t i = 0; i < pixels; i++) {
		int best = 0;
		for (int c = 1; c < classes; c++)
			if (logits[c * pixels + i] > logits[best * pixels + i])
				best = c;
		label[i] = (uint8_t)best;
	}
}

static hardy_status predict(hy_validator *v, hardy_error *err)
{
	const int64_t pixels = v->size * v->size;
	const int classes = v->network->config.classes;
	const size_t n_bytes = (size_t)(v->stack->n * pixels);
	for (int k = 0; k < 2 && v->ranks->size > 1; k++)
		memset(v->label[k], 0, n_bytes);
	for (int64_t at = v->ranks->rank * BATCH; at < v->stack->n; at += v->ranks->size * BATCH) {
		const int64_t now = v->stack->n - at < BATCH ? v->stack->n - at : BATCH;
		const float *x = v->stack->image + at * v->network->config.channels * pixels;
		const hardy_status status = hy_infer_run(v->infer, x, now, v->logits[0], v->logits[1], NULL, err);
		if (status)
			return status;
		for (int64_t i = 0; i < now; i++)
			for (int k = 0; k < 2; k++)
				arg_max(v->logits[k] + i * classes * pixels, classes, pixels, v->label[k] + (at + i) * pixels);
	}
	for (int k = 0; k < 2; k++)
		hy_ranks_merge(v->ranks, v->label[k], n_bytes);
	return HARDY_OK;
}

/* Mean over cases for one class of label maps like the stack's; false when no case counts. */
static bool score_class(const hy_validator *v, const uint8_t *label, int c, double *iou, double *dice)
{
	const int64_t pixels = v->size * v->size;
	double sum_iou = 0, sum_dice = 0;
	int64_t at = 0;
	size_t n = 0;
	for (size_t i = 0; i < v->stack->n_cases; i++) {
		const int64_t count = v->stack->n_slice[i];
		const hy_overlap o =
		    hy_overlap_count(label + at * pixels, v->stack->label + at * pixels, (size_t)(count * pixels), (uint8_t)c);
		at += count;
		if (!o.n_pred && !o.n_ref)
			continue;
		sum_iou += hy_overlap_jaccard(&o);
		sum_dice += hy_overlap_dice(&o);
		n++;
	}
	*iou = n ? sum_iou / (double)n : 0;
	*dice = n ? sum_dice / (double)n : 0;
	return n > 0;
}

/* Means over foreground classes; NaN when none counts. */
static void score(const hy_validator *v, const uint8_t *label, double *iou, double *dice)
{
	int n = 0;
	*iou = *dice = 0;
	for (int c = 1; c < v->network->config.classes; c++) {
		double one_iou, one_dice;
		n += score_class(v, label, c, &one_iou, &one_dice);
		*iou += one_iou;
		*dice += one_dice;
	}
	*iou = n ? *iou / n : NAN;
	*dice = n ? *dice / n : NAN;
}

hardy_status hy_validator_run(hy_validator *v, hy_validation *out, hardy_error *err)
{
	const hardy_status status = predict(v, err);
	if (status)
		return status;
	for (int k = 0; k < 2; k++)
		score(v, v->label[k], &out->iou[k], &out->dice[k]);
	return HARDY_OK;
}

/* ---- slices to look at -------------------------------------------------------------------------------------------------- */

static int64_t fullest_slice(const uint8_t *label, int64_t n, int64_t pixels)
{
	int64_t best = 0, most = -1;
	for (int64_t z = 0; z < n; z++) {
		int64_t labelled = 0;
		for (int64_t i = z * pixels; i < (z + 1) * pixels; i++)
			labelled += label[i] != 0;
		if (labelled > most) {
			best = z;
			most = labelled;
		}
	}
	return best;
}

size_t hy_validator_shots(const hy_validator *v, hy_shot *out, size_t room)
{
	const hy_stack *s = v->stack;
	const int64_t pixels = v->size * v->size;
	const size_t wanted = s->n_cases < room ? s->n_cases : room;
	int64_t at = 0;
	size_t n = 0;
	for (size_t i = 0; i < s->n_cases; at += s->n_slice[i++]) {
		if ((i + 1) * wanted / s->n_cases == i * wanted / s->n_cases || !s->n_slice[i])
			continue;
		const int64_t z = fullest_slice(s->label + at * pixels, s->n_slice[i], pixels);
		out[n++] = (hy_shot){.image = s->image + (at + z) * v->network->config.channels * pixels,
		                     .truth = s->label + (at + z) * pixels,
		                     .label = v->label[1] + (at + z) * pixels,
		                     .scan = i,
		                     .slice = z,
		                     .n_slices = s->n_slice[i]};
	}
	return n;
}

/* ---- how to predict ----------------------------------------------------------------------------------------------------- */

/* Label maps of network `which` over mirrored slices; x, q: a batch of images, of probabilities. */
static hardy_status predict_mirrored(hy_validator *v, int which, float *x, float *q, uint8_t *label, hardy_error *err)
{
	const int64_t pixels = v->size * v->size, channels = v->network->config.channels;
	const int classes = v->network->config.classes;
	hy_variant variants[HY_MAX_VARIANTS];
	const int n_variants = hy_variants(true, false, variants);
	for (int64_t at = 0; at < v->stack->n; at += BATCH) {
		const int64_t now = v->stack->n - at < BATCH ? v->stack->n - at : BATCH;
		memset(q, 0, (size_t)(now * classes * pixels) * sizeof *q);
		for (int k = 0; k < n_variants; k++) {
			hy_variant_apply(&variants[k], v->stack->image + at * channels * pixels, now * channels, v->size, v->size, x);
			const hardy_status status = hy_infer_run(v->infer, x, now, v->logits[0], v->logits[1], NULL, err);
			if (status)
				return status;
			hy_variant_restore(&variants[k], now * classes, v->size, v->size, v->logits[which]);
			hy_variant_add(v->logits[which], now, classes, pixels, 1, q);
		}
		for (int64_t i = 0; i < now; i++)
			arg_max(q + i * classes * pixels, classes, pixels, label + (at + i) * pixels);
	}
	return HARDY_OK;
}

/* The largest components alone, case by case, in place. */
static hardy_status keep_largest(const hy_validator *v, uint8_t *label, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < v->stack->n_cases && !status; i++) {
		hy_labels l = {.data = label};
		hy_grid_set_simple(&l.grid, v->size, v->size, v->stack->n_slice[i], 1, 1, 1);
		status = hy_keep_largest(&l, v->network->config.classes, NULL, err);
		label += hy_grid_voxels(&l.grid);
	}
	return status;
}

/* Dice of label maps as they are and with the largest components alone; the maps are changed. */
static hardy_status score_both(const hy_validator *v, uint8_t *label, double dice[2], hardy_error *err)
{
	double iou;
	score(v, label, &iou, &dice[0]);
	const hardy_status status = keep_largest(v, label, err);
	score(v, label, &iou, &dice[1]);
	return status;
}

hardy_status hy_validator_choose(hy_validator *v, bool may_mirror, hy_use *out, hardy_error *err)
{
	const size_t pixels = (size_t)(v->size * v->size);
	const int channels = v->network->config.channels, classes = v->network->config.classes;
	hy_validation plain;
	double dice[2][2]; /* mirrored, largest */
	hardy_status status = hy_validator_run(v, &plain, err);
	const int which = !status && plain.dice[1] >= plain.dice[0]; /* FTN+STN where both are alike */
	float *x = may_mirror ? hy_alloc(BATCH * (size_t)channels, pixels * sizeof *x) : NULL;
	float *q = may_mirror ? hy_alloc(BATCH * (size_t)classes, pixels * sizeof *q) : NULL;
	if (!status && may_mirror && (!x || !q))
		status = hy_fail_memory(err, "validation", BATCH * (size_t)classes, pixels * sizeof *q);
	if (!status)
		status = score_both(v, v->label[which], dice[0], err);
	if (!status && may_mirror)
		status = predict_mirrored(v, which, x, q, v->label[which], err);
	if (!status && may_mirror)
		status = score_both(v, v->label[which], dice[1], err);
	hy_free(x);
	hy_free(q);
	if (status || !isfinite(dice[0][0]))
		return status;
	const bool largest = dice[0][1] >= dice[0][0] + HY_USE_GAIN;
	const bool flips = may_mirror && dice[1][largest] >= dice[0][largest] + HY_USE_GAIN;
	*out = (hy_use){.chosen = true,
	                .ftn = !which,
	                .keep_largest = largest,
	                .flips = flips,
	                .dice = dice[flips][largest],
	                .plain_dice = dice[0][0]};
	return HARDY_OK;
}
