/*
 * classes.c: which label value means what: names given by the layout or by --labels, in the order the program uses.
 *
 * Data sets disagree (in ACDC 1 is the right ventricle, in M&Ms the left), so values are never taken over as they are.
 */
#include "base/memory.h"
#include "base/text.h"
#include "dataset/layout.h"
#include "image/nifti.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const heart_names[3] = {"LV", "MYO", "RV"};

/* Usual spellings, letters and digits only, lower case. */
static const struct {
	const char *spelling;
	int part; /* index of heart_names */
} heart_spellings[] = {
    {"lv", 0},
    {"lvc", 0},
    {"lvbp", 0},
    {"lvcavity", 0},
    {"lvblood", 0},
    {"lvbloodpool", 0},
    {"lvendo", 0},
    {"leftventricle", 0},
    {"leftventriclecavity", 0},
    {"leftventricularcavity", 0},
    {"leftventriclebloodpool", 0},
    {"leftventricularbloodpool", 0},
    {"leftventriclebloodcavity", 0},
    {"leftventricularbloodcavity", 0},
    {"myo", 1},
    {"mlv", 1},
    {"lvm", 1},
    {"lvmyo", 1},
    {"myolv", 1},
    {"lvwall", 1},
    {"myocardium", 1},
    {"lvmyocardium", 1},
    {"myocardiumlv", 1},
    {"leftventriclemyocardium", 1},
    {"leftventricularmyocardium", 1},
    {"myocardiumoftheleftventricle", 1},
    {"rv", 2},
    {"rvc", 2},
    {"rvbp", 2},
    {"rvcavity", 2},
    {"rvblood", 2},
    {"rvbloodpool", 2},
    {"rvendo", 2},
    {"rightventricle", 2},
    {"rightventriclecavity", 2},
    {"rightventricularcavity", 2},
    {"rightventriclebloodpool", 2},
    {"rightventricularbloodpool", 2},
    {"rightventriclebloodcavity", 2},
    {"rightventricularbloodcavity", 2},
};

/* 0, 1, 2 for LV, MYO, RV; -1 for anything else. */
static int heart_part(const char *name)
{
	char plain[HY_NAME_SIZE];
	size_t n = 0;
	for (const char *p = name; *p && n + 1 < sizeof plain; p++)
		if (isalnum((unsigned char)*p))
			plain[n++] = (char)tolower((unsigned char)*p);
	plain[n] = 0;
	for (size_t i = 0; i < sizeof heart_spellings / sizeof *heart_spellings; i++)
		if (!strcmp(plain, heart_spellings[i].spelling))
			return heart_spellings[i].part;
	return -1;
}

static bool is_background(const char *name)
{
	return !strcasecmp(name, "background") || !strcasecmp(name, "bg");
}

static int by_value(const void *a, const void *b)
{
	const hy_label_name *x = a, *y = b;
	return (x->value > y->value) - (x->value < y->value);
}

/* "lv=3,myo=2" to names; room for 256. */
static hardy_status parse_names(const char *text, hy_label_name *names, size_t *n, hardy_error *err)
{
	*n = 0;
	for (const char *p = text;;) {
		const size_t length = strcspn(p, ",");
		const char *equals = memchr(p, '=', length);
		const size_t name_length = equals ? (size_t)(equals - p) : 0;
		char *end = NULL;
		const long value = equals && isdigit((unsigned char)equals[1]) ? strtol(equals + 1, &end, 10) : -1;
		if (!name_length || value < 0 || value > 65535 || end != p + length)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "labels: \"%.*s\" is not NAME=VALUE with a value of 0 to 65535",
			               (int)length, p);
		if (name_length >= HY_NAME_SIZE)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "labels: name \"%.*s\" has more than %d letters", (int)name_length, p,
			               HY_NAME_SIZE - 1);
		if (*n == 256)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "labels: more than 256 names");
		memcpy(names[*n].name, p, name_length);
		names[*n].name[name_length] = 0;
		names[(*n)++].value = (int)value;
		if (!p[length])
			return HARDY_OK;
		p += length + 1;
	}
}

/* value counts as this class; there is room, for names are at most as many. */
static void add_value(hy_dataset *d, int value, int class)
{
	d->values[d->n_values].value = (uint16_t)value;
	d->values[d->n_values++].class = (uint8_t) class;
}

