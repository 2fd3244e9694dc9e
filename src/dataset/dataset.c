/*
 * dataset.c: opens a data set of any layout, and loads its cases.
 */
#include "dataset/dataset.h"

#include "base/memory.h"
#include "base/text.h"
#include "dataset/layout.h"
#include "image/dicom.h"
#include "image/geometry.h"
#include "image/nifti.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In the order in which they are tried. */
static const struct {
	hy_layout layout;
	const char *name;
	hardy_status (*matches)(const char *root, bool *found, hardy_error *err);
	hardy_status (*read)(hy_scan *s, hardy_error *err);
} layouts[] = {
    {HY_LAYOUT_NNUNET, "nnU-Net", hy_nnunet_matches, hy_nnunet_read},
    {HY_LAYOUT_MNMS, "M&Ms", hy_mnms_matches, hy_mnms_read},
    {HY_LAYOUT_ACDC, "ACDC", hy_acdc_matches, hy_acdc_read},
    {HY_LAYOUT_FOLDERS, "images and labels", hy_folders_matches, hy_folders_read},
    {HY_LAYOUT_FLAT, "flat", hy_flat_matches, hy_flat_read},
};

enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

const char *hy_layout_name(hy_layout layout)
{
	for (size_t i = 0; i < N_LAYOUTS; i++)
		if (layouts[i].layout == layout)
			return layouts[i].name;
	return layout == HY_LAYOUT_DICOM ? "DICOM" : "unknown";
}

/* ---- problems ----------------------------------------------------------------------------------------------------------- */

