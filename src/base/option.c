/*
 * option.c: fields of option structs by the rows of their tables: set from text, checked, told, kept as JSON.
 */
#include "base/option.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers are exact as double up to here. */
static const double MOST_WHOLE = 9007199254740992;

static void *field_of(const hardy_option *r, void *options)
{
	return (char *)options + r->offset;
}

static const void *value_of(const hardy_option *r, const void *options)
{
	return (const char *)options + r->offset;
}

static const char *text_of(const hardy_option *r, const void *options)
{
	return *(const char *const *)value_of(r, options);
}

static int n_numbers(const hardy_option *r)
{
	switch (r->type) {
	case HARDY_OPTION_TEXT:
	case HARDY_OPTION_TEXTS:
		return 0;
	case HARDY_OPTION_PAIR:
		return 2;
	case HARDY_OPTION_SPACING:
		return 3;
	default:
		return 1;
	}
}

static void get_numbers(const hardy_option *r, const void *options, double v[3])
{
	const void *p = value_of(r, options);
	switch (r->type) {
	case HARDY_OPTION_SWITCH:
		v[0] = *(const bool *)p;
		break;
	case HARDY_OPTION_WHOLE:
		v[0] = (double)*(const int64_t *)p;
		break;
	case HARDY_OPTION_CHOICE:
		v[0] = *(const int *)p;
		break;
	default:
		memcpy(v, p, (size_t)n_numbers(r) * sizeof *v);
	}
}

static void put_numbers(const hardy_option *r, void *options, const double v[3])
{
	void *p = field_of(r, options);
	switch (r->type) {
	case HARDY_OPTION_SWITCH:
		*(bool *)p = v[0] != 0;
		break;
	case HARDY_OPTION_WHOLE:
		*(int64_t *)p = (int64_t)v[0];
		break;
	case HARDY_OPTION_CHOICE:
		*(int *)p = (int)v[0];
		break;
	default:
		memcpy(p, v, (size_t)n_numbers(r) * sizeof *v);
	}
}

/* ---- choices ------------------------------------------------------------------------------------------------------------ */

/* Which of "a|b|c" text is, from 0; -1 for none. */
static int choice_of(const char *choices, const char *text)
{
	const size_t n = strlen(text);
	int i = 0;
	for (const char *at = choices; at; at = strchr(at, '|'), i++) {
		at += *at == '|';
		if (n && strcspn(at, "|") == n && !memcmp(at, text, n))
			return i;
	}
	return -1;
}

static void choice_text(const char *choices, int i, char *out, size_t size)
{
	while (i-- > 0 && (choices = strchr(choices, '|')))
		choices++;
	snprintf(out, size, "%.*s", choices ? (int)strcspn(choices, "|") : 0, choices ? choices : "");
}

/* A name of theirs that text is near to, as a remark. */
static hy_words meant(const hardy_option *r, const char *text)
{
	return r->choices ? hy_meant(text, strlen(text), r->choices) : (hy_words){""};
}

/* ---- checks ------------------------------------------------------------------------------------------------------------- */

static hardy_status out_of_range(const hardy_option *r, const char *is, hardy_error *err)
{
	if (r->high >= MOST_WHOLE || r->high >= 1e30)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %s, want %.10g or more", r->name, is, r->low);
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %s, want %.10g to %.10g", r->name, is, r->low, r->high);
}

static void number_text(double v, char *out, size_t size)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(out, size, "%.*g", digits, v);
		if (hy_number(out) == v)
			break;
	}
	if (fabs(v) < MOST_WHOLE && v == floor(v))
		snprintf(out, size, "%.0f", v);
}

/* What is not given may be out of range: no spacing is 0, and NaN where the default is that. */
static hardy_status check_numbers(const hardy_option *r, const double v[3], hardy_error *err)
{
	char is[64];
	const bool any = r->low == 0 && r->high == 0;
	for (int i = 0; i < n_numbers(r); i++) {
		const bool inside = any ? isfinite(v[i]) : v[i] >= r->low && v[i] <= r->high;
		if (inside || (isnan(v[i]) && r->type == HARDY_OPTION_REAL && r->usual && isnan(strtod(r->usual, NULL))))
			continue;
		number_text(v[i], is, sizeof is);
		if (any)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %s, want a number", r->name, is);
		return out_of_range(r, is, err);
	}
	return HARDY_OK;
}

