/*
 * series.c: sorting DICOM files into series and frames, and running dcm2niix on them.
 */
#define _XOPEN_SOURCE 700
#include "image/series.h"

#include "base/child.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/scratch.h"
#include "base/text.h"
#include "image/dicom.h"
#include "image/nifti.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEEPEST = 8, HEAD = 1 << 18 /* bytes of a file: headers rarely have a tenth */, MOST_OUTPUTS = 64 };

typedef struct file {
	char *path;    /* owned, from the root of the file system */
	size_t folder; /* bytes of path before the name */
	hy_dicom d;
} file;

/* A run of files that belong together. */
typedef struct group {
	file *files;
	size_t n;
	int64_t n_frames; /* of a cine, whose files are sorted by place, then time; 1 */
	double first_ms, step_ms;
	bool uneven; /* slices of a frame have times that differ */
	bool one_folder;
} group;

typedef struct work {
	hy_converted *c;
	const hardy_stop *stop;
	const hardy_log *log;
	char *root;  /* owned, resolved */
	file *files; /* owned */
	size_t n, room, n_unread;
	group *groups; /* owned */
	size_t n_groups, n_runs;
	uint8_t *head; /* owned */
} work;

static void work_clear(work *w)
{
	for (size_t i = 0; i < w->n; i++)
		hy_free(w->files[i].path);
	hy_free(w->files);
	hy_free(w->groups);
	hy_free(w->root);
	hy_free(w->head);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static hardy_status look_at(work *w, const char *path, hardy_error *err)
{
	file f = {.folder = (size_t)(hy_path_name(path) - path)};
	FILE *stream = fopen(path, "rb");
	const size_t n = stream ? fread(w->head, 1, HEAD, stream) : 0;
	if (stream)
		fclose(stream);
	if (!hy_dicom_starts(w->head, n))
		return HARDY_OK;
	if (!hy_dicom_parse(w->head, n, &f.d))
		w->n_unread++;
	if (!f.d.image)
		return HARDY_OK;
	if (w->n == w->room) {
		const size_t room = w->room ? 2 * w->room : 256;
		file *larger = hy_realloc(w->files, room, sizeof *larger);
		if (!larger)
			return hy_fail_memory(err, path, room, sizeof *larger);
		w->files = larger;
		w->room = room;
	}
	f.path = hy_strdup(path);
	if (!f.path)
		return hy_fail_memory(err, path, strlen(path), 1);
	w->files[w->n++] = f;
	return HARDY_OK;
}

static hardy_status look_into(work *w, const char *folder, int deep, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_list_folder(folder, &names, err);
	for (size_t i = 0; i < names.n && !status; i++) {
		char *path = hy_path_join(folder, names.name[i]);
		if (hy_stop_asked(w->stop))
			status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted");
		else if (!path)
			status = hy_fail_memory(err, folder, 1, 1);
		else if (!hy_path_is_folder(path))
			status = look_at(w, path, err);
		else if (deep < DEEPEST)
			status = look_into(w, path, deep + 1, err);
		hy_free(path);
	}
	hy_names_free(&names);
	return status;
}

/* ---- series ------------------------------------------------------------------------------------------------------------- */

static int by_series(const void *a, const void *b)
{
	const file *x = a, *y = b;
	const int order = strcmp(x->d.series, y->d.series);
	return order ? order : strcmp(x->path, y->path);
}

static int by_number(double x, double y)
{
	return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
	const file *x = a, *y = b;
	int order = strcmp(x->d.direction, y->d.direction);
	order = order ? order : strcmp(x->d.position, y->d.position);
	order = order ? order : by_number(x->d.trigger_ms, y->d.trigger_ms);
	return order ? order : strcmp(x->path, y->path);
}

static bool is_same_place(const file *a, const file *b)
{
	return !strcmp(a->d.direction, b->d.direction) && !strcmp(a->d.position, b->d.position);
}

static bool is_same_folder(const file *a, const file *b)
{
	return a->folder == b->folder && !memcmp(a->path, b->path, a->folder);
}

/* Frames of each place: the same number of them, at times that differ; else 1. */
static int64_t count_frames(const group *g)
{
	size_t n = 1;
	while (n < g->n && is_same_place(&g->files[0], &g->files[n]))
		n++;
	if (n < 2 || g->n % n || !isfinite(g->files[0].d.trigger_ms))
		return 1;
	for (size_t i = 1; i < g->n; i++) {
		const file *f = &g->files[i];
		const bool same = is_same_place(f - 1, f);
		if (!isfinite(f->d.trigger_ms) || same != (i % n > 0) || (same && f[-1].d.trigger_ms >= f->d.trigger_ms))
			return 1;
	}
	return (int64_t)n;
}

static void take_times(group *g)
{
	const size_t nt = (size_t)g->n_frames, nz = g->n / nt;
	double first = 0, last = 0;
	for (size_t z = 0; z < nz; z++) {
		first += g->files[z * nt].d.trigger_ms;
		last += g->files[z * nt + nt - 1].d.trigger_ms;
		for (size_t t = 0; t < nt; t++)
			g->uneven |= fabs(g->files[z * nt + t].d.trigger_ms - g->files[t].d.trigger_ms) > 0;
	}
	g->first_ms = first / (double)nz;
	g->step_ms = (last - first) / (double)nz / (double)(nt - 1);
}

static hardy_status find_groups(work *w, hardy_error *err)
{
	qsort(w->files, w->n, sizeof *w->files, by_series);
	w->groups = hy_calloc(w->n, sizeof *w->groups);
	if (!w->groups)
		return hy_fail_memory(err, "series", w->n, sizeof *w->groups);
	for (size_t i = 0; i < w->n; i++) {
		if (!i || strcmp(w->files[i - 1].d.series, w->files[i].d.series) != 0)
			w->groups[w->n_groups++] = (group){.files = &w->files[i], .one_folder = true, .step_ms = NAN, .first_ms = NAN};
		group *g = &w->groups[w->n_groups - 1];
		g->one_folder = g->one_folder && is_same_folder(g->files, &w->files[i]);
		g->n++;
	}
	for (size_t i = 0; i < w->n_groups; i++) {
		group *g = &w->groups[i];
		qsort(g->files, g->n, sizeof *g->files, by_place);
		g->n_frames = count_frames(g);
		if (g->n_frames > 1)
			take_times(g);
	}
	return HARDY_OK;
}

static int by_folder(const void *a, const void *b)
{
	const file *x = a, *y = b;
	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return memcmp(x->path, y->path, x->folder);
}

/* Label maps are called like folders: of one with several patients nobody could tell whose they are. */
static hardy_status check_patients(work *w, hardy_error *err)
{
	qsort(w->files, w->n, sizeof *w->files, by_folder);
	for (size_t i = 1; i < w->n; i++) {
		const file *f = &w->files[i];
		if (is_same_folder(f - 1, f) && strcmp(f[-1].d.patient, f->d.patient) != 0)
			return hy_fail(err, HARDY_ERROR_DATA,
			               "%.*s: holds DICOM files of several patients; want a folder for each, else nobody can tell whose a "
			               "label map is",
			               (int)f->folder, f->path);
	}
	return HARDY_OK;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

static bool is_taken(const hy_converted *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->items[i].name, name))
			return true;
	return false;
}

