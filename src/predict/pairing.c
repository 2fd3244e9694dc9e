/*
 * pairing.c: finds the counterpart of every reference label map (see pairing.h).
 */
#include "predict/pairing.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "image/nifti.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { STEM_SIZE = HARDY_CASE_SIZE, N_STEMS = 4 };

/* The file's name without folder, extension and "_gt". */
static void make_stem(const char *path, char out[STEM_SIZE])
{
	const char *name = hy_path_name(path);
	snprintf(out, STEM_SIZE, "%.*s", (int)hy_nifti_stem(name), name);
	if (hy_ends_with(out, "_gt"))
		out[strlen(out) - 3] = 0;
}

/* Keeps the label maps among the names. */
static void keep_maps(hy_names *names)
{
	size_t n = 0;
	for (size_t i = 0; i < names->n; i++) {
		if (hy_nifti_is_scan(names->name[i])) {
			names->name[n++] = names->name[i];
		} else {
			hy_free(names->name[i]);
		}
	}
	names->n = n;
}

static hardy_status add_pairs(hy_pairing *p, size_t n, hardy_error *err)
{
	p->pairs = hy_calloc(n, sizeof(*p->pairs));
	return p->pairs ? HARDY_OK : hy_fail_memory(err, "pairs of label maps", n, sizeof(*p->pairs));
}

/* ---- the reference ------------------------------------------------------------------------------------------------------ */

/* Name, subject and phase of a label map outside a data set, by the end of its name. */
static bool split_name(hy_pair *pair, const char *name)
{
	const size_t n = strlen(name);
	const bool has_phase = hy_ends_with(name, "_ED") || hy_ends_with(name, "_ES");
	size_t length = has_phase ? n - 3 : n;
	if (length >= HY_NAME_SIZE)
		length = HY_NAME_SIZE - 1;
	pair->names = hy_alloc(n + length + 2, 1);
	if (!pair->names)
		return false;
	memcpy(pair->names, name, n + 1);
	memcpy(pair->names + n + 1, name, length);
	pair->names[n + 1 + length] = 0;
	pair->name = pair->names;
	pair->subject = pair->names + n + 1;
	pair->site = "";
	if (has_phase)
		snprintf(pair->phase, sizeof(pair->phase), "%s", hy_ends_with(name, "D") ? "ED" : "ES");
	return true;
}

static hardy_status add_label_map(hy_pairing *p, char *path, hardy_error *err)
{
	if (!path)
		return hy_fail_memory(err, "path", 1, 1);
	char name[STEM_SIZE];
	hy_pair *pair = &p->pairs[p->n_pairs++];
	pair->reference = path;
	pair->frame = -1;
	make_stem(path, name);
	return split_name(pair, name) ? HARDY_OK : hy_fail_memory(err, path, strlen(name), 2);
}

static bool see_values(const hy_label_values *v, bool *seen)
{
	for (int k = 0; k < v->n; k++)
		if (v->count[k])
			seen[v->value[k]] = true;
	return true;
}

/* Marks the values that occur in the label maps; the last error where none can be read. */
static hardy_status collect_values(const hy_pairing *p, bool *seen, hardy_error *err)
{
	hardy_error unread = {0};
	size_t n_read = 0;
	for (size_t i = 0; i < p->n_pairs; i++) {
		hy_labels labels = {0};
		hy_label_values values;
		/* A file that cannot be read is reported when it is scored, unless none can. */
		if (hy_nifti_read_values(p->pairs[i].reference, NULL, &labels, &values, NULL, &unread) != HARDY_OK)
			continue;
		n_read += see_values(&values, seen);
		hy_labels_clear(&labels);
	}
	return n_read ? HARDY_OK : hy_fail(err, unread.status, "%s", unread.message);
}

enum { NAMES_ROOM = HY_MAX_CLASSES * (HY_NAME_SIZE + 8) };