void hy_problem_add(hy_problems *p, bool bad, const char *subject, const char *phase, const char *remedy, const char *format,
                    ...)
{
	char line[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	p->n_bad += bad;
	if (p->n == p->room) {
		const size_t room = p->room ? p->room * 2 : 1; /* one list a case: a hundred thousand of them */
		hy_problem *larger = hy_realloc(p->items, room, sizeof *larger);
		if (!larger) {
			p->lost = true;
			return;
		}
		p->items = larger;
		p->room = room;
	}
	char *text = hy_strdup(line), *whose = hy_strdup(subject);
	if (!text || !whose) {
		hy_free(text);
		hy_free(whose);
		p->lost = true;
		return;
	}
	hy_problem *q = &p->items[p->n++];
	*q = (hy_problem){.bad = bad, .subject = whose, .text = text, .remedy = remedy};
	snprintf(q->phase, sizeof q->phase, "%s", phase);
}

void hy_problems_clear(hy_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		hy_free(p->items[i].subject);
		hy_free(p->items[i].text);
	}
	hy_free(p->items);
	*p = (hy_problems){0};
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

bool hy_stem(const char *name, char *out, size_t size)
{
	const size_t n = hy_nifti_stem(name);
	if (!hy_nifti_is_scan(name) || n >= size)
		return false;
	memcpy(out, name, n);
	out[n] = 0;
	return true;
}

const char *hy_twin(const hy_names *files, size_t i)
{
	const char *name = files->name[i];
	const size_t n = hy_nifti_stem(name);
	for (size_t k = hy_names_find(files, name, n); hy_names_begin(files, k, name, n); k++)
		if (k != i && hy_nifti_is_scan(files->name[k]) && hy_nifti_stem(files->name[k]) == n)
			return files->name[k];
	return NULL;
}

bool hy_problem_of_twin(hy_problems *p, const char *subject, const char *phase, const char *folder, const hy_names *files,
                        size_t i)
{
	const char *other = hy_twin(files, i);
	if (other)
		hy_problem_add(p, true, subject, phase, "remove or rename one of them",
		               "%s: %s and %s: two files of one name, which is meant?", folder, files->name[i], other);
	return other != NULL;
}

bool hy_has_file(const char *folder, const char *name)
{
	char path[4096];
	const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
	return n > 0 && (size_t)n < sizeof path && hy_path_exists(path);
}

bool hy_has_folder(const char *folder, const char *name)
{
	char path[4096];
	const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
	return n > 0 && (size_t)n < sizeof path && hy_path_is_folder(path);
}

bool hy_split_phase(const char *stem, char subject[HY_NAME_SIZE], char phase[16])
{
	size_t cut = strlen(stem);
	const char *last = NULL;
	for (const char *p = stem + 1; *stem && *p; p++)
		if ((*p == '_' || *p == '-') && p[1])
			last = p;
	phase[0] = 0;
	if (last) {
		const char *word = last + 1;
		if (!strcasecmp(word, "ED") || !strcasecmp(word, "ES")) {
			snprintf(phase, 16, "E%c", toupper((unsigned char)word[1]));
		} else if (!strncasecmp(word, "frame", 5) && word[5] && strspn(word + 5, "0123456789") == strlen(word + 5) &&
		           strlen(word) < 16) {
			snprintf(phase, 16, "%s", word);
		}
		if (phase[0])
			cut = (size_t)(last - stem);
	}
	if (cut >= HY_NAME_SIZE)
		return false;
	memcpy(subject, stem, cut);
	subject[cut] = 0;
	return true;
}

/* ---- cases -------------------------------------------------------------------------------------------------------------- */

/* One block for both names: there may be a hundred thousand cases. */
static bool name_case(hy_case *c, const char *subject, const char *site)
{
	const size_t n = strlen(subject) + 1, m = strlen(site) + 1;
	if (!(c->names = hy_alloc(n + m, 1)))
		return false;
	memcpy(c->names, subject, n);
	memcpy(c->names + n, site, m);
	c->subject = c->names;
	c->site = c->names + n;
	return true;
}

hardy_status hy_scan_add(hy_scan *s, const char *subject, const char *phase, const char *site, hy_case **out, hardy_error *err)
{
	hy_dataset *d = s->d;
	if (strlen(subject) >= HY_NAME_SIZE)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: subject \"%s\": the name has more than %d letters", d->root, subject,
		               HY_NAME_SIZE - 1);
	if (d->n_cases == s->room) {
		const size_t room = s->room ? s->room * 2 : 64;
		hy_case *larger = hy_realloc(d->cases, room, sizeof *larger);
		if (!larger)
			return hy_fail_memory(err, "cases", room, sizeof *larger);
		d->cases = larger;
		s->room = room;
	}
	hy_case *c = &d->cases[d->n_cases];
	*c = (hy_case){.frame = -1, .label_frame = -1, .cine_frame = -1};
	if (!name_case(c, subject, site))
		return hy_fail_memory(err, subject, strlen(subject), 1);
	d->n_cases++;
	snprintf(c->phase, sizeof c->phase, "%s", phase);
	*out = c;
	return HARDY_OK;
}

void hy_case_clear(hy_case *c)
{
	for (int k = 0; k < HY_MAX_CHANNELS; k++)
		hy_free(c->image_path[k]);
	hy_free(c->label_path);
	hy_free(c->names);
	memset(c, 0, sizeof *c);
}

static int by_subject(const void *a, const void *b)
{
	const hy_case *x = a, *y = b;
	int order = strcmp(x->subject, y->subject);
	if (!order)
		order = strcmp(x->phase, y->phase); /* "ED" sorts before "ES" */
	return order ? order : strcmp(x->image_path[0], y->image_path[0]);
}

static void sort_cases(hy_scan *s)
{
	hy_dataset *d = s->d;
	if (!d->n_cases)
		return;
	qsort(d->cases, d->n_cases, sizeof *d->cases, by_subject);
	size_t kept = 0;
	for (size_t i = 0, end; i < d->n_cases; i = end) {
		const hy_case *c = &d->cases[i];
		for (end = i + 1;
		     end < d->n_cases && !strcmp(d->cases[end].subject, c->subject) && !strcmp(d->cases[end].phase, c->phase); end++)
			hy_problem_add(s->problems, true, c->subject, c->phase, "remove or rename one of them",
			               "%s: the same subject and phase as %s", d->cases[end].image_path[0], c->image_path[0]);
		if (end == i + 1) {
			d->cases[kept++] = d->cases[i];
			continue;
		}
		for (size_t k = i; k < end; k++) /* none of them: nobody knows which is meant */
			hy_case_clear(&d->cases[k]);
	}
	d->n_cases = kept;
}

