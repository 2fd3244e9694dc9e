/*
 * recipe.c: the table of recipes, and compositions as text.
 */
#include "training/recipe.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const hy_recipe_row hy_recipes[] = {
    {.name = "standard", .text = "", .summary = "both networks on clean examples"},
    {.name = "cooperative", .text = "cooperative", .summary = "and on hard examples from masked latent codes"},
    {.name = "mwm", .text = "mwm", .summary = "and on images with random windows of noise"},
    {.name = "randconv", .text = "randconv", .summary = "and on agreeing views through random convolutions"},
    {.name = "adv-noise", .text = "adv-noise", .summary = "and on images with adversarial noise"},
    {.name = "adv-bias", .text = "adv-bias", .summary = "and on images with adversarial bias fields"},
    {.name = "rsc", .text = "rsc", .summary = "and on codes without what agrees most with the target"},
    {.name = "mixstyle", .text = "mixstyle", .summary = "and with feature styles mixed between samples"},
    {.name = "dsu", .text = "dsu", .summary = "and with noise on feature styles"},
    {.name = "maxstyle", .text = "maxstyle", .summary = "and on decoded images in the hardest feature styles"},
    {.name = "randomise", .text = "randomise", .summary = "on images as other scanners might have made them"},
    {.name = "hardy",
     .text = "randomise:strength=0.7,shade=0.5",
     .summary = "a U-Net with skip connections on images in other positions, and as other scanners might have made them",
     .settings = {{"network", "unet"},
                  {"network_levels", "4"},
                  {"augment", "wide"},
                  {"noise", "0"},
                  {"percentile_low", "1"},
                  {"percentile_high", "99"},
                  {"ema", "0.99"}},
     .fits = true,
     .length = 5},
    {.name = NULL},
};

bool hardy_train_recipe(size_t i, const char **name, const char **about)
{
	if (i >= sizeof hy_recipes / sizeof *hy_recipes - 1)
		return false;
	*name = hy_recipes[i].name;
	*about = hy_recipes[i].summary;
	return true;
}

const hy_recipe_row *hy_recipe_find(const char *name)
{
	for (const hy_recipe_row *r = hy_recipes; r->name; r++)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

const hy_recipe_row *hy_recipe_asks(const char *text)
{
	for (const char *at = text; *at; at += strcspn(at, "+"), at += *at == '+') {
		const size_t n = strcspn(at, ":+");
		for (const hy_recipe_row *r = hy_recipes; r->name; r++)
			if (r->settings[0][0] && strlen(r->name) == n && !memcmp(r->name, at, n))
				return r;
	}
	return NULL;
}

/* Appends; what does not fit is cut off, which hy_recipe_read notices. */
static void append(char *out, size_t size, const char *format, ...) HY_PRINTF(3, 4);

static void append(char *out, size_t size, const char *format, ...)
{
	const size_t used = strlen(out);
	va_list args;
	va_start(args, format);
	vsnprintf(out + used, size - used, format, args);
	va_end(args);
}

/* ---- members and values ------------------------------------------------------------------------------------------------- */

static hardy_status unknown(const char *name, hardy_error *err)
{
	char known[256] = "";
	for (const hy_recipe_row *r = hy_recipes; r->name; r++)
		append(known, sizeof known, *known ? ", %s" : "%s", r->name);
	for (int i = 0; hy_perturbation_kinds[i]; i++) /* members that are no recipe by themselves */
		if (!hy_recipe_find(hy_perturbation_kinds[i]->name))
			append(known, sizeof known, ", %s", hy_perturbation_kinds[i]->name);
	return hy_fail(err, HARDY_ERROR_ARGUMENT,
	               "recipe is \"%s\"%s, want one of %s, some of these with + between, or a .yaml file", name,
	               hy_meant(name, strlen(name), known).text, known);
}

static hardy_status parse(const char *text, hy_recipe *r, hardy_error *err);

hardy_status hy_recipe_add(hy_recipe *r, const char *name, hardy_error *err)
{
	const hy_recipe_row *row = hy_recipe_find(name);
	const hy_perturbation_kind *kind = hy_perturbation_find(name);
	if (!row && !kind)
		return unknown(name, err);
	if (!kind)
		return parse(row->text, r, err);
	for (int i = 0; i < r->n; i++)
		if (r->members[i].o.kind == kind)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "the recipe has %s twice, want it once, with a weight", name);
	if (r->n == HY_MAX_PERTURBATIONS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "the recipe has more than %d members", HY_MAX_PERTURBATIONS);
	hy_recipe_member *m = &r->members[r->n++];
	*m = (hy_recipe_member){0};
	hy_perturbation_options_init(&m->o, kind);
	return HARDY_OK;
}

