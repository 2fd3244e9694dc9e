/*
 * model.c: a model to and from its safetensors file.
 */
#include "predict/model.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/outfile.h"
#include "engine/average.h"
#include "engine/safetensors.h"
#include "predict/meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACKED "num_batches_tracked"
#define MOMENT1 "adam.first_moment."
#define MOMENT2 "adam.second_moment."
#define AVERAGE "average."

enum { NAME_SIZE = 160, MAX_METADATA = 12, LEAST_VALUES = 1 << 18 };

void hy_model_clear(hy_model *m)
{
	hy_network_clear(&m->network);
	hy_free(m->card);
	*m = (hy_model){0};
}

static const float *slab_of(const hy_params *p, const hy_param *q)
{
	return (q->is_buffer ? p->buffers : p->values) + q->offset;
}

/* "a.b.running_var" gives "a.b.num_batches_tracked": true for one tensor of every batch norm. */
static bool tracked_name(const char *name, char out[NAME_SIZE])
{
	const char *dot = strrchr(name, '.');
	if (!dot || strcmp(dot + 1, "running_var"))
		return false;
	snprintf(out, NAME_SIZE, "%.*s" TRACKED, (int)(dot + 1 - name), name);
	return true;
}

static bool all_finite(const float *v, size_t n)
{
	bool finite = true;
	for (size_t i = 0; i < n; i++)
		finite &= isfinite(v[i]) != 0;
	return finite;
}

/* ---- saving ------------------------------------------------------------------------------------------------------------- */

typedef struct tensor_list {
	hy_st_tensor *items;
	char (*names)[NAME_SIZE];
	size_t n;
} tensor_list;

static void add_tensor(tensor_list *l, const char *prefix, const char *name, hy_dtype type, int n_dims, const int64_t *shape,
                       const void *data, size_t n_bytes)
{
	hy_st_tensor *t = &l->items[l->n];
	snprintf(l->names[l->n], NAME_SIZE, "%s%s", prefix, name);
	*t = (hy_st_tensor){.name = l->names[l->n], .dtype = type, .n_dims = n_dims, .data = data, .n_bytes = n_bytes};
	for (int i = 0; i < n_dims; i++)
		t->shape[i] = shape[i];
	l->n++;
}

static hardy_status list_tensors(const hy_params *p, bool moments, tensor_list *l, const char *path, hardy_error *err)
{
	const size_t room = 5 * p->n + 1; /* value, count, two moments, average */
	l->items = hy_calloc(room, sizeof *l->items);
	l->names = hy_calloc(room, sizeof *l->names);
	if (!l->items || !l->names)
		return hy_fail_memory(err, "the model's tensors", room, sizeof *l->items + sizeof *l->names);
	for (size_t i = 0; i < p->n; i++) {
		const hy_param *q = &p->list[i];
		const float *v = slab_of(p, q);
		char tracked[NAME_SIZE];
		if (!all_finite(v, q->n))
			return hy_fail(err, HARDY_ERROR_NUMERIC, "%s: not written: tensor \"%s\" holds a value that is not finite", path,
			               q->name);
		add_tensor(l, "", q->name, HY_F32, q->n_dims, q->shape, v, q->n * sizeof *v);
		if (tracked_name(q->name, tracked))
			add_tensor(l, "", tracked, HY_I64, 0, NULL, &p->n_batches_tracked, sizeof p->n_batches_tracked);
	}
	for (size_t i = 0; moments && i < p->n; i++) {
		const hy_param *q = &p->list[i];
		const float *average = q->is_buffer ? p->average_buffers : p->average_values;
		if (average)
			add_tensor(l, AVERAGE, q->name, HY_F32, q->n_dims, q->shape, average + q->offset, q->n * sizeof *average);
		if (q->is_buffer)
			continue;
		add_tensor(l, MOMENT1, q->name, HY_F32, q->n_dims, q->shape, p->first_moment + q->offset, q->n * sizeof(float));
		add_tensor(l, MOMENT2, q->name, HY_F32, q->n_dims, q->shape, p->second_moment + q->offset, q->n * sizeof(float));
	}
	return HARDY_OK;
}

