/*
 * layout_mnms.c: the M&Ms challenge as it is shipped (Campello et al., IEEE TMI 2021).
 *
 *     *.csv with the columns External code, Vendor (or VendorName), Centre, ED, ES
 *     [Training/]{Labeled,Unlabeled}/ID/ID_sa.nii.gz, ID_sa_gt.nii.gz; likewise Validation/, Testing/
 *
 * Scans are 4-D; ED and ES count their frames from 0. Labels: 1 left ventricle, 2 myocardium, 3 right ventricle.
 */
#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/layout.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const hy_label_name mnms_names[] = {{"LV", 1}, {"MYO", 2}, {"RV", 3}};

enum { MAX_COLUMNS = 64 };
enum column { CODE, VENDOR_NAME, VENDOR, CENTRE, ED, ES, N_COLUMNS };
static const char *const column_names[N_COLUMNS] = {"External code", "VendorName", "Vendor", "Centre", "ED", "ES"};

/* A row's fields; those beyond the last column that is looked at are passed over. 0 at the end. */
static size_t read_fields(hy_csv *csv, char *fields[MAX_COLUMNS])
{
	const size_t n = hy_csv_row(csv, fields, MAX_COLUMNS);
	return n < MAX_COLUMNS ? n : MAX_COLUMNS;
}

static void find_columns(char *const *fields, size_t n, int index[N_COLUMNS])
{
	for (int c = 0; c < N_COLUMNS; c++) {
		index[c] = -1;
		for (size_t i = 0; i < n; i++)
			if (!strcasecmp(fields[i], column_names[c]))
				index[c] = (int)i;
	}
}

/* Whether a CSV file is the table of a data set; what cannot be read is none. */
static hardy_status is_table(const char *path, bool *found, hardy_error *err)
{
	char *text = NULL, *fields[MAX_COLUMNS];
	size_t size = 0;
	int index[N_COLUMNS];
	const hardy_status status = hy_file_read(path, &text, &size, err);
	*found = false;
	if (status)
		return status == HARDY_ERROR_MEMORY ? status : HARDY_OK;
	hy_csv csv = hy_csv_begin(text);
	find_columns(fields, read_fields(&csv, fields), index);
	*found = index[CODE] >= 0;
	hy_free(text);
	return HARDY_OK;
}

/* The CSV file of the data set (hy_free), NULL when there is none. An error only where memory runs out. */
static hardy_status find_table(const char *root, char **table, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_list_folder(root, &names, err);
	*table = NULL;
	for (size_t i = 0; i < names.n && !*table && !status; i++) {
		const size_t length = strlen(names.name[i]);
		bool found = false;
		if (length < 5 || strcasecmp(names.name[i] + length - 4, ".csv") || names.name[i][0] == '.')
			continue;
		char *path = hy_path_join(root, names.name[i]);
		status = path ? is_table(path, &found, err) : hy_fail_memory(err, root, 1, 1);
		if (found)
			*table = path;
		else
			hy_free(path);
	}
	hy_names_free(&names);
	return status == HARDY_ERROR_MEMORY ? status : HARDY_OK;
}

hardy_status hy_mnms_matches(const char *root, bool *found, hardy_error *err)
{
	char *table;
	const hardy_status status = find_table(root, &table, err);
	*found = table != NULL;
	hy_free(table);
	return status;
}

/* A subject's folder, with a note of whether the table lists it. */
typedef struct place {
	char *folder;
	bool held_out, listed;
} place;

typedef struct places {
	place *items;
	size_t n, room;
} places;

static void places_clear(places *p)
{
	for (size_t i = 0; i < p->n; i++)
		hy_free(p->items[i].folder);
	hy_free(p->items);
	*p = (places){0};
}

/* Index of the file ID_sa[_gt] with any extension of a scan among the files of a folder; -1 when there is none. */
static int64_t find_scan(const hy_names *files, const char *id, const char *suffix)
{
	char wanted[HY_NAME_SIZE + 8], stem[256];
	snprintf(wanted, sizeof wanted, "%.255s_sa%s", id, suffix);
	for (size_t i = 0; i < files->n; i++)
		if (hy_stem(files->name[i], stem, sizeof stem) && !strcmp(stem, wanted))
			return (int64_t)i;
	return -1;
}