static hardy_status add_class(hy_dataset *d, const char *name, int value, const char *source, hardy_error *err)
{
	if (d->n_classes == HY_MAX_CLASSES)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: more than %d classes", source, HY_MAX_CLASSES - 1);
	hy_class *c = &d->classes[d->n_classes];
	snprintf(c->name, sizeof c->name, "%s", name);
	c->value = value;
	c->present = value >= 0;
	if (value >= 0)
		add_value(d, value, d->n_classes);
	d->n_classes++;
	return HARDY_OK;
}

/* Each value once, each name once (background may have several), 0 is background. */
static hardy_status check_names(const hy_label_name *names, size_t n, const char *source, hardy_error *err)
{
	size_t n_foreground = 0;
	for (size_t i = 0; i < n; i++) {
		const bool background = is_background(names[i].name);
		n_foreground += !background;
		if (names[i].value < 0 || names[i].value > 65535)
			return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: label value %d of \"%s\", want 0 to 65535", source,
			               names[i].value, names[i].name);
		if (!names[i].value && !background)
			return hy_fail(err, HARDY_ERROR_DATA, "%s: label value 0 is called \"%s\", but 0 is the background", source,
			               names[i].name);
		for (size_t j = 0; j < i; j++) {
			if (names[j].value == names[i].value)
				return hy_fail(err, HARDY_ERROR_DATA, "%s: label value %d is named twice, \"%s\" and \"%s\"", source,
				               names[i].value, names[j].name, names[i].name);
			const int part = heart_part(names[i].name);
			const bool same = part >= 0 ? part == heart_part(names[j].name) : !strcasecmp(names[i].name, names[j].name);
			if (same && !background)
				return hy_fail(err, HARDY_ERROR_DATA, "%s: \"%s\" (%d) and \"%s\" (%d) are the same class", source,
				               names[j].name, names[j].value, names[i].name, names[i].value);
		}
	}
	if (!n_foreground)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: no class besides the background", source);
	return HARDY_OK;
}

static hardy_status set_classes(hy_dataset *d, hy_label_name *names, size_t n, const char *source, hardy_error *err)
{
	hardy_status status = check_names(names, n, source, err);
	if (status)
		return status;
	qsort(names, n, sizeof *names, by_value);
	d->n_classes = 0;
	d->heart = false;
	d->n_values = 0;
	status = add_class(d, "background", 0, source, err);
	int heart[3] = {-1, -1, -1};
	for (size_t i = 0; i < n; i++) {
		const int part = heart_part(names[i].name);
		if (part >= 0) {
			heart[part] = names[i].value;
			d->heart = true;
		}
	}
	for (int k = 0; k < 3 && d->heart && !status; k++)
		status = add_class(d, heart_names[k], heart[k], source, err);
	for (size_t i = 0; i < n && !status; i++) {
		if (is_background(names[i].name) && names[i].value)
			add_value(d, names[i].value, 0);
		else if (!is_background(names[i].name) && heart_part(names[i].name) < 0)
			status = add_class(d, names[i].name, names[i].value, source, err);
	}
	return status;
}

/* Beside names of a heart's parts, what is nearly the name of one that is missing is probably meant to be it. */
static void warn_of_slips(const hy_label_name *names, size_t n, const hardy_log *log)
{
	static const char *const words[3] = {"lv", "myo", "rv"};
	bool named[3] = {false};
	char missing[32] = "";
	for (size_t i = 0; i < n; i++)
		if (heart_part(names[i].name) >= 0)
			named[heart_part(names[i].name)] = true;
	for (int k = 0; k < 3; k++)
		if (!named[k])
			snprintf(missing + strlen(missing), sizeof missing - strlen(missing), "%s, ", words[k]);
	for (size_t i = 0; i < n; i++) {
		const char *name = names[i].name;
		const hy_words meant = hy_meant(name, strlen(name), missing);
		if ((named[0] || named[1] || named[2]) && heart_part(name) < 0 && !is_background(name) && meant.text[0])
			hy_warn(log, "labels: \"%s\" is taken for a class of its own%s", name, meant.text);
	}
}