/* A card is a JSON object; otherwise HARDY_ERROR_FORMAT, or HARDY_ERROR_MEMORY. */
static hardy_status check_card(const char *text, hardy_error *err)
{
	cJSON *json = NULL;
	const hardy_status status = hy_json_parse(text, strlen(text), &json, err);
	const bool good = cJSON_IsObject(json);
	cJSON_Delete(json);
	return status || good ? status : hy_fail(err, HARDY_ERROR_FORMAT, "not a JSON object");
}

typedef struct metadata {
	const char *keys[MAX_METADATA], *values[MAX_METADATA];
	char *printed[MAX_METADATA]; /* owned by cJSON */
	size_t n;
} metadata;

static void add_text(metadata *m, const char *key, const char *value)
{
	m->keys[m->n] = key;
	m->values[m->n++] = value;
}

/* What cannot be read back must not be written. */
static hardy_status check_readable(const hy_model *m, const char *key, const cJSON *json, const char *path, hardy_error *err)
{
	hy_model scratch;
	char where[512];
	snprintf(where, sizeof where, "%s: not written: metadata \"%s\"", path, key);
	if (!strcmp(key, "plan"))
		return hy_plan_from_json(&scratch.plan, json, where, err);
	if (!strcmp(key, "classes"))
		return hy_classes_from_json(scratch.classes, m->network.config.classes, json, where, err);
	if (!strcmp(key, "channels"))
		return hy_channels_from_json(scratch.channels, m->network.config.channels / hy_plan_channels(&m->plan, 1), json, where,
		                             err);
	if (!strcmp(key, "fingerprint"))
		return hy_fingerprint_from_json(&scratch.fingerprint, m->n_channels, json, where, err);
	if (!strcmp(key, "use"))
		return hy_use_from_json(&scratch.use, json, where, err);
	if (!strcmp(key, "quality"))
		return hy_calibration_from_json(&scratch.calibration, m->n_classes, json, where, err);
	return hy_network_config_from_json(&scratch.network.config, json, where, err);
}

/* Takes json, NULL when memory ran out. */
static hardy_status add_json(metadata *meta, const hy_model *m, const char *key, cJSON *json, const char *path,
                             hardy_error *err)
{
	hardy_status status = json ? check_readable(m, key, json, path, err) : HARDY_OK;
	char *text = json && !status ? hy_json_print(json, false) : NULL;
	cJSON_Delete(json);
	if (!status && !text)
		status = hy_fail(err, HARDY_ERROR_MEMORY, "out of memory for the metadata of %s", path);
	if (status)
		return status;
	meta->printed[meta->n] = text;
	add_text(meta, key, text);
	return HARDY_OK;
}

hardy_status hy_model_save(const hy_model *m, const char *path, const char *state, const char *mark, hardy_error *err)
{
	tensor_list tensors = {0};
	metadata meta = {0};
	char steps[32], hash[HY_SHA256_TEXT];
	hardy_status status = m->card ? check_card(m->card, err) : HARDY_OK;
	if (status)
		return hy_prefix(err, status == HARDY_ERROR_FORMAT ? HARDY_ERROR_ARGUMENT : status, "%s: not written: the model card",
		                 path);
	status = list_tensors(&m->network.params, state != NULL, &tensors, path, err);
	if (status)
		goto out;
	add_text(&meta, "hardy_version", HARDY_VERSION);
	status = hy_st_hash(tensors.items, tensors.n, hash, err);
	if (status)
		goto out;
	add_text(&meta, HY_MODEL_HASH, hash);
	status = add_json(&meta, m, "network", hy_network_config_to_json(&m->network.config), path, err);
	if (!status)
		status = add_json(&meta, m, "plan", hy_plan_to_json(&m->plan), path, err);
	if (!status)
		status = add_json(&meta, m, "classes", hy_classes_to_json(m->classes, m->n_classes), path, err);
	if (!status)
		status = add_json(&meta, m, "channels", hy_channels_to_json(m->channels, m->n_channels), path, err);
	if (!status)
		status = add_json(&meta, m, "fingerprint", hy_fingerprint_to_json(&m->fingerprint, m->n_channels), path, err);
	if (!status && m->use.chosen)
		status = add_json(&meta, m, "use", hy_use_to_json(&m->use), path, err);
	if (!status && m->calibration.version)
		status = add_json(&meta, m, "quality", hy_calibration_to_json(&m->calibration, m->n_classes), path, err);
	if (status)
		goto out;
	if (m->card)
		add_text(&meta, "card", m->card);
	if (state) {
		snprintf(steps, sizeof steps, "%lld", (long long)m->network.params.adam_steps);
		add_text(&meta, "adam_steps", steps);
		add_text(&meta, "state", state);
	}
	status = hy_st_write(path, tensors.items, tensors.n, meta.keys, meta.values, meta.n, mark, err);
out:
	for (size_t i = 0; i < meta.n; i++)
		cJSON_free(meta.printed[i]);
	hy_free(tensors.items);
	hy_free(tensors.names);
	return status;
}

