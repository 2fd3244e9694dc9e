/*
 * options.c: the table of training options, and the presets.
 */
#include "training/options.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/dataset.h"
#include "dataset/preprocess.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- presets ------------------------------------------------------------------------------------------------------------ */

typedef struct preset_row {
	const char *name;
	int64_t width; /* of a U-Net */
	int64_t size;
	double spacing_mm;
	int64_t epochs, iterations;
	double budget_s;
	int64_t batch;
	double learning_rate;
	const char *schedule, *loss, *augment;
	bool minmax, recalibrate;
	int64_t validate_every;
} preset_row;

/*
 * The first one is the default. "paper" is Chen et al., MICCAI 2021; "quick" reaches a useful model within minutes, "hour" what an hour of
 * the machine at hand can do. "short" is for
 * comparisons of many runs: since batch and learning rate of "quick" were tuned (docs/TRAINING.md) it need not be shorter, and the
 * same runs serve both.
 */
static const preset_row presets[] = {
    {"quick", 16, 96, 2.0, 0, 600, 0, 10, 4e-3, "one-cycle", "ce+dice", "no-elastic", true, false, 5},
    {"hour", 32, 128, 1.5, 0, 0, 3600, 10, 4e-3, "one-cycle", "ce+dice", "no-elastic", true, false, 20},
    {"short", 16, 96, 2.0, 0, 600, 0, 10, 4e-3, "one-cycle", "ce+dice", "no-elastic", true, false, 5},
    {"paper", 16, 192, 1.36719, 600, 0, 0, 20, 1e-4, "constant", "ce", "published", false, false, 1},
};

static hardy_status of_preset(hardy_train_options *o, const char *name, hardy_error *err)
{
	const preset_row *p = name ? NULL : presets;
	for (size_t i = 0; i < sizeof presets / sizeof *presets && !p; i++)
		if (!strcmp(presets[i].name, name))
			p = &presets[i];
	if (!p)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "preset is \"%s\", want quick, hour, short or paper", name);
	hy_plan plan;
	hy_plan_init(&plan);
	*o = (hardy_train_options){
	    .preset = p->name,
	    .subjects = HY_SPLIT_AUTO,
	    .validation = HY_SPLIT_AUTO,
	    .fold = -1,
	    .size = p->size,
	    .spacing_mm = p->spacing_mm,
	    .percentile_low = plan.percentile_low,
	    .percentile_high = plan.percentile_high,
	    .augment = p->augment,
	    .rotation_deg = 180,
	    .mirror = 0.5,
	    .minmax = p->minmax,
	    .network = "study",
	    .network_width = p->width,
	    .network_levels = 5,
	    .epochs = p->epochs,
	    .iterations = p->iterations,
	    .budget_s = p->budget_s,
	    .batch = p->batch,
	    .learning_rate = p->learning_rate,
	    .schedule = p->schedule,
	    .loss = p->loss,
	    .precision = "f32",
	    .norm_statistics = "global",
	    .recalibrate = p->recalibrate,
	    .scheme_image = "random",
	    .scheme_shape = "random",
	    .threshold_low = 0,
	    .threshold_high = 0.5,
	    .unlabelled_weight = 1,
	    .confidence = 0.9,
	    .noise = 0.05,
	    .validate_every = p->validate_every,
	    .calibrate = true,
	    .checkpoint_every_s = 300,
	};
	return HARDY_OK;
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

typedef enum kind { TEXT, WHOLE, REAL, SWITCH } kind;

enum use {
	CARD = 1,   /* the model depends on it, and it is no path */
	FREE = 2,   /* may differ when a run is resumed */
	LENGTH = 4, /* may differ then if the learning rate is constant */
	NEEDED = 8, /* text that is never NULL */
	LATER = 16, /* runs of earlier versions lack it: the default then */
	FITTED = 32 /* what hy_fit_asked calls open is no wish when a run goes on */
};

typedef struct field {
	const char *name;
	kind kind;
	size_t offset;
	int use;
	double low, high; /* of numbers */
	const char *choices;
} field;