/* The index of text among "a|b|c", or -1. */
static int choice_of(const char *choices, const char *text)
{
	const size_t n = strlen(text);
	int at = 0;
	for (const char *c = choices; *c; c += strcspn(c, "|"), c += *c == '|', at++)
		if (strcspn(c, "|") == n && !memcmp(c, text, n))
			return at;
	return -1;
}

static hardy_status unknown_key(const hy_perturbation_kind *kind, const char *key, hardy_error *err)
{
	char known[256] = "";
	for (const hy_parameter *p = kind->parameters; p->name; p++)
		append(known, sizeof known, *known ? ", %s" : "%s", p->name);
	if (!kind->of_batches) /* what adds no loss has no weight */
		append(known, sizeof known, "%s", *known ? ", weight, probability" : "weight, probability");
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s has no parameter \"%s\"%s, want one of %s", kind->name, key,
	               hy_meant(key, strlen(key), known).text, known);
}

hardy_status hy_recipe_set(hy_recipe_member *m, const char *key, const char *value, hardy_error *err)
{
	static const hy_parameter weight = {"weight", 1, 0, 1000, false, NULL}, probability = {"probability", 1, 0, 1, false, NULL};
	const hy_perturbation_kind *kind = m->o.kind;
	const int at = hy_parameter_find(kind, key);
	const hy_parameter *p = !strcmp(key, "weight") ? &weight : !strcmp(key, "probability") ? &probability : NULL;
	if (!p && at < 0)
		return unknown_key(kind, key, err);
	if (!p)
		p = &kind->parameters[at];
	double v = hy_number(value);
	if (p->choices) {
		v = choice_of(p->choices, value);
		if (v < 0)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: %s is \"%s\"%s, want one of %s", kind->name, key, value,
			               hy_meant(value, strlen(value), p->choices).text, p->choices);
	} else if (!(v >= p->low && v <= p->high) || (p->whole && v != floor(v))) {
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: %s is \"%s\", want %s%g to %g", kind->name, key, value,
		               p->whole ? "a whole number from " : "", p->low, p->high);
	} else if ((p == &weight || p == &probability) && v <= 0) {
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: %s is %s, want more than 0: leave the member out", kind->name, key,
		               value);
	}
	if (kind->of_batches && at < 0)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s has no %s, it adds no loss: want share", kind->name, key);
	if (p == &weight || p == &probability) {
		*(p == &weight ? &m->o.weight : &m->o.probability) = v;
	} else {
		m->o.values[at] = v;
		m->given[at] = true;
	}
	return HARDY_OK;
}

/* ---- as text ------------------------------------------------------------------------------------------------------------ */

/* The next piece of *text up to one of `ends`, as a copy; *text moves behind its end. false: too long. */
static bool next_piece(const char **text, const char *ends, char *out, size_t size)
{
	const size_t n = strcspn(*text, ends);
	if (n >= size)
		return false;
	memcpy(out, *text, n);
	out[n] = 0;
	*text += n;
	return true;
}

/* "name" or "name:key=value,key=value" */
static hardy_status parse_member(const char **text, hy_recipe *r, hardy_error *err)
{
	char name[64], key[64], value[64];
	const int before = r->n;
	if (!next_piece(text, ":+", name, sizeof name))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "recipe has a name of more than %zu characters", sizeof name - 1);
	const hardy_status added = hy_recipe_add(r, name, err);
	if (added)
		return added;
	if (**text == ':' && r->n != before + 1)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is no single perturbation, so it has no parameters", name);
	while (**text == ':' || **text == ',') {
		++*text;
		if (!next_piece(text, "=,+", key, sizeof key) || **text != '=')
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "recipe: %s wants settings of the form key=value, commas between", name);
		++*text;
		if (!next_piece(text, ",+", value, sizeof value))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "recipe: the value of %s is too long", key);
		const hardy_status set = hy_recipe_set(&r->members[r->n - 1], key, value, err);
		if (set)
			return set;
	}
	return HARDY_OK;
}

static hardy_status parse(const char *text, hy_recipe *r, hardy_error *err)
{
	while (*text) {
		const hardy_status status = parse_member(&text, r, err);
		if (status)
			return status;
		if (*text == '+' && !*++text)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "recipe ends with a plus, want another member behind it");
	}
	return HARDY_OK;
}

static void print_value(const hy_parameter *p, double v, char *out, size_t size)
{
	if (!p->choices) {
		for (int digits = 6; digits <= 17; digits++) {
			snprintf(out, size, "%.*g", digits, v);
			if (hy_number(out) == v)
				break;
		}
		char *plus = strchr(out, '+'); /* 1e+03: a plus begins another member */
		if (plus)
			memmove(plus, plus + 1, strlen(plus));
		return;
	}
	const char *c = p->choices;
	for (int i = 0; i < (int)v; i++)
		c += strcspn(c, "|") + 1;
	snprintf(out, size, "%.*s", (int)strcspn(c, "|"), c);
}

