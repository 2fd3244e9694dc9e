/*
 * ops_conv.c: convolution, transposed convolution, and convolution of a doubled grid.
 */
#include "engine/ops_fuse.h"

#include <string.h>

static double conv_flop(const hy_conv_shape *s)
{
	return 2.0 * (double)(s->n * s->oc * s->ic) * (double)(s->k * s->k) * (double)(s->oh * s->ow);
}

static float *packed(const hy_tape *t, int pack)
{
	return pack < 0 ? NULL : t->packed + t->packs[pack].offset;
}

/* ---- what a convolution does for a batch norm ---- */

const hy_fused *hy_conv_fused(const hy_tape *t, const hy_instruction *i, const hy_value *in, const hy_value *out, hy_fused *f)
{
	const hy_node *n = &i->node;
	const bool lazy = in && n->fuse.in_aux >= 0;
	if (!lazy && !n->fuse.finish && !n->doubles)
		return NULL;
	*f = (hy_fused){.finish = n->fuse.finish, .slope = n->fuse.slope, .half = n->fuse.half};
	if (n->doubles) {
		f->beside = hy_tape_blocked(t, i->value[5]);
		f->beside_accumulate = i->accumulate;
	}
	if (lazy) {
		const int64_t c = n->doubles ? t->values[i->value[5]].c : in->c;
		f->in_scale = hy_norm_row(t, n->fuse.in_aux, c, HY_NORM_SCALE);
		f->in_shift = hy_norm_row(t, n->fuse.in_aux, c, HY_NORM_SHIFT);
		f->in_slope = n->fuse.in_slope;
	}
	if (f->finish == HY_FINISH_ACT) {
		f->skip = hy_tape_blocked(t, i->value[2]);
	} else if (f->finish) {
		f->partial = t->sums;
	}
	if (f->finish == HY_FINISH_BACK) {
		f->x = hy_tape_blocked(t, i->value[2]);
		f->value = hy_tape_blocked(t, i->value[3]);
		f->dskip = hy_tape_blocked(t, i->value[4]);
		f->scale = hy_norm_row(t, n->fuse.aux, out->c, HY_NORM_SCALE);
		f->shift = hy_norm_row(t, n->fuse.aux, out->c, HY_NORM_SHIFT);
		f->mean = hy_norm_row(t, n->fuse.aux, out->c, HY_NORM_MEAN);
	}
	return f;
}

/* ---- gradients of part of a weight tensor ---- */

/* A gradient of n values, zeroed, behind what the convolution needs of the scratch memory. */
static float *aside(const hy_tape *t, const hy_conv *c, int64_t n)
{
	float *gradient = t->work + (c->work_floats + 15) / 16 * 16;
	memset(gradient, 0, (size_t)n * sizeof *gradient);
	return gradient;
}

static void ask_aside(hy_tape *t, int conv, int64_t n)
{
	if (conv >= 0)
		hy_tape_work(t, (t->convs[conv].work_floats + 15) / 16 * 16 + (size_t)n);
}

/* Some input channels of a weight tensor. */
static void take_channels(const hy_param *p, const float *w, int64_t first, int64_t count, float *part)
{
	const int64_t taps = p->shape[2] * p->shape[3];
	for (int64_t o = 0; o < p->shape[0]; o++)
		memcpy(part + o * count * taps, w + (o * p->shape[1] + first) * taps, (size_t)(count * taps) * sizeof *part);
}

static void add_channels(const hy_param *p, const float *part, int64_t first, int64_t count, float *w)
{
	const int64_t taps = p->shape[2] * p->shape[3];
	for (int64_t o = 0; o < p->shape[0]; o++)
		for (int64_t i = 0; i < count * taps; i++)
			w[(o * p->shape[1] + first) * taps + i] += part[o * count * taps + i];
}

/* The weights of a convolution of `count` channels. */
static hy_derived part_of(const hy_tape *t, int weight, int64_t first, int64_t count)
{
	const hy_param *p = &t->params->list[weight];
	if (p->shape[1] == count)
		return (hy_derived){0};
	return (hy_derived){take_channels, first, count, (size_t)(p->shape[0] * count * p->shape[2] * p->shape[3])};
}