#define AT(member) offsetof(hardy_train_options, member)

static const field fields[] = {
    {"preset", TEXT, AT(preset), CARD | FREE | NEEDED, 0, 0, "quick|hour|short|paper"},
    {"recipe", TEXT, AT(recipe), CARD | NEEDED, 0, 0, NULL},
    {"seed", WHOLE, AT(seed), CARD, 0, 9007199254740992, NULL},
    {"data", TEXT, AT(data), FREE | NEEDED, 0, 0, NULL},
    {"subjects", WHOLE, AT(subjects), CARD, HY_SPLIT_AUTO, 1e6, NULL},
    {"validation", WHOLE, AT(validation), CARD, HY_SPLIT_AUTO, 1e6, NULL},
    {"splits", TEXT, AT(splits), 0, 0, 0, NULL},
    {"fold", WHOLE, AT(fold), LATER, -1, 1e6, NULL},
    {"strict", SWITCH, AT(strict), FREE | LATER, 0, 0, NULL},
    {"labels", TEXT, AT(labels), CARD, 0, 0, NULL},
    {"header_spacing_x_mm", REAL, AT(header_spacing_mm[0]), CARD, 0, 1000, NULL},
    {"header_spacing_y_mm", REAL, AT(header_spacing_mm[1]), CARD, 0, 1000, NULL},
    {"header_spacing_z_mm", REAL, AT(header_spacing_mm[2]), CARD, 0, 1000, NULL},
    {"unlabelled", TEXT, AT(unlabelled), LATER, 0, 0, NULL},
    {"unlabelled_weight", REAL, AT(unlabelled_weight), CARD | LATER, 0, 1000, NULL},
    {"confidence", REAL, AT(confidence), CARD | LATER, 0.5, 1, NULL},
    {"init", TEXT, AT(init), FREE | LATER, 0, 0, NULL},
    {"data_terms", TEXT, AT(data_terms), 0, 0, 0, NULL},
    {"size", WHOLE, AT(size), CARD | FITTED, 0, 512, NULL},
    {"spacing_mm", REAL, AT(spacing_mm), CARD | FITTED, 0, 100, NULL},
    {"percentile_low", REAL, AT(percentile_low), CARD, 0, 100, NULL},
    {"percentile_high", REAL, AT(percentile_high), CARD, 0, 100, NULL},
    {"augment", TEXT, AT(augment), CARD | NEEDED, 0, 0, "published|no-elastic|none|wide"},
    {"rotation_deg", REAL, AT(rotation_deg), CARD | LATER | FITTED, -1, 180, NULL},
    {"mirror", REAL, AT(mirror), CARD | LATER | FITTED, -1, 1, NULL},
    {"minmax", SWITCH, AT(minmax), CARD, 0, 0, NULL},
    {"network", TEXT, AT(network), CARD | NEEDED | LATER, 0, 0, "study|unet"},
    {"network_width", WHOLE, AT(network_width), CARD | LATER, 16, HY_UNET_MOST_WIDTH, NULL},
    {"network_no_top_skip", SWITCH, AT(network_no_top_skip), CARD | LATER, 0, 0, NULL},
    {"network_levels", WHOLE, AT(network_levels), CARD | LATER, HY_UNET_LEAST_LEVELS, HY_UNET_MOST_LEVELS, NULL},
    {"epochs", WHOLE, AT(epochs), CARD | LENGTH, 0, 1e7, NULL},
    {"iterations", WHOLE, AT(iterations), CARD | LENGTH, 0, 1e9, NULL},
    {"budget_s", REAL, AT(budget_s), 0, 0, 1e9, NULL},
    {"batch", WHOLE, AT(batch), CARD, 2, 1024, NULL},
    {"learning_rate", REAL, AT(learning_rate), CARD, 0, 1e30, NULL},
    {"weight_decay", REAL, AT(weight_decay), CARD | LATER, 0, 100, NULL},
    {"schedule", TEXT, AT(schedule), CARD | NEEDED, 0, 0, "constant|one-cycle"},
    {"loss", TEXT, AT(loss), CARD | NEEDED, 0, 0, "ce|ce+dice"},
    {"precision", TEXT, AT(precision), CARD | NEEDED | LATER, 0, 0, "f32|bf16"},
    {"norm_statistics", TEXT, AT(norm_statistics), NEEDED | LATER, 0, 0, "global|local"},
    {"recalibrate", SWITCH, AT(recalibrate), CARD, 0, 0, NULL},
    {"ema", REAL, AT(ema), CARD | LATER, 0, 0.999999, NULL},
    {"scheme_image", TEXT, AT(scheme_image), CARD | NEEDED, 0, 0, "random|dropout|channel|spatial"},
    {"scheme_shape", TEXT, AT(scheme_shape), CARD | NEEDED, 0, 0, "random|dropout|channel|spatial"},
    {"hard_masks", SWITCH, AT(hard_masks), CARD, 0, 0, NULL},
    {"threshold_low", REAL, AT(threshold_low), CARD, 0, 1, NULL},
    {"threshold_high", REAL, AT(threshold_high), CARD, 0, 1, NULL},
    {"only_x_hat", SWITCH, AT(only_x_hat), CARD, 0, 0, NULL},
    {"separate", SWITCH, AT(separate), CARD, 0, 0, NULL},
    {"no_decoupler", SWITCH, AT(no_decoupler), CARD, 0, 0, NULL},
    {"noise", REAL, AT(noise), CARD, 0, 10, NULL},
    {"validate_every", WHOLE, AT(validate_every), CARD, 1, 1e7, NULL},
    {"calibrate", SWITCH, AT(calibrate), FREE | LATER, 0, 0, NULL},
    {"checkpoint_every_s", REAL, AT(checkpoint_every_s), FREE, 0, 1e9, NULL},
    {"threads", WHOLE, AT(threads), FREE, 0, 1024, NULL},
};

