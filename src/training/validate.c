/*
 * validate.c: slices of all cases go through the network in batches; overlap is counted per case, class and network.
 */
#include "training/validate.h"

#include "base/memory.h"
#include "metric/overlap.h"
#include "network/infer.h"

#include <math.h>
#include <string.h>

enum { BATCH = 8 };

struct hy_validator {
	hy_network *network;
	const hy_stack *stack;
	int64_t size;
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
	*v = (hy_validator){.network = network, .stack = stack, .size = size};
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
	for (int64_t at = 0; at < v->stack->n; at += BATCH) {
		const int64_t now = v->stack->n - at < BATCH ? v->stack->n - at : BATCH;
		const float *x = v->stack->image + at * v->network->config.channels * pixels;
		const hardy_status status = hy_infer_run(v->infer, x, now, v->logits[0], v->logits[1], NULL, err);
		if (status)
			return status;
		for (int64_t i = 0; i < now; i++)
			for (int k = 0; k < 2; k++)
				arg_max(v->logits[k] + i * classes * pixels, classes, pixels, v->label[k] + (at + i) * pixels);
	}
	return HARDY_OK;
}

/* Mean over cases for one class and one network; false when no case counts. */
static bool score_class(const hy_validator *v, int k, int c, double *iou, double *dice)
{
	const int64_t pixels = v->size * v->size;
	double sum_iou = 0, sum_dice = 0;
	int64_t at = 0;
	size_t n = 0;
	for (size_t i = 0; i < v->stack->n_cases; i++) {
		const int64_t count = v->stack->n_slice[i];
		const hy_overlap o =
		    hy_overlap_count(v->label[k] + at * pixels, v->stack->label + at * pixels, (size_t)(count * pixels), (uint8_t)c);
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

hardy_status hy_validator_run(hy_validator *v, hy_validation *out, hardy_error *err)
{
	const hardy_status status = predict(v, err);
	if (status)
		return status;
	for (int k = 0; k < 2; k++) {
		double iou = 0, dice = 0;
		int n = 0;
		for (int c = 1; c < v->network->config.classes; c++) {
			double one_iou, one_dice;
			n += score_class(v, k, c, &one_iou, &one_dice);
			iou += one_iou;
			dice += one_dice;
		}
		out->iou[k] = n ? iou / n : NAN;
		out->dice[k] = n ? dice / n : NAN;
	}
	return HARDY_OK;
}