static void reader_options(hy_nifti_options *n, const hy_dataset_options *o)
{
	hy_nifti_options_init(n);
	if (o)
		memcpy(n->spacing_mm, o->spacing_mm, sizeof n->spacing_mm);
}

/* Images that are tried for one that can be read: where so many cannot, the next ones hardly can, and each is opened once more later. */
enum { MOST_GUESSES = 1000 };

hardy_status hy_scan_guess_channels(hy_scan *s, hardy_error *err)
{
	hy_dataset *d = s->d;
	hy_nifti_options n;
	reader_options(&n, s->o);
	n.header_only = true;
	d->n_channels = 1;
	for (size_t i = 0; i < d->n_cases && i < MOST_GUESSES; i++) {
		hy_volume header = {0};
		const hardy_status status = hy_nifti_read(d->cases[i].image_path[0], &n, &header, NULL, err);
		if (status == HARDY_ERROR_MEMORY)
			return status;
		if (status)
			continue; /* reported when the case is loaded */
		if (header.nt > 1 && header.nt <= HY_MAX_CHANNELS) {
			d->n_channels = (int)header.nt;
			hy_info(s->log, "%s: the fourth axis is taken for %s", d->cases[i].image_path[0],
			        HY_COUNT(d->n_channels, "channel"));
		}
		hy_volume_clear(&header);
		break;
	}
	return HARDY_OK;
}

/* ---- open --------------------------------------------------------------------------------------------------------------- */

/* *k: N_LAYOUTS where there is none. */
static hardy_status find_layout(const char *root, size_t *k, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	bool found = false;
	for (*k = 0; *k < N_LAYOUTS; ++*k) {
		status = layouts[*k].matches(root, &found, err);
		if (status || found)
			break;
	}
	return status;
}

hardy_status hy_dataset_is(const char *root, bool *found, hardy_error *err)
{
	size_t k = N_LAYOUTS;
	const hardy_status status = hy_path_is_folder(root) ? find_layout(root, &k, err) : HARDY_OK;
	*found = !status && k < N_LAYOUTS;
	return status;
}

/* The folder above a data set is a common slip: says which folder below root is one. Else what lies there: img0001 beside label0001. */
static void find_below(const char *root, char *hint, size_t size)
{
	hy_names names = {0};
	if (hy_list_folder(root, &names, NULL))
		return;
	for (size_t i = 0; i < names.n && !*hint; i++) {
		char *path = names.name[i][0] == '.' ? NULL : hy_path_join(root, names.name[i]);
		bool found = false;
		if (path && !hy_dataset_is(path, &found, NULL) && found)
			snprintf(hint, size, " (but its folder %s is)", names.name[i]);
		hy_free(path);
	}
	char stem[256];
	size_t n = 0, first = 0, last = 0;
	for (size_t i = 0; i < names.n && !*hint; i++)
		if (hy_stem(names.name[i], stem, sizeof stem)) {
			first = n++ ? first : i;
			last = i;
		}
	if (n && !*hint)
		snprintf(hint, size, " (%s, %.80s%s%.80s; no pairs of NAME and NAME_gt)", HY_COUNT(n, "NIfTI file"), names.name[first],
		         n > 1 ? " to " : "", n > 1 ? names.name[last] : "");
	hy_names_free(&names);
}

/* What its folder is called, whatever path leads there. */
static hardy_status name_folder(hy_dataset *d, hardy_error *err)
{
	char *path = NULL;
	const hardy_status status = hy_path_resolve(d->root, &path, err);
	if (!status)
		snprintf(d->name, sizeof d->name, "%s", hy_path_name(path));
	hy_free(path);
	return status;
}