enum { N_FIELDS = sizeof fields / sizeof *fields };

static const void *member_of(const hardy_train_options *o, const field *f)
{
	return (const char *)o + f->offset;
}

static const char *text_of(const hardy_train_options *o, const field *f)
{
	return *(const char *const *)member_of(o, f);
}

static double number_of(const hardy_train_options *o, const field *f)
{
	switch (f->kind) {
	case WHOLE:
		return (double)*(const int64_t *)member_of(o, f);
	case REAL:
		return *(const double *)member_of(o, f);
	default:
		return *(const bool *)member_of(o, f);
	}
}

/* ---- validity ----------------------------------------------------------------------------------------------------------- */

static bool is_choice(const char *choices, const char *text)
{
	const size_t n = strlen(text);
	for (const char *at = choices; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (n && strcspn(at, "|") == n && !memcmp(at, text, n))
			return true;
	}
	return false;
}

static hardy_status check_field(const hardy_train_options *o, const field *f, hardy_error *err)
{
	if (f->kind == TEXT) {
		const char *text = text_of(o, f);
		if (!text)
			return f->use & NEEDED ? hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is missing", f->name) : HARDY_OK;
		if (f->choices && !is_choice(f->choices, text))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\", want one of %s", f->name, text, f->choices);
		return HARDY_OK;
	}
	const double value = number_of(o, f);
	if (f->kind != SWITCH && !(value >= f->low && value <= f->high))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %.17g, want %g to %g", f->name, value, f->low, f->high);
	return HARDY_OK;
}

static hardy_status check_recipe(const hardy_train_options *o, hardy_error *err)
{
	hy_recipe r;
	const hardy_status status = hy_recipe_read(o->recipe, &r, err);
	return status ? status : hy_recipe_check(&r, o, err);
}

static const double LEAST_SPACING_MM = 0.05;