/* ---- blocked convolution ---- */

/* The forward convolution, also as the data gradient of a transposed one. values: x, y */
static hardy_status run_as(hy_tape *t, const hy_instruction *i, int conv, int pack, int bias, hardy_error *err)
{
	const hy_conv *c = &t->convs[conv];
	const hy_value *x = &t->values[i->value[0]], *y = &t->values[i->value[1]];
	float *weights = packed(t, pack);
	hy_fused f;
	return c->run(c, hy_conv_fused(t, i, x, y, &f), x->blocks,
	              i->node.fuse.folded ? weights + c->packed_floats : hy_tape_param(t, bias), weights, y->blocks, t->work, err);
}

static hardy_status run_forward(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	return run_as(t, i, i->node.conv[0], i->node.pack[0], i->node.param[1], err);
}

static hardy_status run_data(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	return run_as(t, i, i->node.conv[1], i->node.pack[1], -1, err);
}

static hardy_status run_weights(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_conv *c = &t->convs[i->node.conv[2]];
	const hy_value *x = &t->values[i->value[0]];
	const hy_param *p = &t->params->list[i->node.param[0]];
	const bool part = p->shape[1] != c->shape.ic;
	float *whole = hy_tape_grad(t, i->node.param[0]),
	      *gradient = part ? aside(t, c, c->shape.oc * c->shape.ic * c->shape.k * c->shape.k) : whole;
	hy_fused f;
	const hardy_status status = c->run_weights(c, hy_conv_fused(t, i, x, NULL, &f), x->blocks, hy_tape_blocked(t, i->value[1]),
	                                           gradient, c->bias ? hy_tape_grad(t, i->node.param[1]) : NULL, t->work, err);
	if (!status && part)
		add_channels(p, gradient, i->node.first, c->shape.ic, whole);
	return status;
}

static hy_conv_shape shape_of(const hy_tape *t, const hy_node *node, int x, int y)
{
	const hy_value *in = &t->values[x], *out = &t->values[y];
	return (hy_conv_shape){.n = in->n,
	                       .ic = in->c,
	                       .ih = in->h,
	                       .iw = in->w,
	                       .oc = out->c,
	                       .oh = out->h,
	                       .ow = out->w,
	                       .k = (int)node->k,
	                       .stride = (int)node->stride,
	                       .pad = (int)node->pad};
}

static void conv_back(hy_tape *t, const hy_node *node, int flags)
{
	hy_node n = *node;
	const hy_conv_shape s = shape_of(t, node, node->in[0], node->out);
	const int dy = hy_tape_gradient(t, node->out);
	if (flags & HY_BACK_WEIGHTS) {
		n.conv[2] = hy_tape_conv(t, &s, HY_CONV_WEIGHTS, false, node->param[1] >= 0 && !node->frozen);
		ask_aside(t, n.conv[2], s.oc * s.ic * s.k * s.k);
		const int values[] = {hy_tape_raw(t, node->in[0]), dy};
		hy_tape_emit(t, "conv weights", run_weights, &n, values, 2)->flop = conv_flop(&s);
	}
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx >= 0) {
		n.conv[1] = hy_tape_conv(t, &s, HY_CONV_DATA, accumulate, false);
		n.pack[1] = hy_tape_pack_derived(t, node->param[0], n.conv[1], part_of(t, node->param[0], node->first, s.ic));
		n.fuse.in_aux = -1; /* it reads dy */
		const int values[] = {dy, dx};
		hy_tape_emit(t, "conv data", run_data, &n, values, 2)->flop = conv_flop(&s);
	}
}

/* ---- planar in: an encoder's first ---- */

static hardy_status run_stem(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]], *y = &t->values[i->value[1]];
	t->kernels->stem(x->data, hy_tape_param(t, i->node.param[0]), hy_tape_param(t, i->node.param[1]), x->n, x->c, x->h, x->w,
	                 y->c, y->blocks);
	return HARDY_OK;
}

static hardy_status run_stem_weights(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]], *dy = &t->values[i->value[1]];
	t->kernels->stem_weights(x->data, dy->blocks, x->n, x->c, x->h, x->w, dy->c, t->work, hy_tape_grad(t, i->node.param[0]));
	return HARDY_OK;
}

