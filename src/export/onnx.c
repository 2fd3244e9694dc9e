/*
 * onnx.c: from a recorded network to an ONNX file. Names of messages and numbers of fields are those of ONNX's schema.
 */
#include "export/onnx.h"

#include "base/memory.h"
#include "engine/ops_fuse.h"
#include "export/protobuf.h"
#include "image/nifti_fields.h"

#include <stdio.h>
#include <string.h>

enum { FILE_VERSION = 7, OPERATOR_SET = 13 };
/* Numbers of fields, by message. */
enum {
	MODEL_VERSION = 1,
	MODEL_PRODUCER = 2,
	MODEL_PRODUCER_VERSION = 3,
	MODEL_GRAPH = 7,
	MODEL_OPERATORS = 8,
	MODEL_NOTE = 14
};
enum { OPERATORS_DOMAIN = 1, OPERATORS_VERSION = 2, NOTE_KEY = 1, NOTE_VALUE = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_TENSOR = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5 };
enum {
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_FLOAT = 2,
	ATTRIBUTE_INT = 3,
	ATTRIBUTE_TEXT = 4,
	ATTRIBUTE_INTS = 8,
	ATTRIBUTE_KIND = 20
};
enum { KIND_FLOAT = 1, KIND_INT = 2, KIND_TEXT = 3, KIND_INTS = 7 };
enum { TENSOR_SIZE = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_BYTES = 9, TYPE_FLOAT = 1 };
enum {
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	TENSOR_ELEMENT = 1,
	TENSOR_SHAPE = 2,
	SHAPE_AXIS = 1,
	AXIS_SIZE = 1,
	AXIS_NAME = 2
};

typedef char name[96];

/* The graph while it is made. */
typedef struct graph {
	hy_text message;
	const hy_tape *tape;
	bool *kept;   /* owned: tensors of the network that are in the file, by index */
	name *values; /* owned: what each value of the tape is called */
	int n_nodes;
	hardy_status status;
	hardy_error *err;
} graph;

/* ---- tensors ------------------------------------------------------------------------------------------------------------ */

/* float32, little-endian. */
static void add_tensor(graph *g, const char *what, int n_dims, const int64_t *shape, const float *data, size_t n)
{
	hy_text t = {0};
	for (int i = 0; i < n_dims; i++)
		hy_proto_int(&t, TENSOR_SIZE, shape[i]);
	hy_proto_int(&t, TENSOR_TYPE, TYPE_FLOAT);
	hy_proto_text(&t, TENSOR_NAME, what);
	float *own = hy_alloc(n, sizeof *own);
	if (own) {
		memcpy(own, data, n * sizeof *own);
		if (hy_host_is_big_endian())
			hy_swap_bytes(own, n, sizeof *own);
		hy_proto_bytes(&t, TENSOR_BYTES, own, n * sizeof *own);
	}
	t.failed = t.failed || !own;
	hy_free(own);
	hy_proto_message(&g->message, GRAPH_TENSOR, &t);
}

/* The network's own, under its own name, once. */
static const char *tensor(graph *g, int param)
{
	const hy_param *p = &g->tape->params->list[param];
	if (!g->kept[param])
		add_tensor(g, p->name, p->n_dims, p->shape, hy_tape_param(g->tape, param), p->n);
	g->kept[param] = true;
	return p->name;
}

/* ---- operators ---------------------------------------------------------------------------------------------------------- */

typedef struct operator
{
	const char *kind;
	const char *inputs[5]; /* until NULL; "" is left out */
	const char *output;
	hy_text attributes; /* fields of the node */
}
operator;

static void attribute_int(operator* o, const char *what, int64_t value)
{
	hy_text a = {0};
	hy_proto_text(&a, ATTRIBUTE_NAME, what);
	hy_proto_int(&a, ATTRIBUTE_INT, value);
	hy_proto_int(&a, ATTRIBUTE_KIND, KIND_INT);
	hy_proto_message(&o->attributes, NODE_ATTRIBUTE, &a);
}

static void attribute_float(operator* o, const char *what, float value)
{
	hy_text a = {0};
	hy_proto_text(&a, ATTRIBUTE_NAME, what);
	hy_proto_float(&a, ATTRIBUTE_FLOAT, value);
	hy_proto_int(&a, ATTRIBUTE_KIND, KIND_FLOAT);
	hy_proto_message(&o->attributes, NODE_ATTRIBUTE, &a);
}