static bool has_folder_to_itself(const work *w, const group *g)
{
	for (size_t i = 0; i < w->n_groups; i++)
		if (&w->groups[i] != g)
			for (size_t k = 0; k < w->groups[i].n; k++)
				if (is_same_folder(g->files, &w->groups[i].files[k]))
					return false;
	return g->one_folder;
}

static void choose_name(const work *w, const group *g, char name[HY_SERIES_NAME])
{
	enum { LONGEST = HY_SERIES_NAME - 40 };
	const file *f = g->files;
	const size_t root = strlen(w->root);
	char base[LONGEST + 1], number[24] = "";
	int n = 0;
	if (g->one_folder && f->folder > root + 1)
		n = snprintf(base, sizeof base, "%.*s", (int)(f->folder - root - 2), f->path + root + 1);
	if (n <= 0)
		snprintf(base, sizeof base, "%s", hy_path_name(w->root));
	for (char *at = base; *at; at++)
		*at = isalnum((unsigned char)*at) || *at == '-' ? *at : '_';
	if (!has_folder_to_itself(w, g) && f->d.series_number >= 0 && f->d.series_number < 1e15)
		snprintf(number, sizeof number, "_%.0f", f->d.series_number);
	snprintf(name, HY_SERIES_NAME, "%s%s", *base ? base : "series", number);
	for (int k = 2; is_taken(w->c, name); k++)
		snprintf(name, HY_SERIES_NAME, "%s%s_%d", *base ? base : "series", number, k);
}

/* ---- dcm2niix ----------------------------------------------------------------------------------------------------------- */