hardy_status hy_dataset_scan(hy_dataset *d, const char *root, const hy_dataset_options *o, hy_problems *problems,
                             const hardy_log *log, hardy_error *err)
{
	hy_dataset found = {.root = hy_strdup(root)};
	hy_scan s = {.d = &found, .o = o, .problems = problems, .log = log};
	hardy_status status = HARDY_OK;
	if (!found.root) {
		status = hy_fail_memory(err, root, 1, 1);
		goto out;
	}
	if (!hy_path_is_folder(root)) {
		status = hy_fail(err, HARDY_ERROR_IO, hy_path_exists(root) ? "%s: not a folder" : "%s: no such folder", root);
		goto out;
	}
	size_t k;
	bool dicom = false;
	if ((status = find_layout(root, &k, err)) || (status = name_folder(&found, err)))
		goto out;
	if (k == N_LAYOUTS && (status = hy_dicom_is(root, &dicom, err)))
		goto out;
	if (dicom) {
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds DICOM, " HY_DICOM_REMEDY, root);
		goto out;
	}
	if (k == N_LAYOUTS) {
		char hint[256] = "";
		find_below(root, hint, sizeof hint);
		status = hy_fail(
		    err, HARDY_ERROR_DATA,
		    "%s: not a data set%s; want patientNNN/Info.cfg (ACDC; also below training/), a .csv with a column \"External "
		    "code\" (M&Ms), dataset.json and imagesTr/ (nnU-Net), images/ and labels/, or files NAME.nii.gz with "
		    "NAME_gt.nii.gz",
		    root, hint);
		goto out;
	}
	found.layout = layouts[k].layout;
	if ((status = layouts[k].read(&s, err)))
		goto out;
	sort_cases(&s);
	if (problems->lost) {
		status = hy_fail_memory(err, "the list of problems", problems->n + 1, sizeof(hy_problem));
		goto out;
	}
	*d = found;
	found = (hy_dataset){0};
out:
	hy_dataset_clear(&found);
	return status;
}

/* Problems that leave a case usable; the first few are told. */
static void warn_of(const hy_problems *problems, const char *root, const hardy_log *log)
{
	enum { MOST_WARNINGS = 5 };
	size_t n_warned = 0;
	for (size_t i = 0; i < problems->n; i++) {
		const hy_problem *p = &problems->items[i];
		if (!p->bad && n_warned++ < MOST_WARNINGS)
			hy_warn(log, "%s", p->text);
	}
	if (n_warned > MOST_WARNINGS)
		hy_warn(log, "%s: and %zu more; `hardy check` lists all", root, n_warned - MOST_WARNINGS);
}

hardy_status hy_dataset_open(hy_dataset *d, const char *root, const hy_dataset_options *o, const hardy_log *log,
                             hardy_error *err)
{
	hy_problems problems = {0};
	hy_dataset found = {0};
	hardy_status status = hy_dataset_scan(&found, root, o, &problems, log, err);
	if (status)
		goto out;
	warn_of(&problems, root, log);
	const hy_problem *first_bad = NULL;
	for (size_t i = 0; i < problems.n && !first_bad; i++) {
		if (problems.items[i].bad)
			first_bad = &problems.items[i];
	}
	if (first_bad && problems.n_bad == 1)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s (%s)", first_bad->text, first_bad->remedy);
	else if (first_bad)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: %s, `hardy check` lists all; the first: %s (%s)", root,
		                 HY_COUNT(problems.n_bad, "problem"), first_bad->text, first_bad->remedy);
	else if (!found.n_cases)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: looks like %s, but holds no scan", root, hy_layout_name(found.layout));
	if (!status) {
		*d = found;
		found = (hy_dataset){0};
	}
out:
	hy_dataset_clear(&found);
	hy_problems_clear(&problems);
	return status;
}