/* ---- loading ------------------------------------------------------------------------------------------------------------ */

typedef struct source {
	hy_st_file file;
	const char *path;
	bool *used; /* per tensor of the file */
	hardy_error *err;
} source;

static const hy_st_tensor *use(source *s, const char *name)
{
	const hy_st_tensor *t = hy_st_find(&s->file, name);
	if (t)
		s->used[t - s->file.tensors] = true;
	return t;
}

static void print_shape(char *out, size_t size, int n_dims, const int64_t *shape)
{
	size_t used = 0;
	out[0] = 0;
	for (int i = 0; i < n_dims && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, i ? " x %lld" : "%lld", (long long)shape[i]);
	if (!n_dims)
		snprintf(out, size, "a scalar");
}

static hardy_status load_tensor(source *s, const char *prefix, const hy_param *q, float *to)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, "%s%s", prefix, q->name);
	const hy_st_tensor *t = use(s, name);
	if (!t)
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" is missing", s->path, name);
	if (t->dtype != HY_F32)
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" is not of type F32", s->path, name);
	if (t->n_dims != q->n_dims || memcmp(t->shape, q->shape, (size_t)q->n_dims * sizeof *q->shape) != 0) {
		char found[200], wanted[100];
		print_shape(found, sizeof found, t->n_dims, t->shape);
		print_shape(wanted, sizeof wanted, q->n_dims, q->shape);
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" is %s, want %s", s->path, name, found, wanted);
	}
	memcpy(to, t->data, t->n_bytes);
	if (!all_finite(to, q->n))
		return hy_fail(s->err, HARDY_ERROR_NUMERIC, "%s: tensor \"%s\" holds a value that is not finite", s->path, name);
	const char *dot = strrchr(q->name, '.');
	for (size_t i = 0; q->is_buffer && dot && !strcmp(dot, ".running_var") && i < q->n; i++) {
		if (to[i] < 0)
			return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" holds the negative variance %g", s->path, name,
			               (double)to[i]);
	}
	return HARDY_OK;
}

/* The counts differ between modules in the authors' files; only their being there matters, so the largest is kept. */
static hardy_status load_count(source *s, const char *name, int64_t *count)
{
	const hy_st_tensor *t = use(s, name);
	if (!t)
		return HARDY_OK;
	int64_t v = -1;
	if (t->dtype == HY_I64 && t->n_bytes == sizeof v)
		memcpy(&v, t->data, sizeof v);
	if (v < 0)
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" is not one I64 of 0 or more", s->path, name);
	*count = v > *count ? v : *count;
	return HARDY_OK;
}

/* A checkpoint of a run that averages its weights has them twice. */
static bool has_average(const source *s, const hy_params *p)
{
	char name[NAME_SIZE];
	snprintf(name, sizeof name, AVERAGE "%s", p->list[0].name);
	return hy_st_find(&s->file, name) != NULL;
}