/* The names of a table as the option labels takes them, NAME=VALUE,...; false where it has none, or one that cannot be written so. */
static bool names_of_table(const hy_legend *l, char text[NAMES_ROOM])
{
	size_t used = 0;
	for (int i = 1; i < l->n; i++) {
		const hy_class *c = &l->classes[i];
		if (c->value <= 0)
			continue;
		if (!*c->name || strpbrk(c->name, ",="))
			return false;
		used += (size_t)snprintf(text + used, NAMES_ROOM - used, "%s%s=%d", used ? "," : "", c->name, c->value);
		if (used >= NAMES_ROOM)
			return false;
	}
	return used > 0;
}

static bool has_value(const hy_legend *l, int value)
{
	for (int i = 1; l && i < l->n; i++)
		if (l->classes[i].value == value)
			return true;
	return false;
}

/*
 * Classes of label maps that no option names: as the predictions' table says where it knows every value that occurs, else named after the
 * values.
 */
static hardy_status name_classes_by_value(hy_pairing *p, const char *reference, const hy_legend *predicted,
                                          const hardy_log *log, hardy_error *err)
{
	enum { N_VALUES = 65536 };
	bool *seen = hy_calloc(N_VALUES, sizeof *seen), known = predicted;
	char text[NAMES_ROOM] = "", named[NAMES_ROOM], list[HY_MAX_CLASSES * 8] = "", example[HY_MAX_CLASSES * 16] = "";
	hardy_status status = seen ? collect_values(p, seen, err) : hy_fail_memory(err, "label values", N_VALUES, sizeof *seen);
	int n = 0;
	for (int v = 1; v < N_VALUES && status == HARDY_OK; v++) {
		if (!seen[v])
			continue;
		if (++n >= HY_MAX_CLASSES)
			status = hy_fail(err, HARDY_ERROR_DATA, "%s: more than %d different values: is it a label map?", reference,
			                 HY_MAX_CLASSES - 1);
		known = known && has_value(predicted, v);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sclass_%d=%d", n > 1 ? "," : "", v, v);
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%d", n > 1 ? ", " : "", v);
		snprintf(example + strlen(example), sizeof(example) - strlen(example), "%sNAME=%d", n > 1 ? "," : "", v);
	}
	if (status == HARDY_OK && n == 0)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no label value other than 0; name the classes by labels", reference);
	p->unnamed = !(known && names_of_table(predicted, named));
	if (status == HARDY_OK && !p->unnamed)
		hy_warn(log, "%s: nothing names the label values %s; they are taken to mean what the predictions' table says: %s",
		        reference, list, named);
	else if (status == HARDY_OK)
		hy_warn(log,
		        "%s: nothing names the label values %s; predictions are taken to hold the same; name them by the option "
		        "labels, such as %s",
		        reference, list, example);
	if (status == HARDY_OK)
		status = hy_dataset_name_classes(&p->data, p->unnamed ? text : named, err);
	hy_free(seen);
	return status;
}

/* By the option, by a table that lies beside the reference (other predictions, say), else by the values. */
static hardy_status name_classes(hy_pairing *p, const char *reference, const hy_legend *predicted, const hy_dataset_options *o,
                                 const hardy_log *log, hardy_error *err)
{
	hy_legend l = {0};
	bool found = false;
	char text[NAMES_ROOM];
	if (o->labels)
		return hy_dataset_name_classes(&p->data, o->labels, err);
	hardy_status status = hy_legend_read(reference, &l, &found, err);
	if (status == HARDY_OK)
		status = found && names_of_table(&l, text) ? hy_dataset_name_classes(&p->data, text, err)
		                                           : name_classes_by_value(p, reference, predicted, log, err);
	hy_legend_clear(&l);
	return status;
}