static void attribute_text(operator* o, const char *what, const char *value)
{
	hy_text a = {0};
	hy_proto_text(&a, ATTRIBUTE_NAME, what);
	hy_proto_text(&a, ATTRIBUTE_TEXT, value);
	hy_proto_int(&a, ATTRIBUTE_KIND, KIND_TEXT);
	hy_proto_message(&o->attributes, NODE_ATTRIBUTE, &a);
}

/* n times the same number. */
static void attribute_ints(operator* o, const char *what, int n, int64_t value)
{
	hy_text a = {0};
	hy_proto_text(&a, ATTRIBUTE_NAME, what);
	for (int i = 0; i < n; i++)
		hy_proto_int(&a, ATTRIBUTE_INTS, value);
	hy_proto_int(&a, ATTRIBUTE_KIND, KIND_INTS);
	hy_proto_message(&o->attributes, NODE_ATTRIBUTE, &a);
}

static void add_operator(graph *g, operator* o)
{
	hy_text n = {0};
	char label[32];
	snprintf(label, sizeof label, "%d_%s", g->n_nodes++, o->kind);
	for (int i = 0; i < 5 && o->inputs[i]; i++)
		hy_proto_text(&n, NODE_INPUT, o->inputs[i]);
	hy_proto_text(&n, NODE_OUTPUT, o->output);
	hy_proto_text(&n, NODE_NAME, label);
	hy_proto_text(&n, NODE_OPERATOR, o->kind);
	if (o->attributes.used)
		hy_text_add(&n, o->attributes.data, o->attributes.used);
	n.failed = n.failed || o->attributes.failed;
	hy_text_clear(&o->attributes);
	hy_proto_message(&g->message, GRAPH_NODE, &n);
}

/* Nearest-neighbour doubling. */
static void add_doubling(graph *g, const char *in, const char *out)
{
	operator o = {.kind = "Resize", .inputs = {in, "", "twice"}, .output = out};
	attribute_text(&o, "mode", "nearest");
	attribute_text(&o, "coordinate_transformation_mode", "asymmetric");
	attribute_text(&o, "nearest_mode", "floor");
	add_operator(g, &o);
}

static void add_conv(graph *g, const hy_node *n, int k, int stride, const char *in, const char *out)
{
	operator o = {.kind = "Conv",
	              .inputs = {in, tensor(g, n->param[0]), n->param[1] >= 0 ? tensor(g, n->param[1]) : NULL},
	              .output = out};
	attribute_ints(&o, "kernel_shape", 2, k);
	attribute_ints(&o, "pads", 4, k / 2);
	attribute_ints(&o, "strides", 2, stride);
	add_operator(g, &o);
}

/* ---- nodes of the tape -------------------------------------------------------------------------------------------------- */

/* A name for what lies between the operators of one node. */
static const char *inner(const graph *g, const hy_node *n, const char *what, name out)
{
	snprintf(out, sizeof(name), "%s_%s", g->values[n->out], what);
	return out;
}

/* Doubled, and where the next node adds what lies beside, the concatenation with that, which the tape never makes. */
static void double_conv(graph *g, const hy_node *n, const hy_node *beside)
{
	name doubled, both;
	add_doubling(g, g->values[n->in[0]], inner(g, n, "doubled", doubled));
	if (!beside) {
		add_conv(g, n, 3, 1, doubled, g->values[n->out]);
		return;
	}
	operator o = {.kind = "Concat", .inputs = {doubled, g->values[beside->in[0]]}, .output = inner(g, n, "both", both)};
	attribute_int(&o, "axis", 1);
	add_operator(g, &o);
	add_conv(g, n, 3, 1, both, g->values[n->out]);
}

/* The mean less the bias that the convolution before left out. */
static const char *norm_mean(graph *g, const hy_node *n, name out)
{
	if (n->param[4] < 0)
		return tensor(g, n->param[2]);
	const hy_param *p = &g->tape->params->list[n->param[2]];
	const float *mean = hy_tape_param(g->tape, n->param[2]), *bias = hy_tape_param(g->tape, n->param[4]);
	float *less = hy_alloc(p->n, sizeof *less);
	snprintf(out, sizeof(name), "%.70s.less_bias", p->name);
	g->message.failed = g->message.failed || !less;
	for (size_t i = 0; less && i < p->n; i++)
		less[i] = mean[i] - bias[i];
	if (less)
		add_tensor(g, out, 1, p->shape, less, p->n);
	hy_free(less);
	return out;
}