static hardy_status has_scan(const char *folder, const char *id, bool *found, hardy_error *err)
{
	hy_names files = {0};
	const hardy_status status = hy_list_folder(folder, &files, err);
	*found = !status && find_scan(&files, id, "") >= 0;
	hy_names_free(&files);
	return status == HARDY_ERROR_MEMORY ? status : HARDY_OK;
}

static hardy_status add_place(places *out, char *folder, bool held_out, hardy_error *err)
{
	if (out->n == out->room) {
		const size_t room = out->room ? out->room * 2 : 64;
		place *larger = hy_realloc(out->items, room, sizeof *larger);
		if (!larger)
			return hy_fail_memory(err, folder, room, sizeof *larger);
		out->items = larger;
		out->room = room;
	}
	out->items[out->n++] = (place){.folder = folder, .held_out = held_out};
	return HARDY_OK;
}

/* All folders at most three levels down (Training/Labeled/ID); which of them are subjects, the table tells. */
static hardy_status find_places(const char *folder, int depth, bool held_out, places *out, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_list_folder(folder, &names, err);
	for (size_t i = 0; i < names.n && !status; i++) {
		const char *name = names.name[i];
		if (name[0] == '.' || !hy_has_folder(folder, name))
			continue;
		const bool apart =
		    held_out || !strcasecmp(name, "Validation") || !strcasecmp(name, "Testing") || !strcasecmp(name, "Test");
		char *path = hy_path_join(folder, name);
		bool scan = false;
		status = path ? add_place(out, path, held_out, err) : hy_fail_memory(err, folder, 1, 1);
		if (status)
			hy_free(path);
		else if (depth > 1)
			status = has_scan(path, name, &scan, err);
		if (!status && depth > 1 && !scan)
			status = find_places(path, depth - 1, apart, out, err);
	}
	hy_names_free(&names);
	return status;
}

/* A frame number of the table: a whole number of 0 or more ("0", "9.0"), else -1. */
static int64_t frame_number(const char *text)
{
	const double v = hy_number(text);
	return v >= 0 && v < 100000 && v == (double)(int64_t)v ? (int64_t)v : -1;
}

typedef struct row {
	const char *table, *id, *vendor, *centre, *frame[2];
} row;

static hardy_status add_row(hy_scan *s, const row *r, const place *p, const char *image, const char *label, hardy_error *err)
{
	static const char *const phases[2] = {"ED", "ES"};
	char site[HY_NAME_SIZE];
	hardy_status status = HARDY_OK;
	snprintf(site, sizeof site, "%.100s%s%.100s", r->vendor, *r->centre ? ", centre " : "", r->centre);
	for (int k = 0; k < 2 && !status; k++) {
		const int64_t frame = frame_number(r->frame[k]);
		if (frame < 0) {
			hy_problem_add(s->problems, label != NULL, r->id, phases[k], "correct the table: frames count from 0",
			               "%s: subject %s: column %s is \"%s\", want a frame's number", r->table, r->id, phases[k],
			               r->frame[k]);
			continue;
		}
		hy_case *c = NULL;
		if ((status = hy_scan_add(s, r->id, phases[k], site, &c, err)))
			break;
		c->held_out = p->held_out;
		c->frame = frame;
		c->label_frame = label ? frame : -1;
		c->image_path[0] = hy_path_join(p->folder, image);
		c->label_path = label ? hy_path_join(p->folder, label) : NULL;
		if (!c->image_path[0] || (label && !c->label_path))
			status = hy_fail_memory(err, image, 1, 1);
	}
	return status;
}