hardy_status hy_scan_set_classes(hy_scan *s, const hy_label_name *names, size_t n, const char *source, hardy_error *err)
{
	hy_label_name *own = hy_calloc(256, sizeof *own);
	if (!own)
		return hy_fail_memory(err, "label names", 256, sizeof *own);
	hardy_status status = HARDY_OK;
	if (s->o && s->o->labels) {
		source = "labels";
		status = parse_names(s->o->labels, own, &n, err);
		if (!status)
			warn_of_slips(own, n, s->log);
	} else if (n > 256) {
		status = hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: %zu label names, want at most 256", source, n);
	} else if (n) {
		memcpy(own, names, n * sizeof *own);
	}
	if (!status)
		status = set_classes(s->d, own, n, source, err);
	hy_free(own);
	return status;
}

hardy_status hy_dataset_name_classes(hy_dataset *d, const char *labels, hardy_error *err)
{
	hy_dataset_options o = {.labels = labels};
	hy_scan s = {.d = d, .o = &o};
	return hy_scan_set_classes(&s, NULL, 0, "labels", err);
}

/* Different values other than 0, sorted. */
typedef struct seen_values {
	uint16_t *value; /* owned */
	size_t n, n_files, n_read;
} seen_values;

static hardy_status see_values(seen_values *seen, const hy_label_values *v, hardy_error *err)
{
	for (int k = 0; k < v->n; k++) {
		size_t at = 0;
		while (at < seen->n && seen->value[at] < v->value[k])
			at++;
		if (!v->value[k] || !v->count[k] || (at < seen->n && seen->value[at] == v->value[k]))
			continue;
		uint16_t *larger = hy_realloc(seen->value, seen->n + 1, sizeof *larger);
		if (!larger)
			return hy_fail_memory(err, "label values", seen->n + 1, sizeof *larger);
		seen->value = larger;
		memmove(larger + at + 1, larger + at, (seen->n - at) * sizeof *larger);
		larger[at] = v->value[k];
		seen->n++;
	}
	return HARDY_OK;
}

static hardy_status collect_values(const hy_scan *s, seen_values *seen, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < s->d->n_cases && !status; i++) {
		const hy_case *c = &s->d->cases[i];
		hy_labels labels = {0};
		hy_label_values values;
		if (!c->label_path)
			continue;
		seen->n_files++;
		status = hy_case_read_values(c, s->o, NULL, &labels, &values, NULL, err);
		if (status && status != HARDY_ERROR_MEMORY) {
			status = HARDY_OK; /* reported when the case is loaded */
			continue;
		}
		hy_labels_clear(&labels);
		seen->n_read++;
		if (!status)
			status = see_values(seen, &values, err);
	}
	return status;
}

hardy_status hy_scan_guess_classes(hy_scan *s, hardy_error *err)
{
	if (s->o && s->o->labels)
		return hy_scan_set_classes(s, NULL, 0, "labels", err);
	seen_values seen = {0};
	hardy_status status = collect_values(s, &seen, err);
	hy_label_name *names = hy_calloc(HY_MAX_CLASSES, sizeof *names);
	char list[512] = "";
	if (!status && !names)
		status = hy_fail_memory(err, "label names", HY_MAX_CLASSES, sizeof *names);
	if (!status && !seen.n)
		status = hy_fail(err, HARDY_ERROR_DATA,
		                 seen.n_read ? "%s: none of %s has a value other than 0" : "%s: none of %s can be read", s->d->root,
		                 HY_COUNT(seen.n_read ? seen.n_read : seen.n_files, "label file"));
	if (!status && seen.n >= HY_MAX_CLASSES)
		status = hy_fail(err, HARDY_ERROR_DATA,
		                 "%s: the label files hold %zu different values, want at most %d: are they label maps?", s->d->root,
		                 seen.n, HY_MAX_CLASSES - 1);
	for (size_t i = 0; i < seen.n && !status; i++) {
		const size_t used = strlen(list);
		snprintf(names[i].name, sizeof names[i].name, "class_%d", seen.value[i]);
		names[i].value = seen.value[i];
		snprintf(list + used, sizeof list - used, used ? ", %d" : "%d", seen.value[i]);
	}
	if (!status)
		hy_warn(s->log, "%s: nothing names the label values %s; name them by the option labels, such as NAME=%d,...",
		        s->d->root, list, seen.value[0]);
	if (!status)
		status = hy_scan_set_classes(s, names, seen.n, s->d->root, err);
	hy_free(seen.value);
	hy_free(names);
	return status;
}
