/*
 * layout_acdc.c: the ACDC challenge as it is shipped (Bernard et al., IEEE TMI 2018).
 *
 *     [database/]{training,testing}/patientNNN/Info.cfg              ED: 1, ES: 12, Group: DCM, NbFrame: 30
 *                                              patientNNN_frame01.nii.gz, patientNNN_frame01_gt.nii.gz
 *                                              patientNNN_4d.nii.gz  the whole cine
 *
 * Frames count from 1. Labels: 1 right ventricle, 2 myocardium, 3 left ventricle.
 */
#include "base/memory.h"
#include "dataset/layout.h"
#include "image/nifti.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const hy_label_name acdc_names[] = {{"RV", 1}, {"MYO", 2}, {"LV", 3}};

static const struct {
	const char *folder;
	bool held_out;
} parts[] = {{"", false}, {"training", false}, {"testing", true}, {"database/training", false}, {"database/testing", true}};

typedef struct info {
	long ed, es, n_frames; /* 0 when absent */
	char site[HY_NAME_SIZE];
} info;

typedef struct subject {
	const char *name;
	char *folder;
	hy_names files;
	bool *used; /* per file */
	info info;
	bool held_out;
} subject;

static char *join3(const char *a, const char *b, const char *c)
{
	char *ab = *b ? hy_path_join(a, b) : hy_strdup(a);
	char *abc = ab && c ? hy_path_join(ab, c) : ab;
	if (abc != ab)
		hy_free(ab);
	return abc;
}

static bool has_info(const char *folder)
{
	return hy_has_file(folder, "Info.cfg");
}

/* patient007, with or without what must be in it. */
static bool is_patient(const char *name)
{
	return !strncmp(name, "patient", 7) && isdigit((unsigned char)name[7]);
}

/* Whether a folder holds subjects. */
static hardy_status holds_subjects(const char *folder, bool *found, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_path_is_folder(folder) ? hy_list_folders(folder, &names, err) : HARDY_OK;
	for (size_t k = 0; k < names.n && !*found && !status; k++) {
		char *path = hy_path_join(folder, names.name[k]);
		*found = path && (is_patient(names.name[k]) || has_info(path));
		status = path ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
		hy_free(path);
	}
	hy_names_free(&names);
	return status == HARDY_ERROR_MEMORY ? status : HARDY_OK;
}

hardy_status hy_acdc_matches(const char *root, bool *found, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	*found = has_info(root);
	for (size_t i = 0; i < sizeof parts / sizeof *parts && !*found && !status; i++) {
		char *folder = join3(root, parts[i].folder, NULL);
		status = folder ? holds_subjects(folder, found, err) : hy_fail_memory(err, root, 1, 1);
		hy_free(folder);
	}
	return status;
}

/* A key's value: a whole number of 1 or more, else 0. */
static long positive(const char *text)
{
	char *end = NULL;
	const long v = strtol(text, &end, 10);
	while (isspace((unsigned char)*end))
		end++;
	return end != text && !*end && v > 0 && v < 100000 ? v : 0;
}

static hardy_status read_info(const char *path, info *out, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0;
	const hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	*out = (info){0};
	for (char *line = hy_text_start(text); *line;) {
		char *end = line + strcspn(line, "\r\n");
		const bool last = !*end;
		*end = 0;
		char *colon = strchr(line, ':');
		if (colon) {
			*colon = 0;
			const char *value = colon + 1 + strspn(colon + 1, " \t");
			line += strspn(line, " \t");
			if (!strcasecmp(line, "ED"))
				out->ed = positive(value);
			else if (!strcasecmp(line, "ES"))
				out->es = positive(value);
			else if (!strcasecmp(line, "NbFrame"))
				out->n_frames = positive(value);
			else if (!strcasecmp(line, "Site") || !strcasecmp(line, "Centre") || !strcasecmp(line, "Vendor"))
				snprintf(out->site, sizeof out->site, "%s", value);
		}
		line = last ? end : end + 1;
	}
	hy_free(text);
	return HARDY_OK;
}

/* The index of NAME_frameNN[_gt] or (frame 0) NAME_4d among the files, -1 when absent; marks it used. */
static int64_t find_file(const subject *p, long frame, bool label)
{
	const size_t n_name = strlen(p->name);
	for (size_t i = 0; i < p->files.n; i++) {
		char stem[256];
		if (!hy_stem(p->files.name[i], stem, sizeof stem) || strncmp(stem, p->name, n_name) || stem[n_name] != '_')
			continue;
		const char *rest = stem + n_name + 1;
		bool match = false;
		if (!frame) {
			match = !strcmp(rest, "4d");
		} else if (!strncmp(rest, "frame", 5) && isdigit((unsigned char)rest[5])) {
			char *end = NULL;
			match = strtol(rest + 5, &end, 10) == frame && !strcmp(end, label ? "_gt" : "");
		}
		if (match) {
			p->used[i] = true;
			return (int64_t)i;
		}
	}
	return -1;
}

/* Files of one name are said to be so, and not that they are unused. */
static void mark_twins(const subject *p, size_t i)
{
	const size_t n = hy_nifti_stem(p->files.name[i]);
	for (size_t k = 0; k < p->files.n; k++)
		if (hy_nifti_stem(p->files.name[k]) == n && !strncmp(p->files.name[k], p->files.name[i], n))
			p->used[k] = true;
}