hardy_status hy_option_check(const hardy_option *r, const void *options, hardy_error *err)
{
	double v[3];
	if (r->type == HARDY_OPTION_TEXTS)
		return HARDY_OK;
	if (r->type == HARDY_OPTION_TEXT) {
		const char *text = text_of(r, options);
		if (text ? !r->choices || choice_of(r->choices, text) >= 0 : !(r->use & HARDY_OPTION_NEEDED))
			return HARDY_OK;
		if (!text)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is missing", r->name);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\"%s, want one of %s", r->name, text, meant(r, text).text,
		               r->choices);
	}
	get_numbers(r, options, v);
	if (r->type == HARDY_OPTION_CHOICE) {
		char word[64];
		choice_text(r->choices, (int)v[0], word, sizeof word);
		if (v[0] < 0 || !*word)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %d, want a number of %s, from 0", r->name, (int)v[0], r->choices);
		return HARDY_OK;
	}
	return check_numbers(r, v, err);
}

hardy_status hardy_options_check(const hardy_options *table, const void *options, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < table->n && !status; i++)
		status = hy_option_check(&table->rows[i], options, err);
	return status;
}

/* ---- from text ---------------------------------------------------------------------------------------------------------- */

static bool read_switch(const hardy_option *r, const char *text, double *v)
{
	static const char *const words[2][3] = {{"off", "false", "no"}, {"on", "true", "yes"}};
	const int choice = r->choices ? choice_of(r->choices, text) : -1;
	*v = choice;
	for (int i = 0; i < 2 && choice < 0; i++)
		for (int k = 0; k < 3; k++)
			if (!strcmp(text, words[i][k]))
				*v = i;
	return *v >= 0;
}

static bool read_time(const char *text, double *v)
{
	char number[64];
	const size_t n = strlen(text);
	const double unit = !n ? 0 : text[n - 1] == 's' ? 1 : text[n - 1] == 'm' ? 60 : text[n - 1] == 'h' ? 3600 : 0;
	snprintf(number, sizeof number, "%.*s", (int)(unit > 0 ? n - 1 : n), text);
	*v = hy_number(number) * (unit > 0 ? unit : 1);
	return *v > 0 && n < sizeof number;
}

/* Numbers with commas between; returns how many, 0 when that is not what it is. */
static int read_list(const char *text, double *v, int most)
{
	int n = 0;
	for (const char *at = text;; at++) {
		char number[64];
		const size_t length = strcspn(at, ",");
		snprintf(number, sizeof number, "%.*s", (int)length, at);
		const double value = length < sizeof number ? hy_number(number) : NAN;
		if (n == most || isnan(value))
			return 0;
		v[n++] = value;
		at += length;
		if (!*at)
			return n;
	}
}

static bool read_spacing(const char *text, double v[3])
{
	const double z = v[2]; /* one number leaves it alone */
	const int n = read_list(text, v, 3);
	if (n == 1) {
		v[1] = v[0];
		v[2] = z;
	}
	for (int i = 0; i < n; i++)
		if (!(v[i] > 0))
			return false;
	return n == 1 || n == 3;
}

/* What a text must be like; NULL when it is. */
static const char *read_numbers(const hardy_option *r, const char *text, double v[3])
{
	switch (r->type) {
	case HARDY_OPTION_SWITCH:
		return read_switch(r, text, v) ? NULL : r->choices ? "one of" : "on or off";
	case HARDY_OPTION_CHOICE:
		return (v[0] = choice_of(r->choices, text)) >= 0 ? NULL : "one of";
	case HARDY_OPTION_WHOLE:
		v[0] = hy_number(text);
		return v[0] == floor(v[0]) && fabs(v[0]) <= MOST_WHOLE ? NULL : "a whole number";
	case HARDY_OPTION_TIME:
		return read_time(text, v) ? NULL : "a time such as 90s, 45m or 2h";
	case HARDY_OPTION_PAIR:
		return read_list(text, v, 2) == 2 ? NULL : "two numbers: LOW,HIGH";
	case HARDY_OPTION_SPACING:
		return read_spacing(text, v) ? NULL : "mm, one number (x and y) or three: 1.5 or 1.5,1.5,10";
	default:
		v[0] = hy_number(text);
		return isnan(v[0]) ? "a number" : NULL;
	}
}