static void norm(graph *g, const hy_node *n)
{
	name mean, normed, doubled, sum;
	const char *last = inner(g, n, "norm", normed);
	operator o = {.kind = "BatchNormalization",
	              .inputs = {g->values[n->in[0]], tensor(g, n->param[0]), tensor(g, n->param[1]), norm_mean(g, n, mean),
	                         tensor(g, n->param[3])},
	              .output = last};
	attribute_float(&o, "epsilon", (float)HY_NORM_EPS);
	add_operator(g, &o);
	if (n->in[1] >= 0) {
		const char *skip = g->values[n->in[1]];
		if (n->flag) { /* it has half the grid */
			add_doubling(g, skip, inner(g, n, "skip", doubled));
			skip = doubled;
		}
		operator add = {.kind = "Add", .inputs = {last, skip}, .output = inner(g, n, "sum", sum)};
		add_operator(g, &add);
		last = sum;
	}
	operator act = {.kind = "LeakyRelu", .inputs = {last}, .output = g->values[n->out]};
	attribute_float(&act, "alpha", n->slope);
	add_operator(g, &act);
}

static void pool(graph *g, const hy_node *n)
{
	operator o = {.kind = "MaxPool", .inputs = {g->values[n->in[0]]}, .output = g->values[n->out]};
	attribute_ints(&o, "kernel_shape", 2, 2);
	attribute_ints(&o, "strides", 2, 2);
	add_operator(g, &o);
}

static void softmax(graph *g, const char *in, float scale, const char *out)
{
	name scaled, factor;
	if (scale < 1 || scale > 1) {
		snprintf(factor, sizeof factor, "%.60s_factor", out);
		snprintf(scaled, sizeof scaled, "%.60s_scaled", out);
		add_tensor(g, factor, 0, NULL, &scale, 1);
		operator o = {.kind = "Mul", .inputs = {in, factor}, .output = scaled};
		add_operator(g, &o);
		in = scaled;
	}
	operator o = {.kind = "Softmax", .inputs = {in}, .output = out};
	attribute_int(&o, "axis", 1);
	add_operator(g, &o);
}

static void add_node(graph *g, const hy_node *n, const hy_node *next)
{
	const hy_node *beside = next && !strcmp(next->name, "conv beside") && next->out == n->out ? next : NULL;
	if (!strcmp(n->name, "conv"))
		add_conv(g, n, (int)n->k, (int)n->stride, g->values[n->in[0]], g->values[n->out]);
	else if (!strcmp(n->name, "double conv"))
		double_conv(g, n, beside);
	else if (!strcmp(n->name, "norm"))
		norm(g, n);
	else if (!strcmp(n->name, "pool"))
		pool(g, n);
	else if (!strcmp(n->name, "softmax"))
		softmax(g, g->values[n->in[0]], n->scale, g->values[n->out]);
	else if (strcmp(n->name, "conv beside") != 0) /* done with the one before */
		g->status = hy_fail(g->err, HARDY_ERROR_UNSUPPORTED, "the operator \"%s\" has no form in ONNX", n->name);
}

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

/* n x (channels or classes) x height x width, of which only the second is fixed. */
static void add_value(graph *g, int field, const char *what, int64_t size)
{
	static const char *const open[] = {"n", NULL, "height", "width"};
	hy_text shape = {0}, tensor_type = {0}, type = {0}, value = {0};
	for (int i = 0; i < 4; i++) {
		hy_text axis = {0};
		if (open[i])
			hy_proto_text(&axis, AXIS_NAME, open[i]);
		else
			hy_proto_int(&axis, AXIS_SIZE, size);
		hy_proto_message(&shape, SHAPE_AXIS, &axis);
	}
	hy_proto_int(&tensor_type, TENSOR_ELEMENT, TYPE_FLOAT);
	hy_proto_message(&tensor_type, TENSOR_SHAPE, &shape);
	hy_proto_message(&type, TYPE_TENSOR, &tensor_type);
	hy_proto_text(&value, VALUE_NAME, what);
	hy_proto_message(&value, VALUE_TYPE, &type);
	hy_proto_message(&g->message, field, &value);
}