static hardy_status load_parameters(source *s, hy_params *p, bool moments)
{
	const bool average = moments && has_average(s, p);
	float *values = hy_params_write_values(p), *buffers = hy_params_write_buffers(p);
	hardy_status status = average ? hy_average_start(p, s->err) : HARDY_OK;
	for (size_t i = 0; i < p->n && !status; i++) {
		const hy_param *q = &p->list[i];
		char tracked[NAME_SIZE];
		status = load_tensor(s, "", q, (q->is_buffer ? buffers : values) + q->offset);
		if (!status && tracked_name(q->name, tracked))
			status = load_count(s, tracked, &p->n_batches_tracked);
		if (!status && moments && !q->is_buffer)
			status = load_tensor(s, MOMENT1, q, p->first_moment + q->offset);
		if (!status && moments && !q->is_buffer)
			status = load_tensor(s, MOMENT2, q, p->second_moment + q->offset);
		if (!status && average)
			status = load_tensor(s, AVERAGE, q, (q->is_buffer ? p->average_buffers : p->average_values) + q->offset);
	}
	for (size_t i = 0; i < s->file.n_tensors && !status; i++) {
		if (!s->used[i])
			status = hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" does not belong to this network", s->path,
			                 s->file.tensors[i].name);
	}
	return status;
}

/* The network that the tensors themselves describe. */
static hardy_status config_of_tensors(source *s, hy_network_config *c)
{
	const bool unet = hy_st_find(&s->file, "down.0.0.0.weight") != NULL;
	const char *first = unet ? "down.0.0.0.weight" : "image_encoder.general_encoder.inc.0.weight";
	const char *last = unet ? "out.weight" : "segmentation_decoder.final_conv.weight";
	const hy_st_tensor *in = hy_st_find(&s->file, first), *out = hy_st_find(&s->file, last);
	if (!in || !out)
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" is missing: not a model of this network", s->path,
		               in ? last : first);
	const int64_t channels = in->n_dims == 4 ? in->shape[1] : 0, classes = out->n_dims == 4 ? out->shape[0] : 0;
	if (channels < 1 || channels > HY_MAX_CHANNELS || classes < 2 || classes > HY_MAX_CLASSES)
		return hy_fail(s->err, HARDY_ERROR_FORMAT,
		               "%s: its tensors are for %lld channels and %lld classes, want 1 to %d and 2 to %d", s->path,
		               (long long)channels, (long long)classes, HY_MAX_CHANNELS, HY_MAX_CLASSES);
	if (unet) {
		char name[32];
		*c = (hy_network_config){.channels = (int)channels, .classes = (int)classes, .kind = HY_NETWORK_UNET};
		c->width = in->shape[0] <= HY_UNET_MOST_WIDTH ? (int)in->shape[0] : -1; /* hy_network_init names it */
		do
			snprintf(name, sizeof name, "down.%d.0.0.weight", ++c->levels);
		while (c->levels <= HY_UNET_MOST_LEVELS && hy_st_find(&s->file, name));
		snprintf(name, sizeof name, "up.%d.0.0.weight", c->levels - 2);
		const hy_st_tensor *top = hy_st_find(&s->file, name);
		c->no_top_skip = top && top->n_dims == 4 && top->shape[1] == 2 * in->shape[0]; /* with a skip: three times as many */
		return HARDY_OK;
	}
	*c = (hy_network_config){.channels = (int)channels,
	                         .classes = (int)classes,
	                         .decoupler = hy_st_find(&s->file, "image_encoder.code_decoupler.0.weight") != NULL};
	return HARDY_OK;
}

/* What a file without metadata is taken for: the published plan; LV, MYO, RV when there are four classes. */
static void assume_published(hy_model *m)
{
	static const char *const heart[] = {"LV", "MYO", "RV"};
	const int n = m->n_classes, channels = m->n_channels;
	hy_plan_init(&m->plan);
	for (int i = 0; i < n; i++) {
		hy_class *c = &m->classes[i];
		*c = (hy_class){.value = i, .present = true};
		if (!i)
			snprintf(c->name, sizeof c->name, "background");
		else if (n == 4)
			snprintf(c->name, sizeof c->name, "%s", heart[i - 1]);
		else
			snprintf(c->name, sizeof c->name, "class_%d", i);
	}
	for (int i = 0; i < channels; i++)
		snprintf(m->channels[i], sizeof m->channels[i], channels == 1 ? "image" : "channel_%d", i);
}