hardy_status hardy_option_set(const hardy_option *r, void *options, const char *text, hardy_error *err)
{
	double v[3] = {0};
	if (!r || !text)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, r ? "%s is missing" : "there is no option of that name", r ? r->name : "");
	if (r->type == HARDY_OPTION_TEXTS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is a list", r->name);
	if (r->type == HARDY_OPTION_TEXT) {
		if (r->choices && choice_of(r->choices, text) < 0)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\"%s, want one of %s", r->name, text, meant(r, text).text,
			               r->choices);
		*(const char **)field_of(r, options) = text;
		return HARDY_OK;
	}
	get_numbers(r, options, v);
	const char *wanted = read_numbers(r, text, v);
	char range[64] = "";
	if (r->high < 1e5 && r->high > r->low && (r->type == HARDY_OPTION_WHOLE || r->type == HARDY_OPTION_REAL))
		snprintf(range, sizeof range, " from %.10g to %.10g", r->low, r->high);
	if (wanted)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\"%s, want %s%s%s", r->name, text, meant(r, text).text, wanted,
		               r->choices ? " " : range, r->choices ? r->choices : "");
	const hardy_status status = r->type == HARDY_OPTION_CHOICE ? HARDY_OK : check_numbers(r, v, NULL);
	if (status) /* said in the user's own words: 1e3, 45m */
		return r->type == HARDY_OPTION_SPACING || r->type == HARDY_OPTION_PAIR ? check_numbers(r, v, err)
		                                                                       : out_of_range(r, text, err);
	put_numbers(r, options, v);
	return HARDY_OK;
}

hardy_status hardy_option_set_texts(const hardy_option *r, void *options, const char *const *texts, size_t n, hardy_error *err)
{
	if (!r || r->type != HARDY_OPTION_TEXTS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, r ? "%s is no list" : "there is no option of that name", r ? r->name : "");
	if (!texts && n)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is missing", r->name);
	*(const char *const **)field_of(r, options) = texts;
	*(size_t *)((char *)options + r->offset + sizeof texts) = n;
	return HARDY_OK;
}

void hardy_options_default(const hardy_options *table, void *options)
{
	memset(options, 0, table->size);
	for (size_t i = 0; i < table->n; i++) {
		const hardy_option *r = &table->rows[i];
		if (r->usual && r->type == HARDY_OPTION_REAL)
			*(double *)field_of(r, options) = strtod(r->usual, NULL); /* NaN, too */
		else if (r->usual)
			(void)hardy_option_set(r, options, r->usual, NULL); /* a test sets every default */
	}
}

static bool is_called(const char *name, const char *other)
{
	for (; *name && *other; name++, other++)
		if (*name != *other && !(*name == '_' && *other == '-') && !(*name == '-' && *other == '_'))
			return false;
	return *name == *other;
}

const hardy_option *hardy_option_find(const hardy_options *table, const char *name)
{
	for (size_t i = 0; table && name && i < table->n; i++)
		if (is_called(table->rows[i].name, name) || (table->rows[i].word && is_called(table->rows[i].word, name)))
			return &table->rows[i];
	return NULL;
}

/* The k-th key of the row's values in JSON. */
static void key_of(const hardy_option *r, int k, char *out, size_t size)
{
	static const char *const pair[] = {"_low", "_high"}, *const axes[] = {"_x_mm", "_y_mm", "_z_mm"};
	snprintf(out, size, "%s%s", r->name,
	         r->type == HARDY_OPTION_PAIR      ? pair[k]
	         : r->type == HARDY_OPTION_SPACING ? axes[k]
	                                           : "");
}