static hardy_status run_stem_data(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *dy = &t->values[i->value[0]], *dx = &t->values[i->value[1]];
	t->kernels->stem_data(dy->blocks, hy_tape_param(t, i->node.param[0]), dx->n, dx->c, dx->h, dx->w, dy->c, i->accumulate,
	                      dx->data);
	return HARDY_OK;
}

static void stem_back(hy_tape *t, const hy_node *node, int flags)
{
	const hy_conv_shape s = shape_of(t, node, node->in[0], node->out);
	const int dy = hy_tape_gradient(t, node->out);
	if (flags & HY_BACK_WEIGHTS) {
		const int values[] = {node->in[0], dy};
		hy_tape_work(t, (size_t)(s.n * s.ic * 9 * s.oc));
		hy_tape_emit(t, "stem weights", run_stem_weights, node, values, 2)->flop = conv_flop(&s);
	}
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx >= 0) {
		const int values[] = {dy, dx};
		hy_instruction *i = hy_tape_emit(t, "stem data", run_stem_data, node, values, 2);
		i->accumulate = accumulate;
		i->flop = conv_flop(&s);
	}
}

/* ---- planar out: a decoder's last ---- */

static hardy_status run_head(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]], *y = &t->values[i->value[1]];
	t->kernels->head(x->blocks, hy_tape_param(t, i->node.param[0]), hy_tape_param(t, i->node.param[1]), x->n, x->c, x->h * x->w,
	                 y->c, y->data);
	return HARDY_OK;
}

static hardy_status run_head_weights(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]], *dy = &t->values[i->value[1]];
	t->kernels->head_weights(x->blocks, dy->data, x->n, x->c, x->h * x->w, dy->c, t->work, hy_tape_grad(t, i->node.param[0]),
	                         hy_tape_grad(t, i->node.param[1]));
	return HARDY_OK;
}

static hardy_status run_head_data(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *dy = &t->values[i->value[0]], *dx = &t->values[i->value[1]];
	hy_fused f;
	t->kernels->head_data(hy_conv_fused(t, i, dy, dx, &f), dy->data, hy_tape_param(t, i->node.param[0]), dx->n, dx->c, dx->h,
	                      dx->w, dy->c, i->accumulate, dx->blocks);
	return HARDY_OK;
}

static void head_back(hy_tape *t, const hy_node *node, int flags)
{
	const hy_conv_shape s = shape_of(t, node, node->in[0], node->out);
	const int dy = hy_tape_gradient(t, node->out);
	if (flags & HY_BACK_WEIGHTS) {
		const int values[] = {node->in[0], dy};
		hy_tape_work(t, (size_t)(s.n * (s.ic + 1) * s.oc));
		hy_tape_emit(t, "head weights", run_head_weights, node, values, 2)->flop = conv_flop(&s);
	}
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx >= 0) {
		const int values[] = {dy, dx};
		hy_instruction *i = hy_tape_emit(t, "head data", run_head_data, node, values, 2);
		i->accumulate = accumulate;
		i->finishes_samples = true;
		i->flop = conv_flop(&s);
	}
}

/* True when the weight tensor has this shape; else the tape fails. */
static bool weight_is(hy_tape *t, int weight, int64_t a, int64_t b, int64_t k)
{
	if (hy_tape_failed(t) || weight < 0)
		return false;
	const hy_param *p = &t->params->list[weight];
	if (p->n_dims == 4 && p->shape[0] == a && p->shape[1] == b && p->shape[2] == k && p->shape[3] == k)
		return true;
	hy_tape_fail(t, HARDY_ERROR_ARGUMENT, "%s: shape does not fit a convolution of %lld and %lld channels, kernel %lld",
	             p->name, (long long)a, (long long)b, (long long)k);
	return false;
}

/* The operator computes the value from the batch norm's input, if that is how it was left. */
static void read_lazily(hy_node *n, const hy_value *in)
{
	if (in->lazy_x < 0)
		return;
	n->fuse.in_aux = in->lazy_aux;
	n->fuse.in_slope = in->lazy_slope;
}