/* The last lines of a text, as one. */
static void last_lines(const char *text, char *out, size_t room)
{
	enum { MOST = 3 };
	const char *line[MOST] = {0};
	int n = 0;
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (*at == '\n' || !*at)
			continue;
		if (n == MOST)
			memmove(line, line + 1, (MOST - 1) * sizeof *line);
		n = n < MOST ? n + 1 : MOST;
		line[n - 1] = at;
	}
	*out = 0;
	for (int i = 0; i < n; i++) {
		const size_t used = strlen(out);
		snprintf(out + used, room - used, "%s%.*s", i ? "; " : "", (int)strcspn(line[i], "\n"), line[i]);
	}
}

/* It goes on after errors that make frames of slices, and exits with 0. */
static const char *find_error(const char *text)
{
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!strncmp(at, "Error", 5))
			return at;
	return NULL;
}

/* ignore: the files are one frame, in whatever times its slices were taken. */
static hardy_status start(const work *w, bool ignore, const char *in, const char *out, const char *messages, pid_t *pid,
                          hardy_error *err)
{
	/* No compression, no sidecar, nobody's defaults file, and no folders below. */
	const char *const words[] = {"dcm2niix",
	                             "-z",
	                             "n",
	                             "-b",
	                             "n",
	                             "-g",
	                             "i",
	                             "-d",
	                             "0",
	                             "-f",
	                             "scan",
	                             "-o",
	                             out,
	                             ignore ? "--ignore_trigger_times" : in,
	                             ignore ? in : NULL,
	                             NULL};
	hardy_error own = {0};
	if (!hy_child_start(words, messages, messages, pid, &own))
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_DATA,
	               "%s: holds DICOM, which the program dcm2niix converts (%s): install the Debian package dcm2niix, or convert "
	               "elsewhere with dcm2niix -z y -o SCANS FOLDER and name SCANS",
	               w->c->root, own.message);
}

/* The outputs of one run; HARDY_ERROR_FORMAT when it failed, which is a fault of the series. */
static hardy_status run_program(const work *w, bool ignore, const char *in, const char *out, const char *messages,
                                hardy_error *err)
{
	char *text = NULL, ending[64], last[700];
	size_t size;
	pid_t pid;
	int code = 0;
	hardy_status status = start(w, ignore, in, out, messages, &pid, err);
	if (!status)
		status = hy_child_wait(pid, w->stop, &code, err);
	if (!status)
		status = hy_file_read(messages, &text, &size, err);
	if (status)
		return status;
	const char *error = find_error(text);
	hy_child_describe(code, ending, sizeof ending);
	last_lines(error ? error : text, last, sizeof last);
	if (*ending || error)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "dcm2niix failed%s%s; its last lines: %s", *ending ? ": " : "", ending,
		                 *last ? last : "none");
	hy_free(text);
	return status;
}

/* The files that the arguments number: every step-th from first, links to them in a folder of their own. */
static hardy_status link_files(const group *g, size_t first, size_t step, const char *folder, hardy_error *err)
{
	hardy_status status = hy_make_folders(folder, err);
	for (size_t i = first; i < g->n && !status; i += step) {
		char name[32];
		snprintf(name, sizeof name, "%08zu.dcm", i);
		char *path = hy_path_join(folder, name);
		if (!path)
			status = hy_fail_memory(err, folder, 1, 1);
		else if (symlink(g->files[i].path, path))
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be made", path);
		hy_free(path);
	}
	return status;
}

/* Converts some files of a group; names are the paths of what came of it. */
static hardy_status convert(work *w, const group *g, size_t first, size_t step, hy_names *outputs, hardy_error *err)
{
	char in[32], out[32], log[32];
	snprintf(in, sizeof in, "in%zu", w->n_runs);
	snprintf(out, sizeof out, "out%zu", w->n_runs);
	snprintf(log, sizeof log, "log%zu", w->n_runs++);
	char *from = hy_path_join(w->c->folder, in), *to = hy_path_join(w->c->folder, out), *said = hy_path_join(w->c->folder, log);
	hardy_status status = from && to && said ? HARDY_OK : hy_fail_memory(err, w->c->folder, 1, 1);
	if (!status)
		status = link_files(g, first, step, from, err);
	if (!status)
		status = hy_make_folders(to, err);
	if (!status)
		status = run_program(w, g->uneven, from, to, said, err);
	if (!status)
		status = hy_list_folder(to, outputs, err);
	for (size_t i = 0; i < outputs->n && !status; i++) {
		char *path = hy_path_join(to, outputs->name[i]);
		if (!path) {
			status = hy_fail_memory(err, to, 1, 1);
			break;
		}
		hy_free(outputs->name[i]);
		outputs->name[i] = path;
	}
	if (!status && !outputs->n)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "dcm2niix made no scan of it");
	hy_free(from);
	hy_free(to);
	hy_free(said);
	return status;
}