hardy_status hy_options_check(const hardy_train_options *o, hardy_error *err)
{
	for (int i = 0; i < N_FIELDS; i++) {
		const hardy_status status = check_field(o, &fields[i], err);
		if (status)
			return status;
	}
	if (o->spacing_mm > 0 && o->spacing_mm < LEAST_SPACING_MM)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "spacing_mm is %g, want %g to 100, or 0: from the data", o->spacing_mm,
		               LEAST_SPACING_MM);
	if ((o->rotation_deg < 0 && o->rotation_deg > -1) || (o->mirror < 0 && o->mirror > -1))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "rotation_deg is %g and mirror %g, want 0 or more, or -1: from the data",
		               o->rotation_deg, o->mirror);
	if (!o->output || !*o->output)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "output is missing, want the folder of the run");
	if (o->size % 16)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "size is %lld, want a multiple of 16", (long long)o->size);
	if (o->batch % 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want an even number: one half is augmented",
		               (long long)o->batch);
	if (!(o->percentile_low < o->percentile_high))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "percentiles are %g and %g, want the first below the second",
		               o->percentile_low, o->percentile_high);
	if (o->threshold_low > o->threshold_high)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "threshold range is %g to %g, want the first at most the second",
		               o->threshold_low, o->threshold_high);
	if (!(o->learning_rate > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "learning_rate is %g, want more than 0", o->learning_rate);
	if (!o->epochs && !o->iterations && !(o->budget_s > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "epochs, iterations and budget are all 0, want one of them");
	if (o->unlabelled && !(o->ema > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "unlabelled scans are labelled by averaged weights, and ema is 0: want a decay such as 0.99");
	if (o->resume && o->overwrite)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "resume and overwrite exclude each other");
	return check_recipe(o, err);
}

hardy_status hy_options_set(hardy_train_options *o, const char *name, const char *value, hardy_error *err)
{
	int at = 0;
	while (at < N_FIELDS && strcmp(fields[at].name, name))
		at++;
	if (at == N_FIELDS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "there is no training option \"%s\"", name);
	const field *f = &fields[at];
	hardy_train_options changed = *o;
	void *member = (char *)&changed + f->offset;
	const double number = hy_number(value);
	if (f->kind == TEXT) {
		*(const char **)member = value;
	} else if (f->kind == SWITCH) {
		const bool on = !strcmp(value, "on");
		if (!on && strcmp(value, "off") != 0)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\", want on or off", name, value);
		*(bool *)member = on;
	} else if (!(number >= f->low && number <= f->high) || (f->kind == WHOLE && number != floor(number))) {
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is \"%s\", want a%s number from %g to %g", name, value,
		               f->kind == WHOLE ? " whole" : "", f->low, f->high);
	} else if (f->kind == WHOLE) {
		*(int64_t *)member = (int64_t)number;
	} else {
		*(double *)member = number;
	}
	const hardy_status status = check_field(&changed, f, err);
	if (!status)
		*o = changed;
	return status;
}

hy_network_config hy_options_network(const hardy_train_options *o, int channels, int classes)
{
	if (!strcmp(o->network, hy_network_names[HY_NETWORK_UNET]))
		return (hy_network_config){.channels = channels,
		                           .classes = classes,
		                           .kind = HY_NETWORK_UNET,
		                           .width = (int)o->network_width,
		                           .levels = (int)o->network_levels,
		                           .no_top_skip = o->network_no_top_skip};
	return (hy_network_config){.channels = channels, .classes = classes, .decoupler = !o->no_decoupler};
}

hy_schedule hy_options_schedule(const hardy_train_options *o)
{
	return strcmp(o->schedule, "one-cycle") ? HY_SCHEDULE_CONSTANT : HY_SCHEDULE_ONE_CYCLE;
}

/* ---- presets and recipes ------------------------------------------------------------------------------------------------ */

hardy_status hardy_train_options_init(hardy_train_options *o, const char *preset, const char *recipe, hardy_error *err)
{
	hy_recipe read;
	hardy_train_options made;
	recipe = recipe ? recipe : "hardy";
	hardy_status status = hy_recipe_read(recipe, &read, err);
	if (!status)
		status = of_preset(&made, preset, err);
	const hy_recipe_row *row = status ? NULL : hy_recipe_asks(recipe);
	made.recipe = recipe;
	if (row && row->length > 0) {
		made.epochs = llround((double)made.epochs * row->length);
		made.iterations = llround((double)made.iterations * row->length);
	}
	if (row && row->fits) {
		made.size = 0;
		made.spacing_mm = 0;
		made.rotation_deg = made.mirror = -1;
	}
	for (int i = 0; row && row->settings[i][0] && !status; i++)
		status = hy_options_set(&made, row->settings[i][0], row->settings[i][1], err);
	if (!status)
		*o = made;
	return status;
}