hardy_status hy_options_set_key(const hardy_options *table, void *options, const char *key, const char *text, hardy_error *err)
{
	for (size_t i = 0; i < table->n; i++) {
		const hardy_option *r = &table->rows[i];
		for (int k = 0; k < n_numbers(r) && n_numbers(r) > 1; k++) {
			char name[64];
			double v[3];
			key_of(r, k, name, sizeof name);
			if (strcmp(name, key) != 0)
				continue;
			get_numbers(r, options, v);
			v[k] = hy_number(text);
			if (isnan(v[k]))
				return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\", want a number", key, text);
			const hardy_status status = check_numbers(r, v, err);
			if (!status)
				put_numbers(r, options, v);
			return status;
		}
		if (!strcmp(r->name, key))
			return hardy_option_set(r, options, text, err);
	}
	enum { MOST = 256 };
	const char *names[MOST];
	size_t n = 0;
	for (; n < table->n && n < MOST; n++)
		names[n] = table->rows[n].name;
	const char *nearest = hardy_nearest_name(key, names, n);
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "there is no %s option \"%s\"%s%s%s", table->command, key,
	               nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

/* ---- to text ------------------------------------------------------------------------------------------------------------ */

static void time_text(double seconds, char *out, size_t size)
{
	const double unit = fmod(seconds, 3600) == 0 ? 3600 : fmod(seconds, 60) == 0 ? 60 : 1;
	snprintf(out, size, "%.15g%c", seconds / unit, unit > 60 ? 'h' : unit > 1 ? 'm' : 's');
}

void hardy_option_text(const hardy_option *r, const void *options, char *out, size_t size)
{
	double v[3] = {0};
	char part[3][64] = {"", "", ""};
	out[0] = 0;
	if (r->type == HARDY_OPTION_TEXTS)
		return;
	if (r->type == HARDY_OPTION_TEXT) {
		snprintf(out, size, "%s", text_of(r, options) ? text_of(r, options) : "");
		return;
	}
	get_numbers(r, options, v);
	for (int i = 0; i < n_numbers(r); i++)
		number_text(v[i], part[i], sizeof part[i]);
	switch (r->type) {
	case HARDY_OPTION_SWITCH:
		choice_text(r->choices ? r->choices : "off|on", v[0] != 0, out, size);
		return;
	case HARDY_OPTION_CHOICE:
		choice_text(r->choices, (int)v[0], out, size);
		return;
	case HARDY_OPTION_TIME:
		if (v[0] > 0)
			time_text(v[0], out, size);
		return;
	case HARDY_OPTION_PAIR:
		snprintf(out, size, "%s,%s", part[0], part[1]);
		return;
	case HARDY_OPTION_SPACING:
		if (v[0] > 0 && v[2] > 0)
			snprintf(out, size, "%s,%s,%s", part[0], part[1], part[2]);
		else if (v[0] > 0)
			snprintf(out, size, "%s", part[0]);
		return;
	default:
		snprintf(out, size, "%s", isnan(v[0]) ? "" : part[0]);
	}
}

void hy_option_describe(const hardy_option *r, const void *options, char *out, size_t size)
{
	hardy_option_text(r, options, out, size);
	if (!*out)
		snprintf(out, size, r->type == HARDY_OPTION_TEXT ? "none" : "0");
}

double hy_option_number(const hardy_option *r, const void *options)
{
	double v[3] = {NAN};
	get_numbers(r, options, v);
	return v[0];
}

bool hy_option_equal(const hardy_option *r, const void *a, const void *b)
{
	if (r->type == HARDY_OPTION_TEXT) {
		const char *s = text_of(r, a), *t = text_of(r, b);
		return s && t ? !strcmp(s, t) : s == t;
	}
	if (r->type == HARDY_OPTION_TEXTS) {
		const char *const *const *s = value_of(r, a), *const *const *t = value_of(r, b);
		const size_t n = *(const size_t *)(s + 1);
		bool same = n == *(const size_t *)(t + 1);
		for (size_t i = 0; i < n && same; i++)
			same = !strcmp((*s)[i], (*t)[i]);
		return same;
	}
	double v[3] = {0}, w[3] = {0};
	get_numbers(r, a, v);
	get_numbers(r, b, w);
	for (int i = 0; i < n_numbers(r); i++)
		if (v[i] != w[i] && !(isnan(v[i]) && isnan(w[i])))
			return false;
	return true;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

bool hy_option_to_json(const hardy_option *r, const void *options, cJSON *object)
{
	double v[3] = {0};
	if (r->type == HARDY_OPTION_TEXT)
		return hy_json_add(object, r->name, text_of(r, options) ? cJSON_CreateString(text_of(r, options)) : cJSON_CreateNull());
	get_numbers(r, options, v);
	bool good = true;
	for (int k = 0; k < n_numbers(r) && good; k++) {
		char key[64];
		key_of(r, k, key, sizeof key);
		good = hy_json_add(object, key, r->type == HARDY_OPTION_SWITCH ? cJSON_CreateBool(v[k] != 0) : hy_json_real(v[k]));
	}
	return good;
}

void hy_option_drop(const hardy_option *r, cJSON *object)
{
	for (int k = 0; k < n_numbers(r) || k < 1; k++) {
		char key[64];
		key_of(r, k, key, sizeof key);
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	}
}

size_t hy_option_room(const hardy_option *r, const cJSON *object)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, r->name);
	return r->type == HARDY_OPTION_TEXT && cJSON_IsString(item) ? strlen(item->valuestring) + 1 : 0;
}