int hy_op_conv(hy_tape *t, int x, int weight, int bias, int k, int stride, bool planar_out, bool norm_follows)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	const int64_t oc = t->params->list[weight].shape[0];
	if (!weight_is(t, weight, oc, in.c, k))
		return -1;
	if (in.h % stride || in.w % stride) {
		hy_tape_fail(t, HARDY_ERROR_ARGUMENT, "a grid of %lld x %lld cannot be halved", (long long)in.h, (long long)in.w);
		return -1;
	}
	/* the narrow kernels' row buffers: see STEM_IC, STEM_W in table.inc */
	if (!in.blocked && (k != 3 || stride != 1 || oc > 32 || in.w > 512 || in.c * (in.w + 2) > 4104)) {
		hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED,
		             "a first convolution of %lld channels on %lld columns: want a width of at most 512 and channels * (width "
		             "+ 2) of at most 4104",
		             (long long)in.c, (long long)in.w);
		return -1;
	}
	const int y = hy_tape_value(t, in.n, oc, in.h / stride, in.w / stride, !planar_out);
	hy_node *n = hy_tape_node(t, "conv");
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->param[0] = weight, n->param[1] = bias;
	n->k = k, n->stride = stride, n->pad = k / 2;
	n->frozen = norm_follows;
	if (hy_tape_failed(t))
		return -1;
	const hy_conv_shape s = shape_of(t, n, x, y);
	const int values[] = {in.blocked && !planar_out && k > 1 ? hy_tape_raw(t, x) : x, y};
	if (values[0] != x)
		read_lazily(n, &in);
	if (!in.blocked) {
		n->back = stem_back;
		hy_tape_emit(t, "stem", run_stem, n, values, 2)->flop = conv_flop(&s);
	} else if (planar_out) {
		n->back = head_back;
		hy_tape_emit(t, "head", run_head, n, values, 2)->flop = conv_flop(&s);
	} else {
		n->back = conv_back;
		n->conv[0] = hy_tape_conv(t, &s, HY_CONV_FORWARD, false, bias >= 0);
		n->pack[0] = hy_tape_pack(t, weight, n->conv[0]);
		hy_tape_emit(t, "conv", run_forward, n, values, 2)->flop = conv_flop(&s);
	}
	return y;
}

/* ---- transposed convolution: the adjoint of a 2 x 2 convolution of stride 2, whose x is our y ---- */

static hardy_status run_up_forward(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_value *y = &t->values[i->value[1]];
	const hardy_status status = run_as(t, i, i->node.conv[1], i->node.pack[1], -1, err);
	if (!status && i->node.param[1] >= 0)
		t->kernels->bias_add(hy_tape_param(t, i->node.param[1]), y->n, y->c, y->h * y->w, y->blocks);
	return status;
}

static hardy_status run_up_data(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	return run_as(t, i, i->node.conv[0], i->node.pack[0], -1, err);
}

static hardy_status run_up_weights(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_conv *c = &t->convs[i->node.conv[2]];
	const hy_value *dy = &t->values[i->value[0]];
	float *db = hy_tape_grad(t, i->node.param[1]);
	const hardy_status status = c->run_weights(c, NULL, dy->blocks, hy_tape_blocked(t, i->value[1]),
	                                           hy_tape_grad(t, i->node.param[0]), NULL, t->work, err);
	if (status || !db)
		return status;
	double *partial = (double *)(void *)t->work;
	t->kernels->channel_sums(dy->blocks, dy->n, dy->c, dy->h * dy->w, partial);
	for (int64_t k = 0; k < dy->c; k++) {
		double sum = 0;
		for (int64_t s = 0; s < dy->n; s++)
			sum += partial[s * dy->c + k];
		db[k] += (float)sum;
	}
	return HARDY_OK;
}

