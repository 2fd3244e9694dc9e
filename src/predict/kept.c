/*
 * kept.c: scores of cases in files, a file a part of the work.
 */
#include "predict/kept.h"

#include "base/csv.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TITLES "stamp,case,n_slices,crossed"
enum { STAMP, CASE, N_SLICES, CROSSED, N_BEFORE, PER_CLASS = 1 + HARDY_N_SCORES };
enum { MAX_FIELDS = N_BEFORE + HY_MAX_CLASSES * PER_CLASS };
enum { EXACT = 17 };      /* digits from which a double comes back as it was */
enum { KEY_DIGITS = 12 }; /* in names of files */

/* ---- what scores depend on ---------------------------------------------------------------------------------------------- */

/* A field ends with a zero byte, so that no two lists of fields are the same bytes. */
static void add_text(hy_sha256 *h, const char *text)
{
	hy_sha256_add(h, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void add_number(hy_sha256 *h, double v)
{
	char text[40];
	snprintf(text, sizeof text, "%.17g", v);
	add_text(h, text);
}

static void add_options(hy_sha256 *h, const hardy_evaluate_options *o)
{
	const double numbers[] = {o->own_labels,    o->class_numbers, o->spacing_mm[0], o->spacing_mm[1],
	                          o->spacing_mm[2], o->tolerance_mm,  (double)o->empty, o->labelled_slices,
	                          o->hd95_directed, o->assd_directed, o->nsd_surfels};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		add_number(h, numbers[i]);
}

static void add_classes(hy_sha256 *h, const hy_class *classes, int n)
{
	add_number(h, n);
	for (int c = 0; c < n; c++) {
		add_text(h, classes[c].name);
		add_number(h, classes[c].value);
		add_number(h, classes[c].present);
	}
}

static hardy_status add_place(hy_sha256 *h, const char *path, hardy_error *err)
{
	char *resolved = NULL;
	const hardy_status status = hy_path_resolve(path, &resolved, err);
	add_text(h, resolved);
	hy_free(resolved);
	return status;
}

hardy_status hy_kept_key(const hy_kept_settings *s, char key[HY_SHA256_TEXT], hardy_error *err)
{
	hy_sha256 h;
	hy_sha256_init(&h);
	add_text(&h, HARDY_VERSION);
	add_options(&h, s->o);
	add_classes(&h, s->data->classes, s->data->n_classes);
	for (int i = 0; i < s->data->n_values; i++) {
		add_number(&h, s->data->values[i].value);
		add_number(&h, s->data->values[i].class);
	}
	for (size_t k = 0; k < s->n_classes; k++)
		add_number(&h, s->classes[k]);
	add_classes(&h, s->legend ? s->legend->classes : NULL, s->legend ? s->legend->n : 0);
	hardy_status status = add_place(&h, s->o->prediction, err);
	if (!status)
		status = add_place(&h, s->o->reference, err);
	hy_sha256_end(&h, key);
	return status;
}

static bool add_file(hy_sha256 *h, const char *path)
{
	struct stat s;
	if (!path)
		return true;
	if (stat(path, &s))
		return false;
	add_text(h, hy_path_name(path));
	add_number(h, (double)s.st_size);
	add_number(h, (double)s.st_mtim.tv_sec);
	add_number(h, (double)s.st_mtim.tv_nsec);
	return true;
}

void hy_kept_stamp(const char *key, const hy_pair *pair, const hy_dataset *d, char stamp[HY_SHA256_TEXT])
{
	hy_sha256 h;
	hy_sha256_init(&h);
	add_text(&h, key);
	add_text(&h, pair->name);
	add_number(&h, (double)pair->frame);
	bool there = add_file(&h, pair->prediction) && add_file(&h, pair->reference);
	if (!pair->reference) {
		const hy_case *c = &d->cases[pair->case_index];
		add_number(&h, (double)c->frame);
		add_number(&h, (double)c->label_frame);
		there = there && add_file(&h, c->label_path);
		for (int i = 0; i < HY_MAX_CHANNELS; i++)
			there = there && add_file(&h, c->image_path[i]);
	}
	hy_sha256_end(&h, stamp);
	if (!there)
		stamp[0] = 0;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

hardy_status hy_kept_open(hy_kept *k, const char *key, int64_t part, int64_t parts, const hardy_log *log, hardy_error *err)
{
	const size_t room = strlen(k->folder) + strlen(key) + 96;
	char what[1200];
	k->written_s = hy_clock_s();
	k->cases = hy_calloc(k->n + 1, sizeof *k->cases);
	k->start = hy_alloc(room, 1);
	k->path = hy_alloc(room, 1);
	k->guard = hy_alloc(room, 1);
	if (!k->cases || !k->start || !k->path || !k->guard)
		return hy_fail_memory(err, k->folder, k->n + 1, sizeof *k->cases);
	snprintf(k->start, room, "scores-%.*s-", KEY_DIGITS, key);
	snprintf(k->path, room, "%s/%s%lld-of-%lld.csv", k->folder, k->start, (long long)part, (long long)parts);
	snprintf(k->guard, room, "%s.lock", k->path);
	snprintf(what, sizeof what, "%.1000s: another program scores this part of the cases", k->path);
	hardy_status status = hy_make_output_folder(k->folder, err);
	if (!status)
		status = hy_outfile_check(k->path, TITLES, err);
	if (status == HARDY_ERROR_ARGUMENT)
		return hy_fail(err, status, "%s: is there already, and no table of kept scores: keep them in another folder", k->path);
	return status ? status : hy_lock_take(&k->lock, k->guard, false, what, log, err);
}

void hy_kept_close(hy_kept *k)
{
	hy_lock_drop(&k->lock);
	for (size_t i = 0; i < k->n && k->cases; i++)
		hy_free(k->cases[i].crossed);
	hy_free(k->cases);
	hy_free(k->start);
	hy_free(k->path);
	hy_free(k->guard);
	*k = (hy_kept){0};
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* "P:R:COUNT ..." added to a matrix; false, and nothing is added, where the text is something else. */
static bool add_crossed(const char *text, int64_t *crossed)
{
	for (int write = 0; write < 2; write++) {
		for (const char *at = text; *at;) {
			int p, r, used = 0;
			long long count;
			if (sscanf(at, "%2d:%2d:%15lld%n", &p, &r, &count, &used) != 3 || p < 0 || p >= HY_MAX_CLASSES || r < 0 ||
			    r >= HY_MAX_CLASSES || count < 0 || (at[used] && at[used] != ' '))
				return false;
			if (write)
				crossed[p * HY_MAX_CLASSES + r] += count;
			at += used + (at[used] == ' ');
		}
	}
	return true;
}

/* Empty is undefined. */
static bool read_value(const char *text, double *v)
{
	*v = hy_number(text);
	return !*text || !isnan(*v);
}

static bool read_state(const char *text, hardy_row_state *state)
{
	for (int s = 0; s < HARDY_N_ROW_STATES; s++) {
		if (strcmp(text, hardy_row_state_name((hardy_row_state)s)) != 0)
			continue;
		*state = (hardy_row_state)s;
		return true;
	}
	return false;
}

/* Fills a case's scores; false where a field is damaged. */
static bool read_scores(const hy_kept *k, char **fields, hy_kept_score *scores)
{
	double n_slices;
	if (!read_value(fields[N_SLICES], &n_slices) || !(n_slices >= 0 && n_slices < 1e15))
		return false;
	for (size_t c = 0; c < k->n_classes; c++) {
		char **of_class = fields + N_BEFORE + c * PER_CLASS;
		scores[c].n_slices = (int64_t)n_slices;
		if (!read_state(of_class[0], &scores[c].state))
			return false;
		for (int s = 0; s < HARDY_N_SCORES; s++)
			if (!read_value(of_class[1 + s], &scores[c].value[s]))
				return false;
	}
	return true;
}

static int by_stamp(const void *a, const void *b)
{
	return strcmp((*(hy_kept_case *const *)a)->stamp, (*(hy_kept_case *const *)b)->stamp);
}

/* The case of a stamp, NULL where there is none. */
static hy_kept_case *find_case(hy_kept_case **sorted, size_t n, const char *stamp)
{
	hy_kept_case key;
	const hy_kept_case *at = &key;
	if (strlen(stamp) != HY_SHA256_TEXT - 1)
		return NULL;
	memcpy(key.stamp, stamp, HY_SHA256_TEXT);
	hy_kept_case **found = bsearch(&at, sorted, n, sizeof(hy_kept_case *), by_stamp);
	return found ? *found : NULL;
}

static hardy_status read_file(hy_kept *k, hy_kept_case **sorted, const char *path, int64_t *crossed, hardy_error *err)
{
	const bool ours = hy_path_same(path, k->path);
	char *text = NULL, *fields[MAX_FIELDS];
	size_t size, n_fields;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	hy_csv csv = hy_csv_begin(text);
	while (!status && (n_fields = hy_csv_row(&csv, fields, MAX_FIELDS))) {
		hy_kept_case *c = n_fields == N_BEFORE + k->n_classes * PER_CLASS ? find_case(sorted, k->n, fields[STAMP]) : NULL;
		if (!c || c->done || !read_scores(k, fields, &k->scores[(size_t)(c - k->cases) * k->n_classes]))
			continue;
		c->done = add_crossed(fields[CROSSED], crossed);
		c->ours = c->done && ours;
		if (c->ours && !(c->crossed = hy_strdup(fields[CROSSED])))
			status = hy_fail_memory(err, path, strlen(fields[CROSSED]), 1);
	}
	hy_free(text);
	return status;
}

hardy_status hy_kept_read(hy_kept *k, int64_t *crossed, hardy_error *err)
{
	hy_names names = {0};
	const size_t length = strlen(k->start);
	hy_kept_case **sorted = hy_alloc(k->n + 1, sizeof(hy_kept_case *));
	if (!sorted)
		return hy_fail_memory(err, k->folder, k->n + 1, sizeof(hy_kept_case *));
	for (size_t i = 0; i < k->n; i++)
		sorted[i] = &k->cases[i];
	qsort(sorted, k->n, sizeof(hy_kept_case *), by_stamp);
	hardy_status status = hy_list_folder(k->folder, &names, err);
	for (size_t i = hy_names_find(&names, k->start, length); !status && hy_names_begin(&names, i, k->start, length); i++) {
		if (!hy_ends_with(names.name[i], ".csv"))
			continue;
		char *path = hy_path_join(k->folder, names.name[i]);
		status = path ? read_file(k, sorted, path, crossed, err) : hy_fail_memory(err, k->folder, length, 1);
		hy_free(path);
	}
	hy_names_free(&names);
	hy_free(sorted);
	return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

hardy_status hy_kept_add(hy_kept *k, size_t i, const int64_t *crossed, int n_classes, hardy_error *err)
{
	const size_t room = (size_t)(n_classes * n_classes) * 28 + 1;
	hy_kept_case *c = &k->cases[i];
	char *text = hy_alloc(room, 1);
	if (!text)
		return hy_fail_memory(err, k->folder, room, 1);
	text[0] = 0;
	for (int p = 0, used = 0; p < n_classes; p++)
		for (int r = 0; r < n_classes; r++)
			if (crossed[p * HY_MAX_CLASSES + r])
				used += snprintf(text + used, room - (size_t)used, "%s%d:%d:%lld", used ? " " : "", p, r,
				                 (long long)crossed[p * HY_MAX_CLASSES + r]);
	hy_free(c->crossed);
	c->crossed = text;
	c->done = c->ours = k->changed = true;
	return HARDY_OK;
}

static void write_titles(const hy_kept *k, hy_outfile *f)
{
	char title[HARDY_NAME_SIZE + 32];
	hy_outfile_csv_plain(f, TITLES);
	for (size_t c = 0; c < k->n_classes; c++) {
		for (int s = -1; s < HARDY_N_SCORES; s++) {
			snprintf(title, sizeof title, "%s %s", k->class_names[c], s < 0 ? "state" : hardy_score_name((hardy_score)s));
			hy_outfile_csv_text(f, title);
		}
	}
	hy_outfile_csv_end(f);
}

static void write_case(const hy_kept *k, hy_outfile *f, const hy_kept_case *c)
{
	const size_t at = (size_t)(c - k->cases);
	const hy_kept_score *scores = &k->scores[at * k->n_classes];
	hy_outfile_csv_text(f, c->stamp);
	hy_outfile_csv_text(f, k->pairs[at].name);
	hy_outfile_csv_number(f, (double)scores->n_slices, 15);
	hy_outfile_csv_text(f, c->crossed);
	for (size_t i = 0; i < k->n_classes; i++) {
		hy_outfile_csv_text(f, hardy_row_state_name(scores[i].state));
		for (int s = 0; s < HARDY_N_SCORES; s++)
			hy_outfile_csv_number(f, scores[i].value[s], EXACT);
	}
	hy_outfile_csv_end(f);
}

hardy_status hy_kept_write(hy_kept *k, hardy_error *err)
{
	hy_outfile f;
	if (!k->changed)
		return HARDY_OK;
	const hardy_status status = hy_outfile_open(&f, k->path, TITLES, err);
	if (status)
		return status;
	write_titles(k, &f);
	for (size_t i = 0; i < k->n; i++)
		if (k->cases[i].ours)
			write_case(k, &f, &k->cases[i]);
	k->changed = false;
	k->written_s = hy_clock_s();
	return hy_outfile_commit(&f, err);
}