/* Two files of one name but for the extension: nobody knows which is meant. */
static hardy_status note_twin(hy_pair *pair, const char *folder, const hy_names *files, size_t i, hardy_error *err)
{
	char own[STEM_SIZE], other[STEM_SIZE];
	make_stem(files->name[i], own);
	const size_t n = strlen(own);
	for (size_t k = hy_names_find(files, own, n); hy_names_begin(files, k, own, n) && !pair->problem; k++) {
		make_stem(files->name[k], other);
		if (k == i || strcmp(own, other) != 0)
			continue;
		const size_t room = strlen(folder) + strlen(files->name[i]) + strlen(files->name[k]) + 64;
		pair->problem = hy_alloc(room, 1);
		if (!pair->problem)
			return hy_fail_memory(err, folder, room, 1);
		snprintf(pair->problem, room, "%s: %s and %s: two files of one name, which is meant?", folder, files->name[i],
		         files->name[k]);
	}
	return HARDY_OK;
}

static hardy_status take_folder(hy_pairing *p, const char *folder, const hy_names *maps, hardy_error *err)
{
	hardy_status status = add_pairs(p, maps->n, err);
	for (size_t i = 0; i < maps->n && status == HARDY_OK; i++) {
		status = add_label_map(p, hy_path_join(folder, maps->name[i]), err);
		if (status == HARDY_OK)
			status = note_twin(&p->pairs[p->n_pairs - 1], folder, maps, i, err);
	}
	return status;
}

/* Receives cases that cannot be used; memory that runs out shows as room that stays. */
typedef struct unusable_list {
	hy_pairing *p;
	bool lost;
} unusable_list;

static void add_unusable(void *payload, const char *subject, const char *phase, const char *text)
{
	unusable_list *l = payload;
	hy_unusable *larger = hy_realloc(l->p->unusable, l->p->n_unusable + 1, sizeof *larger);
	if (!larger) {
		l->lost = true;
		return;
	}
	l->p->unusable = larger;
	hy_unusable *u = &larger[l->p->n_unusable++];
	snprintf(u->name, sizeof u->name, "%s%s%s", subject, phase[0] ? "_" : "", phase);
	snprintf(u->text, sizeof u->text, "%s", text);
}

static hardy_status open_dataset(hy_pairing *p, const char *root, const hy_dataset_options *o, bool strict,
                                 const hardy_log *log, hardy_error *err)
{
	unusable_list list = {p, false};
	if (strict)
		return hy_dataset_open(&p->data, root, o, log, err);
	hardy_status status = hy_dataset_open_usable(&p->data, root, o, add_unusable, &list, log, err);
	if (status == HARDY_OK && list.lost)
		status = hy_fail_memory(err, "cases that cannot be used", p->n_unusable + 1, sizeof *p->unusable);
	if (status == HARDY_OK && !p->data.n_cases)
		status = hy_fail(err, HARDY_ERROR_DATA,
		                 p->n_unusable ? "%s: no scan can be used; the first problem: %s" : "%s: holds no scan", root,
		                 p->n_unusable ? p->unusable[0].text : "");
	return status;
}

static hardy_status take_dataset(hy_pairing *p, const char *root, const hy_dataset_options *o, bool strict,
                                 const hardy_log *log, hardy_error *err)
{
	hardy_status status = open_dataset(p, root, o, strict, log, err);
	if (status == HARDY_OK)
		status = add_pairs(p, p->data.n_cases, err);
	for (size_t i = 0; status == HARDY_OK && i < p->data.n_cases; i++) {
		const hy_case *c = &p->data.cases[i];
		if (!c->label_path)
			continue;
		const size_t room = strlen(c->subject) + sizeof c->phase + 2;
		hy_pair *pair = &p->pairs[p->n_pairs++];
		if (!(pair->names = hy_alloc(room, 1)))
			return hy_fail_memory(err, root, room, 1);
		snprintf(pair->names, room, "%s%s%s", c->subject, c->phase[0] ? "_" : "", c->phase);
		pair->name = pair->names;
		pair->subject = c->subject;
		pair->site = c->site;
		memcpy(pair->phase, c->phase, sizeof(pair->phase));
		pair->frame = -1;
		pair->case_index = i;
	}
	if (status == HARDY_OK && p->n_pairs == 0)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no case has a label map", root);
	return status;
}