static void up_back(hy_tape *t, const hy_node *node, int flags)
{
	hy_node n = *node;
	const hy_conv_shape s = shape_of(t, node, node->out, node->in[0]);
	const int dy = hy_tape_gradient(t, node->out);
	if (flags & HY_BACK_WEIGHTS) {
		n.conv[2] = hy_tape_conv(t, &s, HY_CONV_WEIGHTS, false, false);
		hy_tape_work(t, (size_t)(2 * s.n * s.ic));
		const int values[] = {dy, node->in[0]};
		hy_tape_emit(t, "conv up weights", run_up_weights, &n, values, 2)->flop = conv_flop(&s);
	}
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx >= 0) {
		n.conv[0] = hy_tape_conv(t, &s, HY_CONV_FORWARD, accumulate, false);
		n.pack[0] = hy_tape_pack(t, node->param[0], n.conv[0]);
		const int values[] = {dy, dx};
		hy_tape_emit(t, "conv up data", run_up_data, &n, values, 2)->flop = conv_flop(&s);
	}
}

int hy_op_conv_up(hy_tape *t, int x, int weight, int bias)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	const int64_t oc = t->params->list[weight].shape[1];
	if (!weight_is(t, weight, in.c, oc, 2))
		return -1;
	const int y = hy_tape_value(t, in.n, oc, in.h * 2, in.w * 2, true);
	hy_node *n = hy_tape_node(t, "conv up");
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->param[0] = weight, n->param[1] = bias;
	n->k = 2, n->stride = 2, n->pad = 0;
	n->back = up_back;
	if (hy_tape_failed(t))
		return -1;
	const hy_conv_shape s = shape_of(t, n, y, x);
	n->conv[1] = hy_tape_conv(t, &s, HY_CONV_DATA, false, false);
	n->pack[1] = hy_tape_pack(t, weight, n->conv[1]);
	const int values[] = {x, y};
	hy_tape_emit(t, "conv up", run_up_forward, n, values, 2)->flop = conv_flop(&s);
	return y;
}

/* ---- nearest-neighbour doubling with the 3 x 3 convolution behind it ---- */

/*
 * Along one axis u[Y] = x[Y / 2] and y[Y] = sum_k w[k] u[Y + k - 1] give y[Y] = sum_i g[Y - 2 i + 1] x[i] with
 * g = (w2, w1 + w2, w0 + w1, w0): tap k adds to g[2 - k] and g[3 - k]. In two dimensions the two axes' rules multiply. As the adjoint
 * of a convolution the weights are [in][out][4][4].
 */
static void widen_kernel(const hy_param *p, const float *w, int64_t first, int64_t count, float *wide)
{
	const int64_t out = p->shape[0], in = p->shape[1];
	memset(wide, 0, (size_t)(out * count * 16) * sizeof *wide);
	for (int64_t o = 0; o < out; o++)
		for (int64_t i = 0; i < count; i++)
			for (int k = 0; k < 9; k++) {
				float *g = wide + (i * out + o) * 16 + (2 - k / 3) * 4 + 2 - k % 3;
				const float v = w[(o * in + first + i) * 9 + k];
				g[0] += v, g[1] += v, g[4] += v, g[5] += v;
			}
}

/* The adjoint: the gradient of the 3 x 3 weights from that of the 4 x 4 ones, added. */
static void narrow_gradient(const hy_param *p, const float *wide, int64_t first, int64_t count, float *gradient)
{
	const int64_t out = p->shape[0], in = p->shape[1];
	for (int64_t o = 0; o < out; o++)
		for (int64_t i = 0; i < count; i++)
			for (int k = 0; k < 9; k++) {
				const float *g = wide + (i * out + o) * 16 + (2 - k / 3) * 4 + 2 - k % 3;
				gradient[(o * in + first + i) * 9 + k] += (g[0] + g[1]) + (g[4] + g[5]);
			}
}

static hy_derived widened(const hy_tape *t, int weight, int64_t first, int64_t count)
{
	return (hy_derived){widen_kernel, first, count, (size_t)(t->params->list[weight].shape[0] * count * 16)};
}

static hardy_status run_up2_weights(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_conv *c = &t->convs[i->node.conv[2]];
	float *wide = aside(t, c, c->shape.ic * c->shape.oc * 16);
	const hardy_status status =
	    c->run_weights(c, NULL, hy_tape_blocked(t, i->value[0]), hy_tape_blocked(t, i->value[1]), wide, NULL, t->work, err);
	if (!status)
		narrow_gradient(&t->params->list[i->node.param[0]], wide, i->node.first, c->shape.oc,
		                hy_tape_grad(t, i->node.param[0]));
	return status;
}

