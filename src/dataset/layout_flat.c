/*
 * layout_flat.c: one folder with images NAME.nii.gz and their labels NAME_gt.nii.gz; the phase comes from the name.
 */
#include "base/memory.h"
#include "dataset/layout.h"
#include "image/nifti.h"

#include <stdio.h>
#include <string.h>

/* Cuts a final "_gt" off. */
static bool cut_label(char *stem)
{
	const size_t n = strlen(stem);
	if (n < 4 || strcmp(stem + n - 3, "_gt"))
		return false;
	stem[n - 3] = 0;
	return true;
}

hardy_status hy_flat_matches(const char *root, bool *found, hardy_error *err)
{
	hy_names names = {0};
	*found = false;
	const hardy_status status = hy_list_folder(root, &names, err);
	if (status)
		return status == HARDY_ERROR_MEMORY ? status : HARDY_OK;
	for (size_t i = 0; i < names.n && !*found; i++) {
		char stem[256];
		*found = hy_stem(names.name[i], stem, sizeof stem) && cut_label(stem);
	}
	hy_names_free(&names);
	return HARDY_OK;
}

/* Index of the file NAME or, with label, NAME_gt; -1 when there is none. */
static int64_t find_name(const hy_names *names, const char *wanted, bool label)
{
	const size_t n = strlen(wanted);
	for (size_t i = hy_names_find(names, wanted, n); hy_names_begin(names, i, wanted, n); i++) {
		char stem[256];
		if (hy_stem(names->name[i], stem, sizeof stem) && cut_label(stem) == label && !strcmp(stem, wanted))
			return (int64_t)i;
	}
	return -1;
}

static hardy_status read_file(hy_scan *s, const hy_names *names, size_t i, hardy_error *err)
{
	char stem[256], subject[HY_NAME_SIZE], phase[16];
	const char *root = s->d->root, *name = names->name[i];
	if (!hy_stem(name, stem, sizeof stem))
		return HARDY_OK;
	if (cut_label(stem)) {
		if (find_name(names, stem, false) < 0)
			hy_problem_add(s->problems, false, "", "", "restore the image, or remove the label",
			               "%s/%s: a label without its image %s; not used", root, name, stem);
		return HARDY_OK;
	}
	if (!hy_split_phase(stem, subject, phase)) {
		hy_problem_add(s->problems, true, "", "", "give it a shorter name", "%s/%s: the name has more than %d letters", root,
		               name, HY_NAME_SIZE - 1);
		return HARDY_OK;
	}
	const int64_t label = find_name(names, stem, true);
	const bool first = find_name(names, stem, false) == (int64_t)i; /* said once */
	if (label >= 0 && first && hy_problem_of_twin(s->problems, subject, phase, root, names, (size_t)label))
		return HARDY_OK;
	if (hy_twin(names, i)) {
		if (first)
			hy_problem_of_twin(s->problems, subject, phase, root, names, i);
		return HARDY_OK;
	}
	hy_case *c = NULL;
	const hardy_status status = hy_scan_add(s, subject, phase, "", &c, err);
	if (status)
		return status;
	c->image_path[0] = hy_path_join(root, name);
	c->label_path = label >= 0 ? hy_path_join(root, names->name[label]) : NULL;
	if (!c->image_path[0] || (label >= 0 && !c->label_path))
		return hy_fail_memory(err, root, 1, 1);
	if (label < 0)
		hy_problem_add(s->problems, false, subject, phase,
		               "restore it if there should be one; without it the scan can be predicted but not learned from",
		               "%s/%s_gt: no such label", root, stem);
	return HARDY_OK;
}

hardy_status hy_flat_read(hy_scan *s, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_list_folder(s->d->root, &names, err);
	for (size_t i = 0; i < names.n && !status; i++)
		status = read_file(s, &names, i, err);
	hy_names_free(&names);
	if (!status)
		status = hy_scan_guess_channels(s, err);
	if (status)
		return status;
	snprintf(s->d->channels[0], HY_NAME_SIZE, s->d->n_channels > 1 ? "channel_0" : "image");
	for (int c = 1; c < s->d->n_channels; c++)
		snprintf(s->d->channels[c], HY_NAME_SIZE, "channel_%d", c);
	return hy_scan_guess_classes(s, err);
}