static void print(hy_recipe *r)
{
	static const hy_parameter number = {"", 0, 0, 0, false, NULL};
	char value[64];
	r->text[0] = r->summary[0] = 0;
	for (int i = 0; i < r->n; i++) {
		const hy_recipe_member *m = &r->members[i];
		const hy_parameter *p = m->o.kind->parameters;
		const char *before = ":";
		append(r->text, sizeof r->text, "%s%s", i ? "+" : "", m->o.kind->name);
		append(r->summary, sizeof r->summary, "%s%s", i ? "; " : "", m->o.kind->summary);
		const double shared[] = {m->o.weight, m->o.probability};
		for (int k = 0; k < 2; k++) {
			if (shared[k] == 1)
				continue;
			print_value(&number, shared[k], value, sizeof value);
			append(r->text, sizeof r->text, "%s%s=%s", before, k ? "probability" : "weight", value);
			before = ",";
		}
		for (int k = 0; p[k].name; k++) {
			/* a value that the recipe gives stays even if it is the usual one where options decide on it otherwise */
			if (!m->given[k] || (m->o.kind != &hy_perturb_latent && m->o.values[k] == p[k].usual))
				continue;
			print_value(&p[k], m->o.values[k], value, sizeof value);
			append(r->text, sizeof r->text, "%s%s=%s", before, p[k].name, value);
			before = ",";
		}
	}
	if (!r->n)
		append(r->text, sizeof r->text, "standard");
	for (const hy_recipe_row *row = hy_recipes; row->name; row++)
		if (!strcmp(row->name, r->text))
			snprintf(r->summary, sizeof r->summary, "%s", row->summary);
}

bool hy_recipe_is_file(const char *text)
{
	const char *dot = strrchr(text, '.');
	return dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
}

hardy_status hy_recipe_read(const char *text, hy_recipe *out, hardy_error *err)
{
	hy_recipe r = {0};
	if (!text || !*text)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "recipe is missing");
	const hardy_status status = hy_recipe_is_file(text) ? hy_recipe_read_yaml(text, &r, err) : parse(text, &r, err);
	if (status)
		return status;
	print(&r);
	if (strlen(r.text) + 1 == sizeof r.text)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "the recipe takes more than %zu characters", sizeof r.text - 2);
	*out = r;
	return HARDY_OK;
}

/* ---- for a training ----------------------------------------------------------------------------------------------------- */

enum { SCHEME_IMAGE, SCHEME_SHAPE, HARD_MASKS, THRESHOLD_LOW, THRESHOLD_HIGH, ONLY_X_HAT, N_LATENT }; /* of latent masks */

enum { SHARE, SHARE_PLAIN, TARGET, STRENGTH, CURVE, INVERT, CLIP, SHARPNESS, NOISE, SHADE }; /* of randomisation */

static double scheme_of(const char *name)
{
	return choice_of(hy_perturb_latent.parameters[SCHEME_IMAGE].choices, name);
}

/* What the recipe leaves open, the options of latent masks decide. */
static hy_perturbation_options resolve(const hy_recipe_member *m, const hardy_train_options *o)
{
	hy_perturbation_options r = m->o;
	if (r.kind != &hy_perturb_latent)
		return r;
	const double values[N_LATENT] = {
	    [SCHEME_IMAGE] = scheme_of(o->scheme_image), [SCHEME_SHAPE] = scheme_of(o->scheme_shape), [HARD_MASKS] = o->hard_masks,
	    [THRESHOLD_LOW] = o->threshold_low,          [THRESHOLD_HIGH] = o->threshold_high,        [ONLY_X_HAT] = o->only_x_hat,
	};
	for (int k = 0; k < N_LATENT; k++)
		if (!m->given[k])
			r.values[k] = values[k];
	return r;
}

static hardy_status check_latent(const hy_recipe_member *m, const hy_perturbation_options *o, hardy_error *err)
{
	if (o->values[THRESHOLD_LOW] > o->values[THRESHOLD_HIGH])
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "cooperative: threshold range is %g to %g, want the first at most the second",
		               o->values[THRESHOLD_LOW], o->values[THRESHOLD_HIGH]);
	if (o->values[ONLY_X_HAT] != 0 && m->given[SCHEME_SHAPE])
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "cooperative: scheme_shape masks the shape code, which only_x_hat leaves alone: want one of them");
	return HARDY_OK;
}