static void up2_back(hy_tape *t, const hy_node *node, int flags)
{
	hy_node n = *node;
	const hy_conv_shape s = shape_of(t, node, node->out, node->in[0]);
	const int dy = hy_tape_gradient(t, node->out);
	if (flags & HY_BACK_WEIGHTS) {
		n.conv[2] = hy_tape_conv(t, &s, HY_CONV_WEIGHTS, false, false);
		ask_aside(t, n.conv[2], s.ic * s.oc * 16);
		const int values[] = {dy, node->in[0]};
		hy_tape_emit(t, "double conv weights", run_up2_weights, &n, values, 2)->flop = conv_flop(&s);
	}
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx >= 0) {
		n.conv[0] = hy_tape_conv(t, &s, HY_CONV_FORWARD, accumulate, false);
		n.pack[0] = hy_tape_pack_derived(t, node->param[0], n.conv[0], widened(t, node->param[0], node->first, s.oc));
		const int values[] = {dy, dx};
		hy_tape_emit(t, "double conv data", run_up_data, &n, values, 2)->flop = conv_flop(&s);
	}
}

/* x meets the first of the weights' input channels, `beside` more follow them. */
static int up2_conv(hy_tape *t, int x, int weight, int64_t beside)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	const int64_t oc = t->params->list[weight].shape[0];
	if (!weight_is(t, weight, oc, in.c + beside, 3))
		return -1;
	const int y = hy_tape_value(t, in.n, oc, in.h * 2, in.w * 2, true);
	hy_node *n = hy_tape_node(t, "double conv");
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->param[0] = weight;
	n->k = 4, n->stride = 2, n->pad = 1;
	n->back = up2_back;
	if (hy_tape_failed(t))
		return -1;
	const hy_conv_shape s = shape_of(t, n, y, x);
	n->conv[1] = hy_tape_conv(t, &s, HY_CONV_DATA, false, false);
	n->pack[1] = hy_tape_pack_derived(t, weight, n->conv[1], widened(t, weight, 0, in.c));
	const int values[] = {x, y};
	hy_tape_emit(t, "double conv", run_up_forward, n, values, 2)->flop = conv_flop(&s);
	return y;
}

int hy_op_up2_conv(hy_tape *t, int x, int weight)
{
	return up2_conv(t, x, weight, 0);
}

/* ---- a convolution of two inputs, one of them doubled ---- */

/* By one convolution that reads both, where there is one. values: x, y; skip as the sixth */
static void both_back(hy_tape *t, const hy_node *node, int flags)
{
	hy_node n = *node;
	const hy_conv_shape s = t->convs[node->conv[0]].shape;
	const int dy = hy_tape_gradient(t, node->out);
	if (flags & HY_BACK_WEIGHTS) {
		n.conv[2] = hy_tape_conv(t, &s, HY_CONV_WEIGHTS, false, false);
		const int values[] = {node->in[0], dy, -1, -1, -1, hy_tape_raw(t, node->in[1])};
		hy_tape_emit(t, "conv both weights", run_weights, &n, values, 6)->flop = conv_flop(&s);
	}
	bool accumulate, beside_accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	const int dskip = hy_tape_gradient_out(t, node->in[1], &beside_accumulate);
	if (dx < 0 || dskip < 0) {
		hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED, "one of a convolution's two inputs is a constant");
		return;
	}
	n.conv[1] = hy_tape_conv(t, &s, HY_CONV_DATA, accumulate, false);
	n.pack[1] = hy_tape_pack(t, node->param[0], n.conv[1]);
	n.fuse.in_aux = -1; /* it reads dy */
	const int values[] = {dy, dx, -1, -1, -1, dskip};
	hy_instruction *i = hy_tape_emit(t, "conv both data", run_data, &n, values, 6);
	i->accumulate = beside_accumulate;
	i->flop = conv_flop(&s);
}