size_t hy_dataset_find(const hy_dataset *d, const char *subject)
{
	size_t low = 0, high = d->n_cases;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strcmp(d->cases[middle].subject, subject) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_subject(const hy_dataset *d, const char *subject)
{
	const size_t i = hy_dataset_find(d, subject);
	return i < d->n_cases && !strcmp(d->cases[i].subject, subject);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Subjects that a problem names and that have no case, sorted. */
static hardy_status list_lost(hy_dataset *d, const hy_problems *problems, hardy_error *err)
{
	d->lost = hy_calloc(problems->n_bad, sizeof *d->lost);
	if (!d->lost) {
		hy_dataset_clear(d);
		return hy_fail_memory(err, "subjects", problems->n_bad, sizeof *d->lost);
	}
	size_t n = 0;
	for (size_t i = 0; i < problems->n; i++) {
		const hy_problem *p = &problems->items[i];
		if (p->bad && p->subject[0] && !is_subject(d, p->subject))
			snprintf(d->lost[n++], HY_NAME_SIZE, "%s", p->subject);
	}
	qsort(d->lost, n, sizeof *d->lost, by_bytes);
	for (size_t i = 0; i < n; i++)
		if (!i || strcmp(d->lost[d->n_lost - 1], d->lost[i]))
			memmove(d->lost[d->n_lost++], d->lost[i], HY_NAME_SIZE);
	return HARDY_OK;
}

hardy_status hy_dataset_open_usable(hy_dataset *d, const char *root, const hy_dataset_options *o,
                                    void (*unusable)(void *payload, const char *subject, const char *phase, const char *text),
                                    void *payload, const hardy_log *log, hardy_error *err)
{
	hy_problems problems = {0};
	hardy_status status = hy_dataset_scan(d, root, o, &problems, log, err);
	if (!status)
		warn_of(&problems, root, log);
	if (!status)
		status = list_lost(d, &problems, err);
	for (size_t i = 0; i < problems.n && !status; i++) {
		const hy_problem *p = &problems.items[i];
		if (p->bad)
			unusable(payload, p->subject, p->phase, p->text);
	}
	hy_problems_clear(&problems);
	return status;
}

void hy_dataset_clear(hy_dataset *d)
{
	for (size_t i = 0; i < d->n_cases; i++)
		hy_case_clear(&d->cases[i]);
	hy_free(d->cases);
	hy_free(d->lost);
	hy_free(d->root);
	memset(d, 0, sizeof *d);
}

hardy_status hy_dataset_subjects(const hy_dataset *d, char (**out)[HY_NAME_SIZE], size_t *n, hardy_error *err)
{
	char(*names)[HY_NAME_SIZE] = hy_calloc(d->n_cases, sizeof *names);
	if (!names)
		return hy_fail_memory(err, "subjects", d->n_cases, sizeof *names);
	size_t count = 0;
	for (size_t i = 0; i < d->n_cases; i++)
		if (!count || strcmp(names[count - 1], d->cases[i].subject))
			snprintf(names[count++], HY_NAME_SIZE, "%s", d->cases[i].subject);
	*out = names;
	*n = count;
	return HARDY_OK;
}

uint8_t hy_dataset_class(const hy_dataset *d, int value)
{
	for (int i = 0; i < d->n_values; i++)
		if (d->values[i].value == value)
			return d->values[i].class;
	return HY_NO_CLASS;
}

/* ---- load --------------------------------------------------------------------------------------------------------------- */

static hardy_status check_finite(const char *path, const hy_volume *v, hardy_error *err)
{
	const int64_t n = hy_grid_voxels(&v->grid) * v->nt;
	int64_t n_bad = 0, first = -1;
	for (int64_t i = 0; i < n; i++) {
		if (isfinite(v->data[i]))
			continue;
		if (!n_bad++)
			first = i;
	}
	if (!n_bad)
		return HARDY_OK;
	const int64_t x = first % v->grid.nx, y = first / v->grid.nx % v->grid.ny, z = first / v->grid.nx / v->grid.ny % v->grid.nz;
	return hy_fail(err, HARDY_ERROR_NUMERIC, "%s: %s %s NaN or infinite, the first at x %lld, y %lld, z %lld; want finite ones",
	               path, HY_COUNT(n_bad, "voxel"), HY_IS(n_bad), (long long)x, (long long)y, (long long)z);
}

static hardy_status read_file(const char *path, int64_t frame, int64_t n_frames, const hy_dataset_options *o, hy_volume *out,
                              const hardy_log *log, hardy_error *err)
{
	hy_nifti_options n;
	hy_volume header = {0}, v = {0};
	reader_options(&n, o);
	n.header_only = true;
	hardy_status status = hy_nifti_read(path, &n, &header, NULL, err);
	if (status)
		return status;
	const int64_t nt = header.nt;
	hy_volume_clear(&header);
	if (frame >= nt)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: frame %lld (counted from 0) is wanted, but the file has %lld", path,
		               (long long)frame, (long long)nt);
	if (frame < 0 && nt != n_frames)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: %s along the fourth axis, want %lld", path, HY_COUNT(nt, "frame"),
		               (long long)n_frames);
	n.header_only = false;
	n.frame = frame;
	if ((status = hy_nifti_read(path, &n, &v, log, err)))
		return status;
	status = check_finite(path, &v, err);
	if (status)
		hy_volume_clear(&v);
	else
		*out = v;
	return status;
}