static hy_option_read text_from_json(const hardy_option *r, void *options, const cJSON *item, char **text)
{
	const char **field = field_of(r, options);
	if (!item)
		return HY_OPTION_MISSING;
	if (cJSON_IsNull(item) && !(r->use & HARDY_OPTION_NEEDED)) {
		*field = NULL;
		return HY_OPTION_READ;
	}
	if (!cJSON_IsString(item))
		return HY_OPTION_WRONG;
	*field = memcpy(*text, item->valuestring, strlen(item->valuestring) + 1);
	hy_json_bytes(*text);
	*text += strlen(*text) + 1;
	return HY_OPTION_READ;
}

hy_option_read hy_option_from_json(const hardy_option *r, void *options, const cJSON *object, char **text)
{
	double v[3] = {0};
	if (r->type == HARDY_OPTION_TEXT)
		return text_from_json(r, options, cJSON_GetObjectItemCaseSensitive(object, r->name), text);
	get_numbers(r, options, v);
	for (int k = 0; k < n_numbers(r); k++) {
		char key[64];
		key_of(r, k, key, sizeof key);
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
		if (!item)
			return HY_OPTION_MISSING;
		if (r->type == HARDY_OPTION_SWITCH ? !cJSON_IsBool(item) : !cJSON_IsNumber(item))
			return HY_OPTION_WRONG;
		v[k] = r->type == HARDY_OPTION_SWITCH ? cJSON_IsTrue(item) : item->valuedouble;
		if (r->type == HARDY_OPTION_WHOLE && (v[k] != floor(v[k]) || fabs(v[k]) > MOST_WHOLE))
			return HY_OPTION_WRONG;
	}
	put_numbers(r, options, v);
	return HY_OPTION_READ;
}

/* ---- a command line ----------------------------------------------------------------------------------------------------- */

/* Writes the row's word; no "no-" where a switch is off. */
static void word_of(const hardy_option *r, bool off, char *out, size_t size)
{
	snprintf(out, size, "%s%s", off ? "no-" : "", r->word ? r->word : r->name);
	for (char *c = out; *c; c++)
		*c = *c == '_' ? '-' : *c;
}

bool hy_options_words(const hardy_options *table, const void *options,
                      void (*add)(void *to, const char *word, const char *value), void *to)
{
	void *usual = hy_alloc(table->size, 1);
	if (!usual)
		return false;
	hardy_options_default(table, usual);
	for (size_t i = 0; i < table->n; i++) {
		const hardy_option *r = &table->rows[i];
		char word[64], number[256];
		if (r->use & HARDY_OPTION_ARGUMENT || hy_option_equal(r, options, usual))
			continue;
		const bool alone = r->type == HARDY_OPTION_SWITCH && !r->choices;
		word_of(r, alone && hy_option_number(r, options) == 0, word, sizeof word);
		if (r->type == HARDY_OPTION_TEXTS) {
			const char *const *const *texts = value_of(r, options);
			for (size_t k = 0; k < *(const size_t *)(texts + 1); k++)
				add(to, word, (*texts)[k]);
			continue;
		}
		if (r->type != HARDY_OPTION_TEXT)
			hardy_option_text(r, options, number, sizeof number);
		const char *value = r->type == HARDY_OPTION_TEXT ? text_of(r, options) : number;
		if (value)
			add(to, word, alone ? NULL : value);
	}
	hy_free(usual);
	return true;
}