static int conv_both(hy_tape *t, int x, int skip, int weight, const hy_conv_shape *s)
{
	const hy_value in = t->values[skip];
	if (!weight_is(t, weight, s->oc, s->ic, 3))
		return -1;
	const int y = hy_tape_value(t, s->n, s->oc, s->oh, s->ow, true);
	hy_node *n = hy_tape_node(t, "conv both");
	n->in[0] = x, n->in[1] = skip, n->n_in = 2, n->out = y;
	n->param[0] = weight;
	n->k = 3, n->stride = 1, n->pad = 1;
	n->doubles = true;
	n->back = both_back;
	if (hy_tape_failed(t))
		return -1;
	read_lazily(n, &in);
	n->conv[0] = hy_tape_conv(t, s, HY_CONV_FORWARD, false, false);
	n->pack[0] = hy_tape_pack(t, weight, n->conv[0]);
	const int values[] = {x, y, -1, -1, -1, hy_tape_raw(t, skip)};
	hy_tape_emit(t, "conv both", run_forward, n, values, 6)->flop = conv_flop(s);
	return y;
}

/* Where there is none, the part beside is added to what the doubled one wrote. */
int hy_op_up2_conv_beside(hy_tape *t, int x, int skip, int weight)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value small = t->values[x], in = t->values[skip];
	if (in.n != small.n || in.h != small.h * 2 || in.w != small.w * 2) {
		hy_tape_fail(t, HARDY_ERROR_ARGUMENT, "a skip of %lld x %lld beside %lld x %lld doubled", (long long)in.h,
		             (long long)in.w, (long long)small.h, (long long)small.w);
		return -1;
	}
	const int64_t oc = t->params->list[weight].shape[0];
	const hy_conv_shape both = {in.n, small.c + in.c, in.h, in.w, oc, in.h, in.w, 3, 1, 1, small.c};
	if ((t->library == HY_CONV_AUTO || t->library == HY_CONV_WINOGRAD) && hy_conv_direct_fits(t->kernels, &both))
		return conv_both(t, x, skip, weight, &both);
	const int y = up2_conv(t, x, weight, in.c);
	hy_node *n = hy_tape_node(t, "conv beside");
	n->in[0] = skip, n->n_in = 1, n->out = y;
	n->param[0] = weight;
	n->k = 3, n->stride = 1, n->pad = 1;
	n->first = small.c;
	n->adds = true;
	n->back = conv_back;
	if (hy_tape_failed(t))
		return -1;
	const hy_conv_shape s = shape_of(t, n, skip, y);
	read_lazily(n, &in);
	n->conv[0] = hy_tape_conv(t, &s, HY_CONV_FORWARD, true, false);
	n->pack[0] = hy_tape_pack_derived(t, weight, n->conv[0], part_of(t, weight, n->first, in.c));
	const int values[] = {hy_tape_raw(t, skip), y};
	hy_tape_emit(t, "conv beside", run_forward, n, values, 2)->flop = conv_flop(&s);
	return y;
}

/* ---- fusion, asked for by batch norm ---- */

bool hy_conv_fuses(const hy_tape *t)
{
	const hy_conv_shape s = {.n = 1,
	                         .ic = t->kernels->block,
	                         .ih = 2,
	                         .iw = 2,
	                         .oc = t->kernels->block,
	                         .oh = 2,
	                         .ow = 2,
	                         .k = 3,
	                         .stride = 1,
	                         .pad = 1};
	return t->library != HY_CONV_PLAIN && t->library != HY_CONV_DNNL && hy_conv_direct_fits(t->kernels, &s);
}

/* The last instruction of this segment if it writes `value` and is not yet fused on writing. */
static hy_instruction *last(hy_tape *t, int value)
{
	if (hy_tape_failed(t) || !t->n_segments || (size_t)t->segments[t->n_segments - 1] >= t->n_instructions)
		return NULL;
	hy_instruction *i = &t->instructions[t->n_instructions - 1];
	return i->value[1] == value && !i->node.fuse.finish ? i : NULL;
}