static void make_graph(graph *g, const hy_network_config *c, int x, int logits)
{
	static const float twice[] = {1, 1, 2, 2};
	static const int64_t four = 4;
	const hy_tape *t = g->tape;
	hy_proto_text(&g->message, GRAPH_NAME, "hardy");
	for (size_t i = 0; i < t->n_values; i++)
		snprintf(g->values[i], sizeof(name), "value_%zu", i);
	snprintf(g->values[x], sizeof(name), "image");
	snprintf(g->values[logits], sizeof(name), "logits");
	add_tensor(g, "twice", 1, &four, twice, 4);
	for (size_t i = 0; i < t->n_nodes && !g->status; i++)
		add_node(g, &t->nodes[i], i + 1 < t->n_nodes ? &t->nodes[i + 1] : NULL);
	softmax(g, "logits", 1, "probabilities");
	add_value(g, GRAPH_INPUT, "image", c->channels);
	add_value(g, GRAPH_OUTPUT, "logits", c->classes);
	add_value(g, GRAPH_OUTPUT, "probabilities", c->classes);
}

static void make_file(graph *g, const hy_onnx_note *notes, size_t n_notes, hy_text *out)
{
	hy_text operators = {0};
	hy_proto_int(out, MODEL_VERSION, FILE_VERSION);
	hy_proto_text(out, MODEL_PRODUCER, "hardy");
	hy_proto_text(out, MODEL_PRODUCER_VERSION, HARDY_VERSION);
	hy_proto_text(&operators, OPERATORS_DOMAIN, "");
	hy_proto_int(&operators, OPERATORS_VERSION, OPERATOR_SET);
	hy_proto_message(out, MODEL_OPERATORS, &operators);
	for (size_t i = 0; i < n_notes; i++) {
		hy_text note = {0};
		hy_proto_text(&note, NOTE_KEY, notes[i].key);
		hy_proto_text(&note, NOTE_VALUE, notes[i].value);
		hy_proto_message(out, MODEL_NOTE, &note);
	}
	hy_proto_message(out, MODEL_GRAPH, &g->message);
}

/* Records the network with plain kernels, where every operator of the definition is one node, or two where it has two inputs. */
static hardy_status record(hy_tape *t, hy_network *network, bool stn, int *x, int *logits, hardy_error *err)
{
	const hy_tape_options o = {HY_ISA_PLAIN, HY_CONV_PLAIN};
	const int64_t size = 2 * hy_network_stride(&network->config);
	hardy_status status = hy_tape_init(t, &network->params, &o, err);
	if (status)
		return status;
	t->norm = HY_NORM_RUNNING;
	*x = hy_tape_input(t, 1, network->config.channels, size, size);
	*logits = hy_network_forward(t, network, *x).p;
	if (stn)
		*logits = hy_stn_refine(t, network, hy_op_softmax(t, *logits, HY_STN_SOFTENING));
	return hy_tape_failed(t) ? hy_fail(err, t->error.status, "%s", t->error.message) : HARDY_OK;
}

hardy_status hy_onnx_make(const hy_model *m, bool stn, const hy_onnx_note *notes, size_t n_notes, hy_text *out,
                          hardy_error *err)
{
	hy_network network = m->network; /* recording alone changes nothing of it */
	hy_tape t;
	graph g = {.tape = &t, .err = err};
	int x = -1, logits = -1;
	hardy_status status = record(&t, &network, stn, &x, &logits, err);
	if (!status) {
		g.kept = hy_calloc(network.params.n, sizeof *g.kept);
		g.values = hy_calloc(t.n_values, sizeof *g.values);
		if (!g.kept || !g.values)
			status = hy_fail_memory(err, "an ONNX graph", t.n_values, sizeof *g.values);
	}
	if (!status) {
		make_graph(&g, &network.config, x, logits);
		status = g.status;
	}
	if (!status) {
		make_file(&g, notes, n_notes, out);
		status = out->failed ? hy_fail_memory(err, "an ONNX file", network.params.n_values, sizeof(float)) : HARDY_OK;
	}
	hy_text_clear(&g.message);
	hy_free(g.kept);
	hy_free(g.values);
	hy_tape_clear(&t);
	return status;
}