static hardy_status read_row(hy_scan *s, const row *r, const place *p, hardy_error *err)
{
	hy_names files = {0};
	hardy_status status = hy_list_folder(p->folder, &files, err);
	const int64_t image = status ? -1 : find_scan(&files, r->id, ""), label = status ? -1 : find_scan(&files, r->id, "_gt");
	if (status == HARDY_ERROR_MEMORY)
		return status;
	if (status) {
		hy_problem_add(s->problems, true, r->id, "", "restore the folder, or remove the subject", "%s: cannot be read",
		               p->folder);
		return HARDY_OK;
	}
	if (image < 0)
		hy_problem_add(s->problems, true, r->id, "", "restore the file, or remove the subject", "%s/%s_sa.nii.gz: missing",
		               p->folder, r->id);
	else if (label < 0)
		hy_problem_add(s->problems, false, r->id, "",
		               "restore it if there should be one; without it the scan can be predicted but not learned from",
		               "%s/%s_sa_gt.nii.gz: missing", p->folder, r->id);
	if (image >= 0 && !hy_problem_of_twin(s->problems, r->id, "", p->folder, &files, (size_t)image) &&
	    (label < 0 || !hy_problem_of_twin(s->problems, r->id, "", p->folder, &files, (size_t)label)))
		status = add_row(s, r, p, files.name[image], label < 0 ? NULL : files.name[label], err);
	hy_names_free(&files);
	return status;
}

static place *find_place(const places *p, const char *id)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(hy_path_name(p->items[i].folder), id))
			return &p->items[i];
	return NULL;
}

static hardy_status read_table(hy_scan *s, const char *table, char *text, places *found, hardy_error *err)
{
	hy_csv csv = hy_csv_begin(text);
	char *fields[MAX_COLUMNS];
	int index[N_COLUMNS];
	find_columns(fields, read_fields(&csv, fields), index);
	for (int c = ED; c <= ES; c++)
		if (index[c] < 0)
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: no column \"%s\"", table, column_names[c]);
	size_t n_absent = 0, n_rows = 0;
	char first_absent[HY_NAME_SIZE] = "";
	for (size_t n; (n = read_fields(&csv, fields));) {
		const char *value[N_COLUMNS];
		for (int c = 0; c < N_COLUMNS; c++)
			value[c] = index[c] >= 0 && (size_t)index[c] < n ? fields[index[c]] : "";
		if (!*value[CODE])
			continue;
		n_rows++;
		place *p = find_place(found, value[CODE]);
		if (!p) {
			if (!n_absent++)
				snprintf(first_absent, sizeof first_absent, "%s", value[CODE]);
			continue;
		}
		p->listed = true;
		const row r = {table,
		               value[CODE],
		               *value[VENDOR_NAME] ? value[VENDOR_NAME] : value[VENDOR],
		               value[CENTRE],
		               {value[ED], value[ES]}};
		const hardy_status status = read_row(s, &r, p, err);
		if (status)
			return status;
	}
	if (n_absent)
		hy_problem_add(s->problems, false, "", "", "restore them if they should be here; a part of the data set is fine",
		               "%s: %zu of %s %s no folder, the first is %s", table, n_absent, HY_COUNT(n_rows, "subject"),
		               HY_HAS(n_absent), first_absent);
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < found->n && !status; i++) {
		const place *p = &found->items[i];
		bool scan = false;
		if (!p->listed)
			status = has_scan(p->folder, hy_path_name(p->folder), &scan, err);
		if (scan)
			hy_problem_add(s->problems, false, "", "", "add a row with ED and ES, or remove the folder",
			               "%s: not in %s; not used", p->folder, table);
	}
	return status;
}

hardy_status hy_mnms_read(hy_scan *s, hardy_error *err)
{
	char *table, *text = NULL;
	size_t size = 0;
	places found = {0};
	hardy_status status = find_table(s->d->root, &table, err);
	if (!status && !table)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: the table of subjects cannot be read any more", s->d->root);
	if (!status)
		status = hy_file_read(table, &text, &size, err);
	if (!status)
		status = find_places(s->d->root, 3, false, &found, err);
	if (!status)
		status = read_table(s, table, text, &found, err);
	s->d->n_channels = 1;
	snprintf(s->d->channels[0], HY_NAME_SIZE, "cine MR");
	if (!status)
		status = hy_scan_set_classes(s, mnms_names, 3, "M&Ms", err);
	places_clear(&found);
	hy_free(text);
	hy_free(table);
	return status;
}