hardy_status hy_recipe_check(const hy_recipe *r, const hardy_train_options *o, hardy_error *err)
{
	for (int i = 0; i < r->n; i++) {
		const hy_perturbation_options m = resolve(&r->members[i], o);
		if (m.kind->needs == HY_NEEDS_STUDY && strcmp(o->network, hy_network_names[HY_NETWORK_STUDY]) != 0)
			return hy_fail(
			    err, HARDY_ERROR_ARGUMENT,
			    "%s acts within the study's networks, and the network is \"%s\": want network study, or leave it out",
			    m.kind->name, o->network);
		hardy_status status = m.kind == &hy_perturb_latent ? check_latent(&r->members[i], &m, err) : HARDY_OK;
		if (!status && m.kind->check && o->size) /* a size that the data decide is checked when it is known */
			status = m.kind->check(m.values, o->size, o->size, err);
		if (status)
			return status;
	}
	return HARDY_OK;
}

static cJSON *member_to_json(const hy_perturbation_options *m)
{
	cJSON *json = cJSON_CreateObject();
	char text[64];
	bool good = hy_json_add(json, "name", cJSON_CreateString(m->kind->name)) &&
	            hy_json_add(json, "weight", hy_json_real(m->weight)) &&
	            hy_json_add(json, "probability", hy_json_real(m->probability));
	for (int k = 0; m->kind->parameters[k].name && good; k++) {
		const hy_parameter *p = &m->kind->parameters[k];
		print_value(p, m->values[k], text, sizeof text);
		good = hy_json_add(json, p->name, p->choices ? cJSON_CreateString(text) : hy_json_real(m->values[k]));
	}
	return hy_json_keep(good, json);
}

cJSON *hy_recipe_to_json(const hy_recipe *r, const hardy_train_options *o)
{
	cJSON *list = cJSON_CreateArray();
	bool good = true;
	for (int i = 0; i < r->n && good; i++) {
		const hy_perturbation_options m = resolve(&r->members[i], o);
		good = hy_json_append(list, member_to_json(&m));
	}
	return hy_json_keep(good, list);
}

static void fill_masks(hy_mask_options *m, double scheme, const double *values)
{
	static const hy_scheme schemes[] = {HY_SCHEME_RANDOM, HY_SCHEME_DROPOUT, HY_SCHEME_CHANNEL, HY_SCHEME_SPATIAL};
	m->scheme = schemes[(int)scheme];
	m->hard = values[HARD_MASKS] != 0;
	m->p_low = values[THRESHOLD_LOW];
	m->p_high = values[THRESHOLD_HIGH];
}

void hy_recipe_options(hy_step_options *step, const hy_recipe *r, const hardy_train_options *o)
{
	hy_step_options_init(step);
	step->batch = o->batch;
	step->height = step->width = o->size;
	step->seed = (uint64_t)o->seed;
	step->separate = o->separate;
	step->noise = o->noise;
	step->decay = o->weight_decay;
	step->norm_local = !strcmp(o->norm_statistics, "local");
	step->w_dice = strcmp(o->loss, "ce+dice") ? 0 : 1;
	step->engine.isa = strcmp(o->precision, "bf16") ? HY_ISA_AUTO : HY_ISA_AVX512_BF16;
	for (int i = 0; i < r->n; i++) {
		const hy_perturbation_options m = resolve(&r->members[i], o);
		if (m.kind->of_batches)
			continue;
		if (m.kind != &hy_perturb_latent) {
			step->perturbations[step->n_perturbations++] = m;
			continue;
		}
		step->cooperative = true;
		step->weight = m.weight;
		step->probability = m.probability;
		step->use_p_hat = m.values[ONLY_X_HAT] == 0;
		fill_masks(&step->mask_i, m.values[SCHEME_IMAGE], m.values);
		fill_masks(&step->mask_s, m.values[SCHEME_SHAPE], m.values);
	}
}

bool hy_recipe_randomises(const hy_recipe *r, hy_randomise_options *out)
{
	hy_randomise_options o = {.share = 1, .share_plain = 1, .strength = 1};
	bool any = false, clean = true;
	for (int i = 0; i < r->n; i++) {
		const hy_perturbation_options *m = &r->members[i].o;
		const double *v = m->values;
		any |= m->kind->of_batches;
		if (m->kind == &hy_perturb_randomise) {
			o.share = v[SHARE];
			o.share_plain = v[SHARE_PLAIN];
			o.strength = v[STRENGTH];
			o.curve = v[CURVE];
			o.invert = v[INVERT];
			o.clip = v[CLIP];
			o.sharpness = v[SHARPNESS];
			o.noise = v[NOISE];
			o.shade = v[SHADE];
			clean = v[TARGET] == 0;
		} else if (m->kind == &hy_perturb_lines) {
			o.lines = v[0];
		} else if (m->kind == &hy_perturb_waves) {
			o.waves = v[0];
			o.wave_strength = v[1];
		}
	}
	if (any)
		*out = o;
	return clean;
}