/* Parses metadata `key` and begins the message of whatever reads it. Release *json. */
static hardy_status metadata_json(const source *s, const char *key, cJSON **json, char where[512])
{
	const char *text = hy_st_metadata(&s->file, key);
	snprintf(where, 512, "%s: metadata \"%s\"", s->path, key);
	if (!text)
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s is missing", where);
	const hardy_status status = hy_json_parse(text, strlen(text), json, s->err);
	return status ? hy_prefix(s->err, status, "%s", where) : HARDY_OK;
}

/* What only some models have. */
static hardy_status load_optional(const source *s, hy_model *m)
{
	static const char *const keys[] = {"use", "quality"};
	hardy_status status = HARDY_OK;
	for (int i = 0; i < 2 && !status; i++) {
		cJSON *json = NULL;
		char where[512];
		if (!hy_st_metadata(&s->file, keys[i]))
			continue;
		status = metadata_json(s, keys[i], &json, where);
		if (!status)
			status = i ? hy_calibration_from_json(&m->calibration, m->n_classes, json, where, s->err)
			           : hy_use_from_json(&m->use, json, where, s->err);
		cJSON_Delete(json);
	}
	return status;
}

static hardy_status load_metadata(const source *s, hy_model *m, hy_network_config *config)
{
	static const char *const keys[] = {"network", "plan", "classes", "channels", "fingerprint"};
	hardy_status status = HARDY_OK;
	for (int i = 0; i < 5 && !status; i++) {
		cJSON *json = NULL;
		char where[512];
		status = metadata_json(s, keys[i], &json, where);
		if (!status && i == 0) {
			status = hy_network_config_from_json(config, json, where, s->err);
			m->n_classes = config->classes;
			m->n_channels = config->channels;
		} else if (!status && i == 1) {
			status = hy_plan_from_json(&m->plan, json, where, s->err);
			m->n_channels /= status ? 1 : hy_plan_channels(&m->plan, 1);
			if (!status && hy_plan_channels(&m->plan, m->n_channels) != config->channels)
				status = hy_fail(s->err, HARDY_ERROR_FORMAT,
				                 "%s: %d neighbours on each side do not divide the network's %d channels", where,
				                 m->plan.neighbours, config->channels);
		} else if (!status && i == 2) {
			status = hy_classes_from_json(m->classes, m->n_classes, json, where, s->err);
		} else if (!status && i == 3) {
			status = hy_channels_from_json(m->channels, m->n_channels, json, where, s->err);
		} else if (!status) {
			status = hy_fingerprint_from_json(&m->fingerprint, m->n_channels, json, where, s->err);
		}
		cJSON_Delete(json);
	}
	if (!status)
		status = load_optional(s, m);
	const char *card = hy_st_metadata(&s->file, "card");
	if (status || !card)
		return status;
	if ((status = check_card(card, s->err)))
		return hy_prefix(s->err, status, "%s: metadata \"card\"", s->path);
	m->card = hy_strdup(card);
	return m->card ? HARDY_OK : hy_fail_memory(s->err, "the model card", strlen(card) + 1, 1);
}

/* Files of a later major version may mean something else by the same words. */
static hardy_status check_version(const source *s, const char *version)
{
	char *end = NULL;
	const unsigned long major = strtoul(version, &end, 10), own = strtoul(HARDY_VERSION, NULL, 10);
	if (version[0] < '0' || version[0] > '9' || *end != '.')
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: metadata \"hardy_version\" is \"%.40s\", want a version such as %s",
		               s->path, version, HARDY_VERSION);
	if (major > own)
		return hy_fail(s->err, HARDY_ERROR_UNSUPPORTED, "%s: written by hardy %.40s, this is %s: use a newer one", s->path,
		               version, HARDY_VERSION);
	return HARDY_OK;
}