/* ---- scans -------------------------------------------------------------------------------------------------------------- */

static hardy_status add_series(work *w, const group *g, hy_series **out, hardy_error *err)
{
	hy_converted *c = w->c;
	hy_series s = {.n_frames = 1, .step_ms = NAN};
	hy_series *larger = hy_realloc(c->items, c->n + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(err, "series", c->n + 1, sizeof *larger);
	c->items = larger;
	choose_name(w, g, s.name);
	c->items[c->n] = s;
	*out = &c->items[c->n++];
	return HARDY_OK;
}

/* What is kept of a scan: voxels and where they lie. Its file goes, which may be large. */
static hardy_status write_scan(work *w, const group *g, hy_volume *v, hardy_error *err)
{
	hy_series *s = NULL;
	hy_text path = {0};
	hardy_status status = add_series(w, g, &s, err);
	if (status)
		return status;
	hy_nifti_forget_texts(v);
	if (g->n_frames > 1)
		hy_nifti_set_times(v, g->first_ms, g->step_ms);
	hy_text_printf(&path, "%s/%s.nii", w->c->folder, s->name);
	status = path.failed ? hy_fail_memory(err, s->name, 1, 1) : hy_nifti_write_float(path.data, v, v->data, v->nt, NULL, err);
	s->n_frames = v->nt;
	s->step_ms = g->step_ms;
	s->path = path.data;
	return status;
}

static bool is_same_grid(const hy_grid *a, const hy_grid *b)
{
	bool same = a->nx == b->nx && a->ny == b->ny && a->nz == b->nz;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 4; k++)
			same = same && fabs(a->affine[i][k] - b->affine[i][k]) < 0.01;
	return same;
}

/* One frame of a cine, at its place in the whole. */
static hardy_status read_frame(work *w, const group *g, int64_t t, hy_volume *whole, hardy_error *err)
{
	hy_names outputs = {0};
	hy_volume v = {0};
	hardy_status status = convert(w, g, (size_t)t, (size_t)g->n_frames, &outputs, err);
	if (!status && outputs.n > 1)
		status =
		    hy_fail(err, HARDY_ERROR_FORMAT, "its slices do not lie in one stack: dcm2niix made %zu of a frame", outputs.n);
	if (!status)
		status = hy_nifti_read(outputs.name[0], NULL, &v, NULL, err);
	if (!status && v.nt > 1)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "dcm2niix made %s of one", HY_COUNT(v.nt, "frame"));
	if (!status && !t) {
		status = hy_volume_alloc(whole, &v.grid, g->n_frames, err);
		if (!status) {
			whole->header = v.header;
			whole->header_size = v.header_size;
			v.header = NULL;
		}
	} else if (!status && !is_same_grid(&whole->grid, &v.grid)) {
		status = hy_fail(err, HARDY_ERROR_FORMAT, "frame %lld has another grid than the first", (long long)t);
	}
	const size_t n = status ? 0 : (size_t)hy_grid_voxels(&v.grid);
	if (n)
		memcpy(whole->data + (size_t)t * n, v.data, n * sizeof *v.data);
	for (size_t i = 0; i < outputs.n; i++)
		remove(outputs.name[i]);
	hy_volume_clear(&v);
	hy_names_free(&outputs);
	return status;
}

static hardy_status convert_cine(work *w, const group *g, hardy_error *err)
{
	hy_volume whole = {0};
	hardy_status status = HARDY_OK;
	for (int64_t t = 0; t < g->n_frames && !status; t++)
		status = read_frame(w, g, t, &whole, err);
	if (!status)
		status = write_scan(w, g, &whole, err);
	hy_volume_clear(&whole);
	return status;
}

static hardy_status convert_rest(work *w, const group *g, hardy_error *err)
{
	hy_names outputs = {0};
	hardy_status status = convert(w, g, 0, 1, &outputs, err);
	if (!status && outputs.n > MOST_OUTPUTS)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "dcm2niix made %zu scans of it, want %d at most", outputs.n, MOST_OUTPUTS);
	for (size_t i = 0; i < outputs.n && !status; i++) {
		hy_volume v = {0};
		status = hy_nifti_read(outputs.name[i], NULL, &v, NULL, err);
		remove(outputs.name[i]);
		if (!status)
			status = write_scan(w, g, &v, err);
		hy_volume_clear(&v);
	}
	hy_names_free(&outputs);
	return status;
}