static hardy_status take_reference(hy_pairing *p, const char *reference, const hy_legend *predicted,
                                   const hy_dataset_options *o, bool strict, const hardy_log *log, hardy_error *err)
{
	hy_names maps = {0};
	hardy_status status;
	if (!hy_path_exists(reference))
		return hy_fail(err, HARDY_ERROR_IO, "%s: no such file or folder", reference);
	if (!hy_path_is_folder(reference)) {
		status = add_pairs(p, 1, err);
		if (status == HARDY_OK)
			status = add_label_map(p, hy_strdup(reference), err);
		return status == HARDY_OK ? name_classes(p, reference, predicted, o, log, err) : status;
	}
	status = hy_list_folder(reference, &maps, err);
	if (status != HARDY_OK)
		return status;
	keep_maps(&maps);
	/* Images beside their labels (NAME, NAME_gt) are a data set; label maps alone are not. */
	size_t n_gt = 0;
	for (size_t i = 0; i < maps.n; i++) {
		char stem[STEM_SIZE];
		make_stem(maps.name[i], stem);
		n_gt += strncasecmp(maps.name[i] + strlen(stem), "_gt.", 4) == 0;
	}
	if (maps.n > 0 && (n_gt == 0 || n_gt == maps.n)) {
		status = take_folder(p, reference, &maps, err);
		if (status == HARDY_OK)
			status = name_classes(p, reference, predicted, o, log, err);
	} else {
		status = take_dataset(p, reference, o, strict, log, err);
	}
	hy_names_free(&maps);
	return status;
}

/* ---- the predictions ---------------------------------------------------------------------------------------------------- */

/* The names a pair answers to; frame[i] is the frame to take from a file of that name. Returns their number. */
static int pair_stems(const hy_pairing *p, const hy_pair *pair, char stem[N_STEMS][STEM_SIZE], int64_t frame[N_STEMS])
{
	int n = 0;
	snprintf(stem[n], STEM_SIZE, "%s", pair->name);
	frame[n++] = -1;
	if (pair->reference)
		return n;
	const hy_case *c = &p->data.cases[pair->case_index];
	make_stem(c->image_path[0], stem[n]);
	frame[n++] = c->frame;
	make_stem(c->label_path, stem[n]);
	frame[n++] = c->label_frame;
	if (c->cine_frame >= 0) {
		snprintf(stem[n], STEM_SIZE, "%s_4d", c->subject);
		frame[n++] = c->cine_frame;
	}
	return n;
}

/* Gives pair the first of the files that it answers to; used[i] is set. True when there is one. */
static bool match(const hy_pairing *p, hy_pair *pair, const hy_names *files, bool *used, size_t *which)
{
	char stem[N_STEMS][STEM_SIZE], name[STEM_SIZE];
	int64_t frame[N_STEMS];
	int n = pair_stems(p, pair, stem, frame);
	for (int k = 0; k < n; k++) {
		const size_t length = strlen(stem[k]);
		for (size_t i = hy_names_find(files, stem[k], length); hy_names_begin(files, i, stem[k], length); i++) {
			make_stem(files->name[i], name);
			if (strcmp(name, stem[k]) != 0)
				continue;
			pair->frame = frame[k];
			used[i] = true;
			*which = i;
			return true;
		}
	}
	return false;
}

/* Such a file is told with the one that was found. */
static bool is_twin_of_used(const hy_names *files, const bool *used, size_t i)
{
	char own[STEM_SIZE], other[STEM_SIZE];
	make_stem(files->name[i], own);
	const size_t n = strlen(own);
	for (size_t k = hy_names_find(files, own, n); hy_names_begin(files, k, own, n); k++) {
		make_stem(files->name[k], other);
		if (used[k] && strcmp(own, other) == 0)
			return true;
	}
	return false;
}