/* The same if it is a convolution that fuses. */
static hy_instruction *writer(hy_tape *t, int value, int *role)
{
	hy_instruction *i = last(t, value);
	if (!i)
		return NULL;
	if (i->run == run_forward || i->run == run_up_data)
		*role = 0;
	else if (i->run == run_data || (i->run == run_up_forward && i->node.param[1] < 0))
		*role = 1;
	else
		return NULL;
	return t->convs[i->node.conv[*role]].fuses ? i : NULL;
}

/* The last instruction reads or writes this value too. */
static void uses(hy_tape *t, int slot, int value)
{
	hy_instruction *i = &t->instructions[t->n_instructions - 1];
	i->value[slot] = value;
	if (value < 0)
		return;
	hy_value *v = &t->values[value];
	v->last = (int)t->n_instructions - 1;
	if (v->first < 0)
		v->first = v->last;
}

int64_t hy_conv_fuse_sums(hy_tape *t, int x)
{
	int role;
	hy_instruction *i = writer(t, x, &role);
	if (!i)
		return 0;
	i->node.fuse.finish = HY_FINISH_SUMS;
	return hy_conv_jobs(&t->convs[i->node.conv[role]]);
}

int64_t hy_conv_fuse_back(hy_tape *t, const hy_node *node, int dy, int value, int dskip)
{
	int role;
	hy_instruction *i = writer(t, dy, &role);
	const bool sample = !i; /* a job a sample */
	if (sample)
		i = last(t, dy);
	if (!i || (sample && !i->finishes_samples))
		return 0;
	i->node.fuse.finish = HY_FINISH_BACK;
	i->node.fuse.aux = node->aux;
	i->node.fuse.slope = node->slope;
	uses(t, 2, node->in[0]);
	uses(t, 3, value);
	uses(t, 4, dskip);
	return sample ? t->values[dy].n : hy_conv_jobs(&t->convs[i->node.conv[role]]);
}

/* Gives up the packed weights of an instruction that will not use them, when no other does. */
static void drop_pack(hy_tape *t, const hy_instruction *user, int pack)
{
	for (size_t i = 0; i < t->n_instructions; i++)
		if (&t->instructions[i] != user && (t->instructions[i].node.pack[0] == pack || t->instructions[i].node.pack[1] == pack))
			return;
	if (pack == (int)t->n_packs - 1)
		t->pack_floats = t->packs[--t->n_packs].offset;
}

/* Multiplies batch norm into the weights of the convolution i; its bias is added by the one that writes last. */
static bool fold_into(hy_tape *t, hy_instruction *i, int role, const hy_node *node, bool last)
{
	const hy_pack_slot old = t->packs[i->node.pack[role]];
	const hy_conv_shape shape = t->convs[old.conv].shape;
	drop_pack(t, i, i->node.pack[role]);
	const int conv = hy_tape_conv(t, &shape, (enum hy_conv_role)role, i->node.adds, last);
	const int bias = i->node.param[1] >= 0 ? i->node.param[1] : node->param[4];
	const int pack =
	    hy_tape_pack_folded(t, &old, conv, (const int[]){node->param[0], node->param[1], node->param[2], node->param[3], bias});
	if (pack < 0)
		return false;
	i->node.conv[role] = conv;
	i->node.pack[role] = pack;
	return true;
}

bool hy_conv_fold(hy_tape *t, const hy_node *node, int x, int y, int skip)
{
	int role;
	hy_instruction *i = writer(t, x, &role);
	if (!i)
		return false;
	/* the part before wrote to the same value, as a transposed convolution (hy_op_up2_conv_beside) */
	hy_instruction *const before = i->node.adds ? i - 1 : NULL;
	if (!fold_into(t, i, role, node, true) || (before && !fold_into(t, before, HY_CONV_DATA, node, false)))
		return false;
	if (before) {
		before->value[1] = y;
		t->values[y].first = (int)(before - t->instructions);
	}
	i->node.fuse.finish = HY_FINISH_ACT;
	i->node.fuse.folded = true;
	i->node.fuse.slope = node->slope;
	i->node.fuse.half = node->flag;
	t->values[x].first = t->values[x].last = -1;
	uses(t, 1, y);
	uses(t, 2, skip);
	return true;
}