/* adam_steps and the caller's state; only a checkpoint has them. */
static hardy_status load_state(const source *s, hy_params *p, char **state)
{
	const char *text = hy_st_metadata(&s->file, "state"), *steps = hy_st_metadata(&s->file, "adam_steps");
	char *end = NULL;
	const long long n = steps ? strtoll(steps, &end, 10) : -1;
	if (n < 0 || *end)
		return hy_fail(s->err, HARDY_ERROR_FORMAT, "%s: metadata \"adam_steps\" is %s, want a whole number", s->path,
		               steps ? steps : "missing");
	p->adam_steps = n;
	if (!state)
		return HARDY_OK;
	*state = hy_strdup(text);
	return *state ? HARDY_OK : hy_fail_memory(s->err, "the checkpoint's state", strlen(text) + 1, 1);
}

static hardy_status load(source *s, hy_model *m, char **state)
{
	const char *version = hy_st_metadata(&s->file, "hardy_version");
	const bool checkpoint = version && hy_st_metadata(&s->file, "state");
	hy_network_config config = {0};
	/* Four times what the file holds: a tensor that is missing is to be named, but memory is not a file's to ask for. */
	const size_t most = s->file.size + LEAST_VALUES;
	s->used = hy_calloc(s->file.n_tensors, sizeof *s->used);
	if (!s->used)
		return hy_fail_memory(s->err, "tensor names", s->file.n_tensors, sizeof *s->used);
	hardy_status status;
	if (version) {
		status = check_version(s, version);
		if (!status)
			status = load_metadata(s, m, &config);
	} else {
		status = config_of_tensors(s, &config);
		if (!status) {
			m->n_classes = config.classes;
			m->n_channels = config.channels;
			assume_published(m);
		}
	}
	if (!status && (status = hy_network_init_within(&m->network, &config, most, s->err)))
		hy_prefix(s->err, status, "%s", s->path);
	if (!status)
		status = load_parameters(s, &m->network.params, checkpoint);
	if (!status && checkpoint)
		status = load_state(s, &m->network.params, state);
	return status;
}

/* What of the file lies in memory; clears s. */
static hardy_status take(source *s, hardy_status status, hy_model *m, char **state)
{
	hy_model made = {0};
	char *text = NULL;
	if (!status)
		status = load(s, &made, state ? &text : NULL);
	if (status) {
		hy_model_clear(&made);
		hy_free(text);
	} else {
		*m = made;
		if (state)
			*state = text;
	}
	hy_free(s->used);
	hy_st_clear(&s->file);
	return status;
}

hardy_status hy_model_load(hy_model *m, const char *path, char **state, hardy_error *err)
{
	source s = {.path = path, .err = err};
	return take(&s, hy_st_read(&s.file, path, err), m, state);
}

hardy_status hy_model_parse(hy_model *m, char *buffer, size_t size, const char *name, hardy_error *err)
{
	source s = {.path = name, .err = err};
	return take(&s, hy_st_parse(&s.file, buffer, size, name, err), m, NULL);
}

/* ---- verifying ---------------------------------------------------------------------------------------------------------- */

hardy_status hardy_verify(const char *path, const hardy_sink *report, hardy_error *err)
{
	hy_st_file f;
	char found[HY_SHA256_TEXT];
	hardy_status status = hy_st_read(&f, path, err);
	if (status)
		return status;
	const char *wanted = hy_st_metadata(&f, HY_MODEL_HASH);
	status = hy_st_hash(f.tensors, f.n_tensors, found, err);
	if (!status && wanted && strcmp(wanted, found) != 0)
		status =
		    hy_fail(err, HARDY_ERROR_DATA, "%s: its tensors have the SHA-256 %s, its metadata want %.80s: they were changed",
		            path, found, wanted);
	else if (!status && wanted)
		hy_sink_printf(report, "%s: its %zu tensors are those that were written, SHA-256 %s\n", path, f.n_tensors, found);
	else if (!status)
		hy_sink_printf(report, "%s: says no SHA-256 of its tensors, which is %s: nothing to compare with\n", path, found);
	hy_st_clear(&f);
	return status;
}