/* ---- what the data decide ----------------------------------------------------------------------------------------------- */

hy_fit hy_fit_asked(const hardy_train_options *o)
{
	const bool wide = !strcmp(o->augment, "wide");
	return (hy_fit){
	    .grid = !o->size && !(o->spacing_mm > 0), .rotation = o->rotation_deg < 0 && wide, .mirror = o->mirror < 0 && wide};
}

void hy_fit_usual(hardy_train_options *o)
{
	hardy_train_options usual = *o;
	if (of_preset(&usual, o->preset, NULL))
		return; /* no such preset: o was never valid */
	o->size = o->size ? o->size : usual.size;
	o->spacing_mm = o->spacing_mm > 0 ? o->spacing_mm : usual.spacing_mm;
	o->rotation_deg = o->rotation_deg < 0 ? usual.rotation_deg : o->rotation_deg;
	o->mirror = o->mirror < 0 ? usual.mirror : o->mirror;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

cJSON *hy_options_to_json(const hardy_train_options *o, bool card)
{
	cJSON *json = cJSON_CreateObject();
	for (int i = 0; i < N_FIELDS && json; i++) {
		const field *f = &fields[i];
		cJSON *item;
		if (card && !(f->use & CARD))
			continue;
		if (f->kind == TEXT)
			item = text_of(o, f) ? cJSON_CreateString(text_of(o, f)) : cJSON_CreateNull();
		else
			item = f->kind == SWITCH ? cJSON_CreateBool(number_of(o, f) != 0) : hy_json_real(number_of(o, f));
		if (!item || !cJSON_AddItemToObject(json, f->name, item)) {
			cJSON_Delete(item);
			cJSON_Delete(json);
			return NULL;
		}
	}
	return json;
}

static bool is_equal(const hardy_train_options *a, const hardy_train_options *b, const field *f)
{
	if (f->kind != TEXT)
		return number_of(a, f) == number_of(b, f);
	const char *s = text_of(a, f), *t = text_of(b, f);
	return s && t ? !strcmp(s, t) : s == t;
}

cJSON *hy_options_identity(const hardy_train_options *o)
{
	hardy_train_options usual;
	cJSON *json = hardy_train_options_init(&usual, NULL, "standard", NULL) ? NULL : hy_options_to_json(o, true);
	for (int i = 0; i < N_FIELDS && json; i++)
		if (fields[i].use & LATER && is_equal(o, &usual, &fields[i]))
			cJSON_DeleteItemFromObjectCaseSensitive(json, fields[i].name);
	cJSON_DeleteItemFromObjectCaseSensitive(json, "preset");
	cJSON_DeleteItemFromObjectCaseSensitive(json, "recipe");
	cJSON_DeleteItemFromObjectCaseSensitive(json, "strict"); /* refuses, or changes nothing */
	return json;
}

/* Strings of read options: one after the other in one block. */
static size_t text_room(const cJSON *json)
{
	size_t n = 0;
	for (int i = 0; i < N_FIELDS; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, fields[i].name);
		if (fields[i].kind == TEXT && cJSON_IsString(item))
			n += strlen(item->valuestring) + 1;
	}
	return n;
}

