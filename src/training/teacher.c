/*
 * teacher.c: confident labels from averaged weights.
 */
#include "training/teacher.h"

#include "base/memory.h"
#include "engine/average.h"

#include <math.h>

struct hy_teacher {
	hy_network *network;
	hy_infer *infer;
	float *logits; /* owned: batch x classes x size x size */
	int64_t plane;
};

hy_teacher *hy_teacher_new(hy_network *network, int64_t batch, int64_t size, const hy_tape_options *engine, hardy_error *err)
{
	const hy_infer_options o = {.batch = batch, .height = size, .width = size, .norm = HY_NORM_RUNNING, .engine = *engine};
	const size_t n = (size_t)(batch * network->config.classes * size * size);
	hy_teacher *t = hy_calloc(1, sizeof *t);
	if (!t) {
		hy_fail_memory(err, "a teacher", 1, sizeof *t);
		return NULL;
	}
	*t = (hy_teacher){.network = network, .plane = size * size};
	t->logits = hy_alloc_aligned(n, sizeof *t->logits);
	if (!t->logits)
		hy_fail_memory(err, "a teacher's output", n, sizeof *t->logits);
	else
		t->infer = hy_infer_new(network, &o, err);
	if (t->infer)
		return t;
	hy_teacher_free(t);
	return NULL;
}

void hy_teacher_free(hy_teacher *t)
{
	if (!t)
		return;
	hy_infer_free(t->infer);
	hy_free_aligned(t->logits);
	hy_free(t);
}

/* The softmax's largest value is 1 / sum exp(v - largest). */
static void decide(const float *logits, int classes, int64_t plane, double confidence, uint8_t *label)
{
	const float most = (float)(1 / confidence);
	for (int64_t k = 0; k < plane; k++) {
		int best = 0;
		float sum = 0;
		for (int c = 1; c < classes; c++)
			if (logits[c * plane + k] > logits[best * plane + k])
				best = c;
		for (int c = 0; c < classes; c++)
			sum += expf(logits[c * plane + k] - logits[best * plane + k]);
		label[k] = sum <= most ? (uint8_t)best : HY_NO_LABEL;
	}
}

hardy_status hy_teacher_label(hy_teacher *t, const float *image, int64_t n, double confidence, uint8_t *label, hardy_error *err)
{
	const int classes = t->network->config.classes;
	hy_average_swap(&t->network->params);
	const hardy_status status = hy_infer_run(t->infer, image, n, t->logits, NULL, NULL, err);
	hy_average_swap(&t->network->params);
	if (status)
		return status;
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++)
		decide(t->logits + i * classes * t->plane, classes, t->plane, confidence, label + i * t->plane);
	return HARDY_OK;
}

double hy_teacher_ramp(int64_t step, int64_t total)
{
	const double t = (double)step / (0.3 * (double)total), rest = 1 - (t < 1 ? t : 1);
	return exp(-5 * rest * rest);
}