/* What is wrong with one series leaves the others as they are. */
static hardy_status convert_group(work *w, const group *g, hardy_error *err)
{
	hardy_error own = {0};
	const size_t before = w->c->n;
	const hardy_status status = g->n_frames > 1 ? convert_cine(w, g, &own) : convert_rest(w, g, &own);
	if (status != HARDY_ERROR_FORMAT && status != HARDY_ERROR_UNSUPPORTED) {
		if (status)
			hy_fail(err, status, "%s", own.message);
		return status;
	}
	for (size_t i = before; i < w->c->n; i++) {
		hy_free(w->c->items[i].path);
		w->c->items[i].path = NULL;
	}
	hy_series *s = NULL;
	w->c->n = before;
	if (add_series(w, g, &s, err))
		return err->status;
	s->fault = hy_strdup(own.message);
	return s->fault ? HARDY_OK : hy_fail_memory(err, own.message, 1, 1);
}

static int by_name(const void *a, const void *b)
{
	const hy_series *x = a, *y = b;
	return strcmp(x->name, y->name);
}

static hardy_status convert_all(work *w, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < w->n_groups && !status; i++) {
		hy_log(w->log, HARDY_LOG_PROGRESS, "%s: converting series %zu of %zu", w->c->root, i + 1, w->n_groups);
		status = convert_group(w, &w->groups[i], err);
	}
	if (status)
		return status;
	qsort(w->c->items, w->c->n, sizeof *w->c->items, by_name);
	if (w->n_unread)
		hy_warn(w->log, "%s: %s with a compressed or big-endian header, passed over", w->c->root,
		        HY_COUNT(w->n_unread, "DICOM file"));
	size_t n_faults = 0;
	for (size_t i = 0; i < w->c->n; i++)
		n_faults += w->c->items[i].fault != NULL;
	if (n_faults)
		hy_info(w->log, "%s: DICOM, %zu series, %zu of them converted by dcm2niix", w->c->root, w->n_groups,
		        w->n_groups - n_faults);
	else
		hy_info(w->log, "%s: DICOM, %zu series, converted by dcm2niix", w->c->root, w->n_groups);
	for (size_t i = 0; i < w->c->n; i++) {
		const hy_series *s = &w->c->items[i];
		if (isfinite(s->step_ms) && s->path)
			hy_info(w->log, "%s/%s: a cine of %s, %.4g ms apart", w->c->root, s->name, HY_COUNT(s->n_frames, "frame"),
			        s->step_ms);
	}
	return HARDY_OK;
}

hardy_status hy_series_convert(hy_converted *c, const char *root, const char *scratch, const hardy_stop *stop,
                               const hardy_log *log, hardy_error *err)
{
	hy_converted made = {.root = hy_strdup(root)};
	work w = {.c = &made, .stop = stop, .log = log, .head = hy_alloc(HEAD, 1)};
	hardy_error own = {0};
	err = err ? err : &own;
	hardy_status status = made.root && w.head ? HARDY_OK : hy_fail_memory(err, root, HEAD, 1);
	if (!status)
		status = hy_path_resolve(root, &w.root, err);
	if (!status)
		status = look_into(&w, w.root, 0, err);
	if (!status && !w.n)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds DICOM files, but no image that can be read", root);
	if (!status)
		status = check_patients(&w, err);
	if (!status)
		status = find_groups(&w, err);
	if (!status)
		status = hy_scratch_make(scratch ? scratch : "/tmp", "hardy-dicom", &made.folder, err);
	if (!status)
		status = convert_all(&w, err);
	work_clear(&w);
	if (status)
		hy_converted_clear(&made);
	else
		*c = made;
	return status;
}

void hy_converted_clear(hy_converted *c)
{
	for (size_t i = 0; i < c->n; i++) {
		hy_free(c->items[i].path);
		hy_free(c->items[i].fault);
	}
	hy_free(c->items);
	hy_free(c->root);
	hy_scratch_remove(c->folder);
	*c = (hy_converted){0};
}

void hy_converted_name(const hy_converted *c, char *text, size_t room)
{
	for (size_t i = 0; i < c->n; i++) {
		const hy_series *s = &c->items[i];
		char *at = s->path ? strstr(text, s->path) : NULL;
		if (!at)
			continue;
		char *behind = hy_strdup(at + strlen(s->path));
		if (behind)
			snprintf(at, room - (size_t)(at - text), "%s/%s%s", c->root, s->name, behind);
		hy_free(behind);
		return;
	}
}
