/*
 * golden.c: locating and opening a set of recorded values.
 */
#include "support/golden.h"

#include "base/files.h"
#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(int code, const char *set, const char *why)
{
	fprintf(stderr, "golden %s: %s\n", set, why);
	exit(code);
}

static bool is_array_name(const char *s)
{
	const size_t n = strlen(s);
	return n > 4 && !strcmp(s + n - 4, ".npy");
}

/* Every string of the manifest that is the name of an array must be a file. */
static void require_files(const golden *g, const cJSON *node)
{
	if (cJSON_IsString(node) && is_array_name(node->valuestring) && !strchr(node->valuestring, ' ')) {
		char *path = hy_path_join(g->folder, node->valuestring);
		if (!path || !hy_path_exists(path)) {
			fprintf(stderr, "golden %s: the manifest names %s, which is not in %s\n", g->set, node->valuestring, g->folder);
			exit(1);
		}
		hy_free(path);
	}
	for (const cJSON *child = node->child; child; child = child->next)
		require_files(g, child);
}

static void read_manifest(golden *g)
{
	char *path = g->folder ? hy_path_join(g->folder, "MANIFEST.json") : NULL;
	char *text = NULL;
	hardy_error err;
	if (!path)
		give_up(1, g->set, "out of memory");
	if (hy_file_read(path, &text, &(size_t){0}, &err))
		give_up(1, g->set, err.message);
	g->manifest = cJSON_Parse(text);
	if (!g->manifest)
		give_up(1, g->set, "MANIFEST.json is not JSON");
	require_files(g, g->manifest);
	g->read = cJSON_CreateObject();
	hy_free(text);
	hy_free(path);
}

void golden_open_own(golden *g, const char *set)
{
	*g = (golden){.set = set};
	const char *source = getenv("HARDY_SOURCE");
	if (!source)
		give_up(77, set, "skipped: HARDY_SOURCE is not set");
	g->folder = hy_path_join(source, set);
	read_manifest(g);
}

void golden_open(golden *g, const char *set)
{
	*g = (golden){.set = set};
	const char *root = getenv("HARDY_GOLDEN"), *source = getenv("HARDY_SOURCE");
	char *fallback = NULL;
	if (!root) {
		fallback = source ? hy_path_join(source, "../shared/golden") : NULL;
		if (!fallback || !hy_path_exists(fallback))
			give_up(77, set, "skipped: HARDY_GOLDEN is not set and HARDY_SOURCE/../shared/golden is absent");
		root = fallback;
	}
	g->folder = hy_path_join(root, set);
	read_manifest(g);
	hy_free(fallback);
}

int golden_close(golden *g, int n_failed)
{
	printf("golden %s: %d cases checked\n", g->set, g->n_checked);
	const int code = n_failed || !g->n_checked;
	cJSON_Delete(g->manifest);
	cJSON_Delete(g->read);
	hy_free(g->folder);
	memset(g, 0, sizeof *g);
	return code;
}

char *golden_path(const golden *g, const char *name)
{
	char *path = hy_path_join(g->folder, name);
	if (!path)
		fail_msg("out of memory");
	return path;
}

npy golden_array(const golden *g, const char *name)
{
	char file[256];
	hardy_error err;
	npy a = {.n = 0};
	if (snprintf(file, sizeof file, "%s%s", name, is_array_name(name) ? "" : ".npy") >= (int)sizeof file)
		fail_msg("%s: name too long", name);
	if (!cJSON_HasObjectItem(g->read, file))
		cJSON_AddTrueToObject(g->read, file);
	char *path = golden_path(g, file);
	const hardy_status st = npy_read(path, &a, &err);
	hy_free(path);
	if (st)
		fail_msg("%s", err.message);
	return a;
}

bool golden_all_read(const golden *g)
{
	bool all = true;
	const cJSON *f;
	cJSON_ArrayForEach(f, cJSON_GetObjectItemCaseSensitive(g->manifest, "files"))
	{
		const char *name = golden_string(f, "file");
		if (!cJSON_HasObjectItem(g->read, name)) {
			fprintf(stderr, "golden %s: no case uses %s\n", g->set, name);
			all = false;
		}
	}
	return all;
}

npy golden_member_array(const golden *g, const cJSON *object, const char *key)
{
	return golden_array(g, golden_string(object, key));
}

const cJSON *golden_member(const cJSON *object, const char *key)
{
	const cJSON *m = cJSON_GetObjectItemCaseSensitive(object, key);
	if (!m) {
		const cJSON *name = cJSON_GetObjectItemCaseSensitive(object, "name");
		fail_msg("%s: no member %s", cJSON_IsString(name) ? name->valuestring : "manifest", key);
	}
	return m;
}

double golden_number(const cJSON *object, const char *key)
{
	const cJSON *m = golden_member(object, key);
	if (!cJSON_IsNumber(m))
		fail_msg("member %s is not a number", key);
	return m->valuedouble;
}

const char *golden_string(const cJSON *object, const char *key)
{
	const cJSON *m = golden_member(object, key);
	if (!cJSON_IsString(m))
		fail_msg("member %s is not a string", key);
	return m->valuestring;
}

void golden_numbers(const cJSON *object, const char *key, double *out, int n)
{
	const cJSON *m = golden_member(object, key);
	if (!cJSON_IsArray(m) || cJSON_GetArraySize(m) != n)
		fail_msg("member %s is not an array of %d", key, n);
	for (int i = 0; i < n; i++) {
		const cJSON *v = cJSON_GetArrayItem(m, i);
		if (!cJSON_IsNumber(v))
			fail_msg("member %s[%d] is not a number", key, i);
		out[i] = v->valuedouble;
	}
}

/* ---- comparisons ---- */

void golden_close_to(const char *who, const char *what, const char *part, double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%s: %s %s is %.9g, want %.9g within %.3g", who, what, part, got, want, tolerance);
}

void golden_close_array(golden *g, const char *who, const char *what, const cJSON *item, const float *values)
{
	npy want = golden_member_array(g, item, "file");
	const double tolerance = golden_number(item, "tolerance");
	for (size_t i = 0; i < want.n; i++)
		golden_close_to(who, what, "element", (double)values[i], npy_at(&want, i), tolerance);
	npy_clear(&want);
	g->n_checked++;
}

void golden_close_tensors(golden *g, const char *who, const char *what, const cJSON *tensors, const hy_params *p,
                          bool gradients)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, tensors)
	{
		const int at = hy_params_find(p, item->string);
		if (at < 0)
			fail_msg("%s: no tensor %s", what, item->string);
		const hy_param *q = &p->list[at];
		const float *v = (gradients ? p->grads : q->is_buffer ? p->buffers : p->values) + q->offset;
		double square = 0;
		for (size_t k = 0; k < q->n; k++)
			square += (double)v[k] * (double)v[k];
		assert_int_equal(q->n, (int)golden_number(item, "n"));
		golden_close_to(who, item->string, "l2", sqrt(square), golden_number(item, "l2"), golden_number(item, "l2_tolerance"));
		const cJSON *index = golden_member(item, "index"), *sample = golden_member(item, "sample");
		const double tolerance = golden_number(item, "sample_tolerance");
		for (int k = 0; k < cJSON_GetArraySize(index); k++)
			golden_close_to(who, item->string, "sample", (double)v[cJSON_GetArrayItem(index, k)->valueint],
			                cJSON_GetArrayItem(sample, k)->valuedouble, tolerance);
		g->n_checked++;
	}
}