static hardy_status match_folder(hy_pairing *p, const char *folder, hardy_error *err)
{
	hy_names files = {0};
	bool *used = NULL;
	size_t which = 0;
	hardy_status status = hy_list_folder(folder, &files, err);
	if (status != HARDY_OK)
		return status;
	keep_maps(&files);
	if (files.n == 0) {
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no NIfTI file in the folder", folder);
		goto out;
	}
	used = hy_calloc(files.n, sizeof(*used));
	p->unused = hy_calloc(files.n, sizeof(*p->unused));
	if (!used || !p->unused) {
		status = hy_fail_memory(err, "predictions", files.n, sizeof(*p->unused));
		goto out;
	}
	for (size_t i = 0; i < p->n_pairs; i++) {
		hy_pair *pair = &p->pairs[i];
		if (!match(p, pair, &files, used, &which))
			continue;
		pair->prediction = hy_path_join(folder, files.name[which]);
		if (!pair->prediction) {
			status = hy_fail_memory(err, "path", 1, 1);
			goto out;
		}
		if (!pair->problem && (status = note_twin(pair, folder, &files, which, err)) != HARDY_OK)
			goto out;
	}
	for (size_t i = 0; i < files.n; i++) {
		if (used[i] || is_twin_of_used(&files, used, i))
			continue;
		p->unused[p->n_unused++] = files.name[i];
		files.name[i] = NULL;
	}
out:
	hy_free(used);
	hy_names_free(&files);
	return status;
}

void hy_pair_clear(hy_pair *pair)
{
	hy_free(pair->prediction);
	hy_free(pair->problem);
	hy_free(pair->reference);
	hy_free(pair->names);
	*pair = (hy_pair){0};
}

/* One prediction: the pair it is named like, or the only one. The other pairs are dropped. */
static hardy_status match_file(hy_pairing *p, const char *path, const char *reference, hardy_error *err)
{
	char *name = hy_strdup(path);
	if (!name)
		return hy_fail_memory(err, path, 1, 1);
	char *base = name + (hy_path_name(name) - name);
	const hy_names files = {&base, 1};
	bool used;
	size_t which, found = 0;
	while (found < p->n_pairs && !match(p, &p->pairs[found], &files, &used, &which))
		found++;
	if (found == p->n_pairs && p->n_pairs == 1)
		found = 0;
	if (found == p->n_pairs) {
		hardy_status status = hy_fail(err, HARDY_ERROR_DATA,
		                              "%s: is named like no case of %s, whose first is called %s; want NAME.nii.gz of a case",
		                              path, reference, p->pairs[0].name);
		hy_free(name);
		return status;
	}
	p->pairs[found].prediction = name;
	for (size_t i = 0; i < p->n_pairs; i++)
		if (i != found)
			hy_pair_clear(&p->pairs[i]);
	p->pairs[0] = p->pairs[found];
	p->n_pairs = 1;
	return HARDY_OK;
}

hardy_status hy_pairing_make(hy_pairing *p, const char *prediction, const char *reference, const hy_legend *predicted,
                             const hy_dataset_options *o, bool strict, const hardy_log *log, hardy_error *err)
{
	hy_pairing made = {0};
	if (!hy_path_exists(prediction))
		return hy_fail(err, HARDY_ERROR_IO, "%s: no such file or folder", prediction);
	hardy_status status = take_reference(&made, reference, predicted, o, strict, log, err);
	if (status == HARDY_OK)
		status = hy_path_is_folder(prediction) ? match_folder(&made, prediction, err)
		                                       : match_file(&made, prediction, reference, err);
	if (status != HARDY_OK) {
		hy_pairing_clear(&made);
		return status;
	}
	*p = made;
	return HARDY_OK;
}

void hy_pairing_clear(hy_pairing *p)
{
	hy_dataset_clear(&p->data);
	for (size_t i = 0; i < p->n_pairs; i++)
		hy_pair_clear(&p->pairs[i]);
	for (size_t i = 0; i < p->n_unused; i++)
		hy_free(p->unused[i]);
	hy_free(p->pairs);
	hy_free(p->unused);
	hy_free(p->unusable);
	*p = (hy_pairing){0};
}