hardy_status hy_case_read_image(const hy_dataset *d, const hy_case *c, const hy_dataset_options *o, hy_volume *out,
                                const hardy_log *log, hardy_error *err)
{
	if (d->n_channels == 1 || !c->image_path[1])
		return read_file(c->image_path[0], c->frame, d->n_channels, o, out, log, err);
	hy_volume all = {0}, one = {0};
	hardy_status status = HARDY_OK;
	for (int k = 0; k < d->n_channels && !status; k++) {
		status = read_file(c->image_path[k], c->frame, 1, o, &one, log, err);
		if (!status && !k) {
			status = hy_volume_alloc(&all, &one.grid, d->n_channels, err);
			if (!status) { /* the first channel's header goes with the case */
				all.header = one.header;
				all.header_size = one.header_size;
				one.header = NULL;
			}
		}
		hy_order order;
		if (!status)
			status = hy_fit_grid(c->image_path[k], &one.grid, c->image_path[0], &all.grid, &order, log, err);
		if (!status)
			status = hy_volume_reorder(&one, &order, err);
		if (!status) {
			const int64_t n = hy_grid_voxels(&all.grid);
			memcpy(all.data + k * n, one.data, (size_t)n * sizeof *all.data);
		}
		hy_volume_clear(&one);
	}
	if (status)
		hy_volume_clear(&all);
	else
		*out = all;
	return status;
}

/* Labels into the order of their image. */
static hardy_status fit_labels(const hy_case *c, const hy_grid *grid, hy_labels *l, const hardy_log *log, hardy_error *err)
{
	const size_t room = strlen(c->image_path[0]) + 16;
	char *whose = hy_alloc(room, 1);
	hy_order order;
	if (!whose)
		return hy_fail_memory(err, c->label_path, room, 1);
	snprintf(whose, room, "its image %s", c->image_path[0]);
	hardy_status status = hy_fit_grid(c->label_path, &l->grid, whose, grid, &order, log, err);
	if (!status)
		status = hy_labels_reorder(l, &order, err);
	if (!status)
		l->grid = *grid;
	hy_free(whose);
	return status;
}