static hardy_status add_phase(hy_scan *s, const subject *p, const char *phase, long frame, hardy_error *err)
{
	if (!frame) {
		hy_problem_add(s->problems, true, p->name, phase, "add the line, with the frame's number counted from 1",
		               "%s/Info.cfg: no line \"%s: N\"", p->folder, phase);
		return HARDY_OK;
	}
	int64_t image = find_file(p, frame, false);
	const int64_t cine = find_file(p, 0, false), label = find_file(p, frame, true);
	if (image < 0 && (cine < 0 || (p->info.n_frames && frame > p->info.n_frames))) {
		hy_problem_add(s->problems, true, p->name, phase, "restore the file, or correct Info.cfg, or remove the subject",
		               cine < 0 ? "%s/%s_frame%02ld.nii.gz: missing, though Info.cfg says %s: %ld"
		                        : "%s/%s_frame%02ld.nii.gz: missing, and Info.cfg's %s: %ld lies beyond the cine",
		               p->folder, p->name, frame, phase, frame);
		return HARDY_OK;
	}
	const int64_t chosen[2] = {image < 0 ? cine : image, label};
	for (int k = 0; k < 2; k++) {
		if (chosen[k] < 0 || !hy_problem_of_twin(s->problems, p->name, phase, p->folder, &p->files, (size_t)chosen[k]))
			continue;
		mark_twins(p, (size_t)chosen[k]);
		return HARDY_OK;
	}
	hy_case *c = NULL;
	const hardy_status status = hy_scan_add(s, p->name, phase, p->info.site, &c, err);
	if (status)
		return status;
	c->held_out = p->held_out;
	c->cine_frame = frame - 1;
	if (image < 0) {
		image = cine;
		c->frame = frame - 1;
	}
	c->image_path[0] = hy_path_join(p->folder, p->files.name[image]);
	if (!c->image_path[0])
		return hy_fail_memory(err, p->folder, 1, 1);
	if (label >= 0 && !(c->label_path = hy_path_join(p->folder, p->files.name[label])))
		return hy_fail_memory(err, p->folder, 1, 1);
	if (label < 0)
		hy_problem_add(s->problems, false, p->name, phase,
		               "restore it; without it the scan can be predicted but not learned from",
		               "%s/%s_frame%02ld_gt.nii.gz: missing", p->folder, p->name, frame);
	return HARDY_OK;
}

static hardy_status read_subject(hy_scan *s, const char *folder, const char *name, bool held_out, hardy_error *err)
{
	subject p = {.name = name, .held_out = held_out};
	char *path = hy_path_join(folder, "Info.cfg");
	hardy_error inner = {0};
	hardy_status status = path && (p.folder = hy_strdup(folder)) ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
	if (status)
		goto out;
	if ((status = hy_list_folder(folder, &p.files, &inner)) || (status = read_info(path, &p.info, &inner))) {
		if (status == HARDY_ERROR_MEMORY) {
			status = hy_fail(err, status, "%s", inner.message);
			goto out;
		}
		hy_problem_add(s->problems, true, name, "", "restore it, with lines ED: N and ES: N", "%s", inner.message);
		status = HARDY_OK;
		goto out;
	}
	if (!(p.used = hy_calloc(p.files.n, sizeof *p.used))) {
		status = hy_fail_memory(err, folder, p.files.n, sizeof *p.used);
		goto out;
	}
	if (p.info.ed && p.info.ed == p.info.es) {
		hy_problem_add(s->problems, true, name, "", "correct the file", "%s: ED and ES are both frame %ld", path, p.info.ed);
		goto out;
	}
	status = add_phase(s, &p, "ED", p.info.ed, err);
	if (!status)
		status = add_phase(s, &p, "ES", p.info.es, err);
	for (size_t i = 0; i < p.files.n && !status; i++) {
		char stem[256];
		if (hy_stem(p.files.name[i], stem, sizeof stem) && !p.used[i])
			hy_problem_add(s->problems, false, name, "", "remove it, or correct Info.cfg when it should be used",
			               "%s/%s: neither ED (frame %ld) nor ES (frame %ld); not used", folder, p.files.name[i], p.info.ed,
			               p.info.es);
	}
out:
	hy_names_free(&p.files);
	hy_free(p.used);
	hy_free(p.folder);
	hy_free(path);
	return status;
}

/* All subjects below one folder. */
static hardy_status read_part(hy_scan *s, const char *folder, bool held_out, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_list_folders(folder, &names, err);
	for (size_t i = 0; i < names.n && !status; i++) {
		if (names.name[i][0] == '.')
			continue;
		char *path = hy_path_join(folder, names.name[i]);
		if (!path)
			status = hy_fail_memory(err, folder, 1, 1);
		else if (is_patient(names.name[i]) || has_info(path))
			status = read_subject(s, path, names.name[i], held_out, err);
		hy_free(path);
	}
	hy_names_free(&names);
	return status;
}

hardy_status hy_acdc_read(hy_scan *s, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	if (has_info(s->d->root)) { /* one subject's own folder */
		char *name = hy_strdup(s->d->root);
		if (!name)
			return hy_fail_memory(err, s->d->root, 1, 1);
		for (size_t n = strlen(name); n > 1 && name[n - 1] == '/'; n--)
			name[n - 1] = 0;
		status = read_subject(s, name, hy_path_name(name), false, err);
		hy_free(name);
	} else {
		for (size_t i = 0; i < sizeof parts / sizeof *parts && !status; i++) {
			char *folder = join3(s->d->root, parts[i].folder, NULL);
			if (!folder)
				return hy_fail_memory(err, s->d->root, 1, 1);
			if (hy_path_is_folder(folder))
				status = read_part(s, folder, parts[i].held_out, err);
			hy_free(folder);
		}
	}
	s->d->n_channels = 1;
	snprintf(s->d->channels[0], HY_NAME_SIZE, "cine MR");
	return status ? status : hy_scan_set_classes(s, acdc_names, 3, "ACDC", err);
}