static bool read_field(hardy_train_options *o, const field *f, const cJSON *item, char **text)
{
	void *member = (char *)o + f->offset;
	switch (f->kind) {
	case TEXT:
		if (cJSON_IsNull(item) && !(f->use & NEEDED)) {
			*(const char **)member = NULL;
			return true;
		}
		if (!cJSON_IsString(item))
			return false;
		*(const char **)member = memcpy(*text, item->valuestring, strlen(item->valuestring) + 1);
		hy_json_bytes(*text);
		*text += strlen(*text) + 1;
		return true;
	case WHOLE:
		if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
		    fabs(item->valuedouble) > 9007199254740992)
			return false;
		*(int64_t *)member = (int64_t)item->valuedouble;
		return true;
	case REAL:
		*(double *)member = cJSON_IsNumber(item) ? item->valuedouble : 0;
		return cJSON_IsNumber(item);
	case SWITCH:
		*(bool *)member = cJSON_IsTrue(item);
		return cJSON_IsBool(item);
	}
	return false;
}

hardy_status hy_options_from_json(hardy_train_options *o, const cJSON *json, const char *source, hardy_error *err)
{
	const size_t room = text_room(json);
	char *block = hy_alloc(room + 1, 1), *text = block;
	if (!block)
		return hy_fail_memory(err, source, room, 1);
	hardy_train_options read = *o;
	for (int i = 0; i < N_FIELDS; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, fields[i].name);
		if (item ? read_field(&read, &fields[i], item, &text) : fields[i].use & LATER)
			continue;
		hy_free(block);
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: option \"%s\" is %s", source, fields[i].name,
		               item ? "of the wrong type" : "missing");
	}
	read.owned = block;
	*o = read;
	return HARDY_OK;
}

static void describe(const hardy_train_options *o, const field *f, char *out, size_t n)
{
	if (f->kind == TEXT)
		snprintf(out, n, "%s", text_of(o, f) ? text_of(o, f) : "none");
	else if (f->kind == SWITCH)
		snprintf(out, n, "%s", number_of(o, f) != 0 ? "on" : "off");
	else
		snprintf(out, n, "%.15g", number_of(o, f));
}

/* Left to the data: 0 of what cannot be 0, -1 of the others. */
static bool is_open(const hardy_train_options *o, const field *f)
{
	return number_of(o, f) < 0 || (f->low >= 0 && number_of(o, f) <= 0);
}

hardy_status hy_options_compare(const hardy_train_options *started, const hardy_train_options *wanted, const char *source,
                                bool *longer, hardy_error *err)
{
	const bool constant = hy_options_schedule(started) == HY_SCHEDULE_CONSTANT;
	bool other_length = false;
	for (int i = 0; i < N_FIELDS; i++) {
		const field *f = &fields[i];
		if (f->use & FREE || is_equal(started, wanted, f) || (f->use & FITTED && is_open(wanted, f)))
			continue;
		other_length |= (f->use & LENGTH) != 0;
		if (f->use & LENGTH && constant)
			continue;
		char was[256], is[256];
		describe(started, f, was, sizeof was);
		describe(wanted, f, is, sizeof is);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: the run was started with %s %s, now it is %s: leave the option out%s",
		               source, f->name, was, is,
		               f->use & LENGTH ? " (its learning-rate schedule is made for that length)" : ", or start another run");
	}
	*longer = other_length;
	return HARDY_OK;
}

/* ---- of a run ----------------------------------------------------------------------------------------------------------- */

hardy_status hardy_train_options_read(hardy_train_options *o, const char *run, hardy_error *err)
{
	hardy_train_options read;
	cJSON *json = NULL;
	char *path = hy_path_join(run, "run.json");
	hardy_status status =
	    path ? hardy_train_options_init(&read, NULL, "standard", err) : hy_fail_memory(err, run, strlen(run), 1);
	if (status)
		goto out;
	if (!hy_path_exists(path)) {
		status = hy_fail(err, HARDY_ERROR_IO, "%s: is not there: no run to go on with", path);
		goto out;
	}
	if ((status = hy_json_read(path, &json, err)))
		goto out;
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(json, "options");
	status = cJSON_IsObject(options) ? hy_options_from_json(&read, options, path, err)
	                                 : hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"options\" is missing", path);
	if (!status)
		*o = read;
out:
	cJSON_Delete(json);
	hy_free(path);
	return status;
}

void hardy_train_options_clear(hardy_train_options *o)
{
	hy_free(o->owned);
	memset(o, 0, sizeof *o);
}