hardy_status hy_case_read_values(const hy_case *c, const hy_dataset_options *o, const hy_grid *grid, hy_labels *out,
                                 hy_label_values *values, const hardy_log *log, hardy_error *err)
{
	hy_nifti_options n;
	hy_labels l = {0};
	if (!c->label_path)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: has no label file", c->image_path[0]);
	reader_options(&n, o);
	hy_volume header = {0};
	n.header_only = true;
	hardy_status status = hy_nifti_read(c->label_path, &n, &header, NULL, err);
	if (status)
		return status;
	const int64_t nt = header.nt;
	hy_volume_clear(&header);
	if (c->label_frame >= nt)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: frame %lld (counted from 0) is wanted, but the file has %lld", c->label_path,
		               (long long)c->label_frame, (long long)nt);
	if (c->label_frame < 0 && nt != 1)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: %s along the fourth axis, want 1", c->label_path, HY_COUNT(nt, "frame"));
	n.header_only = false;
	n.frame = c->label_frame < 0 ? 0 : c->label_frame;
	if ((status = hy_nifti_read_values(c->label_path, &n, &l, values, log, err)))
		return status;
	if (grid)
		status = fit_labels(c, grid, &l, log, err);
	if (status)
		hy_labels_clear(&l);
	else
		*out = l;
	return status;
}

hardy_status hy_case_check_values(const hy_dataset *d, const hy_case *c, const hy_label_values *values, hardy_error *err)
{
	char wanted[512] = "0";
	for (int k = 1; k < d->n_classes; k++) {
		const size_t used = strlen(wanted);
		if (d->classes[k].present)
			snprintf(wanted + used, sizeof wanted - used, ", %d (%.40s)", d->classes[k].value, d->classes[k].name);
	}
	char found[256] = "";
	int n_unknown = 0;
	for (int v = 0; v < values->n; v++) {
		const size_t used = strlen(found);
		if (values->count[v] && hy_dataset_class(d, values->value[v]) == HY_NO_CLASS && n_unknown++ < 5)
			snprintf(found + used, sizeof found - used, used ? ", %d (%s)" : "%d (%s)", values->value[v],
			         HY_COUNT(values->count[v], "voxel"));
	}
	if (!n_unknown)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_DATA, "%s: unknown label value %s%s, want one of %s", c->label_path, found,
	               n_unknown > 5 ? ", ..." : "", wanted);
}

hardy_status hy_case_check_grey(const hy_case *c, const hy_volume *image, hardy_error *err)
{
	const int64_t n = hy_grid_voxels(&image->grid);
	for (int64_t t = 0; t < image->nt; t++) {
		const float *data = image->data + t * n;
		int64_t i = 1;
		while (i < n && data[i] == data[0])
			i++;
		if (i >= n)
			return hy_fail(err, HARDY_ERROR_DATA, "%s: every voxel is %g%s", c->image_path[c->image_path[1] ? t : 0],
			               (double)data[0], image->nt > 1 ? " in one channel" : "");
	}
	return HARDY_OK;
}

hardy_status hy_case_load(const hy_dataset *d, size_t i, const hy_dataset_options *o, hy_volume *image, hy_labels *labels,
                          const hardy_log *log, hardy_error *err)
{
	if (i >= d->n_cases)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: case %zu of %zu", d->root, i, d->n_cases);
	const hy_case *c = &d->cases[i];
	hy_volume v = {0};
	hy_labels l = {0};
	hy_label_values values;
	hardy_status status = hy_case_read_image(d, c, o, &v, log, err);
	if (!status && labels) {
		status = hy_case_read_values(c, o, &v.grid, &l, &values, log, err);
		if (!status)
			status = hy_case_check_values(d, c, &values, err);
		if (!status) {
			const int64_t n = hy_grid_voxels(&l.grid);
			int64_t n_foreground = 0;
			uint8_t class[256] = {0};
			for (int k = 0; k < values.n; k++)
				class[k] = hy_dataset_class(d, values.value[k]);
			for (int64_t k = 0; k < n; k++) {
				l.data[k] = class[l.data[k]];
				n_foreground += l.data[k] > 0;
			}
			if (!n_foreground)
				hy_warn(log, "%s: no voxel belongs to a class besides the background", c->label_path);
		}
	}
	if (status) {
		hy_volume_clear(&v);
		hy_labels_clear(&l);
		return status;
	}
	*image = v;
	if (labels)
		*labels = l;
	return HARDY_OK;
}
