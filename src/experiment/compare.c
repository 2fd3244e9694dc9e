/*
 * compare.c: from finished runs to statistics.
 */
#include "experiment/compare.h"

#include "base/json.h"
#include "base/memory.h"
#include "metric/rank_test.h"
#include "metric/ranking.h"
#include "metric/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scores in memory while statistics are made. */
typedef struct scores {
	hy_compare *c;
	hy_compare_results r;                               /* owned */
	size_t n_methods, n_seeds, n_sets, n_sources, most; /* most: cases of a source */
	char (*names)[2 * HY_NAME_SIZE];                    /* owned: [source][case] */
	size_t *n_cases, *n_subjects;                       /* owned: by source */
	size_t *subject;                                    /* owned: [source][case], from 0 */
	double *value;                                      /* owned: [method][network][set][seed][case]; NaN undefined */
	bool *there;                                        /* owned: [method][seed] */
	uint32_t *drawn;                                    /* owned: [replicate][source][case]: how often its subject was drawn */
	double *work[2];                                    /* owned: [set][case] each */
	double *replicates;                                 /* owned */
} scores;

static void scores_clear(scores *x)
{
	hy_results_clear(&x->r.results);
	hy_free(x->r.run);
	hy_free(x->r.set);
	hy_free(x->names);
	hy_free(x->n_cases);
	hy_free(x->n_subjects);
	hy_free(x->subject);
	hy_free(x->value);
	hy_free(x->there);
	hy_free(x->drawn);
	hy_free(x->work[0]);
	hy_free(x->work[1]);
	hy_free(x->replicates);
}

static double *value_of(const scores *x, size_t method, int network, size_t set, size_t seed)
{
	return x->value + (((method * 2 + (size_t)network) * x->n_sets + set) * x->n_seeds + seed) * x->most;
}

/* ---- cells, pairs ------------------------------------------------------------------------------------------------------- */

static size_t index_of(const hy_compare *c, size_t method, int network, size_t target)
{
	return (method * 2 + (size_t)network) * c->n_targets + target;
}

const hy_compare_cell *hy_compare_cell_at(const hy_compare *c, size_t method, int network, size_t target)
{
	return &c->cells[index_of(c, method, network, target)];
}

const hy_compare_pair *hy_compare_pair_at(const hy_compare *c, int reference, size_t method, int network, size_t target)
{
	return &c->pairs[reference][index_of(c, method, network, target)];
}

const hy_compare_pair *hy_compare_stn_at(const hy_compare *c, size_t method, size_t target)
{
	return &c->stn[method * c->n_targets + target];
}

bool hy_compare_has_runs(const hy_compare *c, size_t method)
{
	return hy_compare_cell_at(c, method, 0, 0)->n_seeds > 0;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

const hy_results_score *hy_compare_cases(const hy_compare_results *r, size_t run, size_t set, size_t *n)
{
	*n = 0;
	return r->run[run] < r->results.n_runs ? hy_results_cases(&r->results, r->run[run], r->set[set], n) : NULL;
}

static size_t find_case(const scores *x, size_t source, const char *name)
{
	size_t i = 0;
	while (i < x->n_cases[source] && strcmp(x->names[source * x->most + i], name) != 0)
		i++;
	return i;
}

/* Which scans are of one subject. */
static hardy_status list_subjects(scores *x, hardy_error *err)
{
	char(*names)[HY_NAME_SIZE] = hy_calloc(x->most, sizeof *names), phase[16];
	hardy_status status = names ? HARDY_OK : hy_fail_memory(err, "subjects", x->most, sizeof *names);
	for (size_t source = 0; source < x->n_sources && !status; source++) {
		size_t n = 0;
		for (size_t i = 0; i < x->n_cases[source] && !status; i++) {
			const char *name = x->names[source * x->most + i];
			if (!hy_split_phase(name, names[n], phase))
				status = hy_fail(err, HARDY_ERROR_DATA, "%s: the name is longer than %d letters", name, HY_NAME_SIZE - 1);
			size_t k = 0;
			while (k < n && strcmp(names[k], names[n]) != 0)
				k++;
			x->subject[source * x->most + i] = k;
			n += k == n;
		}
		x->n_subjects[source] = n;
	}
	hy_free(names);
	return status;
}

/* Takes the name of a case of set k into its source's list, if that is the first of the source's sets; later ones must hold the same. */
static hardy_status take_name(scores *x, size_t k, bool first, const char *name, bool *seen, hardy_error *err)
{
	const hy_test_set *set = &x->c->s->sets[k];
	const size_t at = find_case(x, set->source, name);
	if (!name[0] || strlen(name) >= sizeof *x->names)
		return hy_fail(err, HARDY_ERROR_DATA, "results of %s: a case has no name, or one of more than %zu letters", set->name,
		               sizeof *x->names - 1);
	if (at == x->n_cases[set->source] && !first)
		return hy_fail(err, HARDY_ERROR_DATA, "results of %s: %s is in no other set of the same scans", set->name, name);
	if (at == x->n_cases[set->source])
		snprintf(x->names[set->source * x->most + x->n_cases[set->source]++], sizeof *x->names, "%s", name);
	seen[at] = true;
	return HARDY_OK;
}

static hardy_status list_set(scores *x, size_t k, const hy_results_score *cases, size_t n, hardy_error *err)
{
	const hy_study *s = x->c->s;
	const size_t source = s->sets[k].source;
	const bool first = !x->n_cases[source];
	bool *seen = hy_calloc(x->most, sizeof *seen);
	hardy_status status = seen ? HARDY_OK : hy_fail_memory(err, "cases", x->most, sizeof *seen);
	for (size_t i = 0; i < n && !status; i++)
		status = take_name(x, k, first, cases[i].name, seen, err);
	for (size_t i = 0; i < x->n_cases[source] && !status; i++)
		if (!seen[i])
			status = hy_fail(err, HARDY_ERROR_DATA, "results of %s: %s is missing, which other sets of the same scans have",
			                 s->sets[k].name, x->names[source * x->most + i]);
	hy_free(seen);
	return status;
}

/* Names of the scans of every source, from the first result; the sets made of the same scans must agree. */
static hardy_status list_cases(scores *x, size_t run, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	size_t n;
	x->most = 1;
	for (size_t k = 0; k < x->n_sets; k++) {
		hy_compare_cases(&x->r, run, k, &n);
		x->most = n > x->most ? n : x->most;
	}
	x->names = hy_calloc(x->n_sources * x->most, sizeof *x->names);
	x->subject = hy_calloc(x->n_sources * x->most, sizeof *x->subject);
	if (!x->names || !x->subject)
		return hy_fail_memory(err, "cases", x->n_sources * x->most, sizeof *x->names);
	for (size_t k = 0; k < x->n_sets && !status; k++) {
		const hy_results_score *cases = hy_compare_cases(&x->r, run, k, &n);
		status = list_set(x, k, cases, n, err);
	}
	return status ? status : list_subjects(x, err);
}

/* The class's place among those that any scan has; results have no more of them than there is room for. */
static size_t find_class(hy_compare *c, const char *name)
{
	size_t at = 0;
	while (at < c->n_classes && strcmp(c->classes[at], name) != 0)
		at++;
	if (at == c->n_classes)
		snprintf(c->classes[c->n_classes++], HY_NAME_SIZE, "%s", name);
	return at;
}

/* Sums and counts of one cell while lines are read; by class for each seed. */
typedef struct tally {
	double classes[HY_MAX_CLASSES];
	size_t n_class[HY_MAX_CLASSES];
} tally;

/* One network's scores of one set in one result. */
static hardy_status read_set(scores *x, size_t run, size_t method, int network, size_t set, size_t seed, tally *t,
                             size_t below[3], hardy_error *err)
{
	const size_t source = x->c->s->sets[set].source;
	double *value = value_of(x, method, network, set, seed);
	size_t n_cases, *n = hy_calloc(x->most, sizeof *n);
	hardy_status status = n ? HARDY_OK : hy_fail_memory(err, "cases", x->most, sizeof *n);
	const hy_results_score *cases = hy_compare_cases(&x->r, run, set, &n_cases);
	for (size_t i = 0; i < x->most; i++)
		value[i] = 0;
	for (size_t at = 0; at < n_cases && !status; at++) {
		const hy_results_score *item = &cases[at];
		const size_t i = find_case(x, source, item->name);
		const double mean = item->mean[network];
		if (i == x->n_cases[source])
			status =
			    hy_fail(err, HARDY_ERROR_DATA, "results of different scans cannot be compared: %s is only in some", item->name);
		for (size_t k = 0; k < x->r.results.n_classes && !status; k++)
			if (isfinite(item->dice[network][k])) {
				const size_t class = find_class(x->c, x->r.results.classes[k]);
				t->classes[class] += item->dice[network][k];
				t->n_class[class]++;
			}
		if (status || isnan(mean))
			continue;
		value[i] += mean;
		n[i]++;
		below[0]++;
		below[1] += mean < 0.5;
		below[2] += mean < 0.1;
	}
	for (size_t i = 0; i < x->most && n; i++)
		value[i] = n[i] ? value[i] / (double)n[i] : NAN;
	hy_free(n);
	return status;
}

static double divide(double sum, size_t n)
{
	return n ? sum / (double)n : NAN;
}

/* Class means and shares of failures of sets, and the values of all. */
static hardy_status read_runs(scores *x, hardy_error *err)
{
	hy_compare *c = x->c;
	hardy_status status = HARDY_OK;
	const size_t n_tally = x->n_seeds;
	tally *t = hy_alloc(n_tally, sizeof *t);
	if (!t)
		return hy_fail_memory(err, "scores", n_tally, sizeof *t);
	for (size_t m = 0; m < x->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t k = 0; k < x->n_sets && !status; k++) {
				hy_compare_cell *cell = &c->cells[index_of(c, m, w, k)];
				size_t below[3] = {0, 0, 0};
				memset(t, 0, n_tally * sizeof *t);
				for (size_t seed = 0; seed < x->n_seeds && !status; seed++) {
					const size_t run = seed * x->n_methods + m;
					const bool there = x->r.run[run] < x->r.results.n_runs;
					x->there[m * x->n_seeds + seed] = there;
					if (there)
						status = read_set(x, run, m, w, k, seed, &t[seed], below, err);
				}
				cell->below_half = divide((double)below[1], below[0]);
				cell->below_tenth = divide((double)below[2], below[0]);
				for (size_t class = 0; class < HY_MAX_CLASSES; class ++) {
					double means[HY_MAX_SEEDS];
					for (size_t seed = 0; seed < x->n_seeds; seed++)
						means[seed] = divide(t[seed].classes[class], t[seed].n_class[class]);
					const hy_summary sum = hy_summarise(means, x->n_seeds);
					cell->classes[class] = sum.mean;
					cell->class_sd[class] = sum.sd;
				}
			}
	hy_free(t);
	return status;
}

/* ---- targets ------------------------------------------------------------------------------------------------------------ */

static bool is_in(const hy_study *s, const hy_test_set *set, const char *group)
{
	if (!strcmp(group, "published"))
		return hy_published_column(s, set) >= 0;
	if (!strcmp(group, "artefacts"))
		return set->kind == HY_SET_ARTEFACT;
	if (!strcmp(group, "sites"))
		return set->kind == HY_SET_SITE;
	if (!strcmp(group, "shifted"))
		return set->kind != HY_SET_INTRA;
	return true;
}

static hardy_status add_target(hy_compare *c, const char *name, const char *title, const hy_test_set *set, hardy_error *err)
{
	hy_compare_target *t = &c->targets[c->n_targets];
	snprintf(t->name, sizeof t->name, "%s", name);
	snprintf(t->title, sizeof t->title, "%s", title);
	t->set = set;
	t->sets = hy_alloc(c->s->n_sets, sizeof *t->sets);
	if (!t->sets)
		return hy_fail_memory(err, "test sets", c->s->n_sets, sizeof *t->sets);
	for (size_t k = 0; k < c->s->n_sets; k++)
		if (set ? set == &c->s->sets[k] : is_in(c->s, &c->s->sets[k], name))
			t->sets[t->n_sets++] = k;
	/* no empty group, and the published sets only if there are others besides */
	const bool none = !strcmp(name, "published") && (t->n_sets != HY_N_PUBLISHED_SETS || t->n_sets == c->s->n_sets);
	if (set || (t->n_sets && !none)) {
		c->n_targets++;
	} else {
		hy_free(t->sets);
		*t = (hy_compare_target){0};
	}
	return HARDY_OK;
}

static hardy_status list_targets(hy_compare *c, hardy_error *err)
{
	static const char *const groups[][2] = {{"artefacts", "Artefacts"},
	                                        {"sites", "Other sites"},
	                                        {"shifted", "Out of domain"},
	                                        {"published", "Average of the published sets"},
	                                        {"average", "Average"}};
	const size_t n_groups = sizeof groups / sizeof *groups;
	hardy_status status = HARDY_OK;
	c->targets = hy_calloc(c->s->n_sets + n_groups, sizeof *c->targets);
	if (!c->targets)
		return hy_fail_memory(err, "test sets", c->s->n_sets + n_groups, sizeof *c->targets);
	for (size_t k = 0; k < c->s->n_sets && !status; k++)
		status = add_target(c, c->s->sets[k].name, c->s->sets[k].title, &c->s->sets[k], err);
	for (size_t g = 0; g < n_groups && !status; g++)
		status = add_target(c, groups[g][0], groups[g][1], NULL, err);
	return status;
}

/* ---- statistics --------------------------------------------------------------------------------------------------------- */

/* Cases of every set of a target, averaged over the seeds that mask marks. */
static void average(const scores *x, size_t method, int network, const hy_compare_target *t, const bool *mask, double *out)
{
	for (size_t j = 0; j < t->n_sets; j++) {
		double *to = out + t->sets[j] * x->most;
		for (size_t i = 0; i < x->most; i++) {
			double sum = 0;
			size_t n = 0;
			for (size_t seed = 0; seed < x->n_seeds; seed++) {
				const double v = mask[seed] ? value_of(x, method, network, t->sets[j], seed)[i] : NAN;
				if (isnan(v))
					continue;
				sum += v;
				n++;
			}
			to[i] = divide(sum, n);
		}
	}
}

/* The mean of a target's sets, each over its cases; drawn NULL: once each, else as often as a replicate has them. */
static double mean_of(const scores *x, const hy_compare_target *t, const double *values, const uint32_t *drawn)
{
	double sum = 0;
	size_t n = 0;
	for (size_t j = 0; j < t->n_sets; j++) {
		const size_t source = x->c->s->sets[t->sets[j]].source, n_cases = x->n_cases[source];
		const double *v = values + t->sets[j] * x->most;
		const uint32_t *times = drawn ? drawn + source * x->most : NULL;
		double of_set = 0;
		size_t n_set = 0;
		for (size_t i = 0; i < n_cases; i++) {
			if (isnan(v[i]))
				continue;
			of_set += (times ? times[i] : 1) * v[i];
			n_set += times ? times[i] : 1;
		}
		if (!n_set)
			continue;
		sum += of_set / (double)n_set;
		n++;
	}
	return n == t->n_sets ? sum / (double)n : NAN;
}

static void interval(const scores *x, const hy_compare_target *t, const double *values, double *low, double *high)
{
	size_t n = 0;
	for (size_t b = 0; b < HY_BOOTSTRAP; b++) {
		const double v = mean_of(x, t, values, x->drawn + b * x->n_sources * x->most);
		if (!isnan(v))
			x->replicates[n++] = v;
	}
	*low = hy_quantile(x->replicates, n, 0.025);
	*high = hy_quantile(x->replicates, n, 0.975);
}

static hardy_status draw(scores *x, hardy_error *err)
{
	const size_t n = (size_t)HY_BOOTSTRAP * x->n_sources * x->most;
	x->drawn = hy_alloc(n, sizeof *x->drawn);
	x->replicates = hy_alloc(HY_BOOTSTRAP, sizeof *x->replicates);
	size_t *times = hy_alloc(x->most, sizeof *times); /* by subject */
	if (!x->drawn || !x->replicates || !times) {
		hy_free(times);
		return hy_fail_memory(err, "bootstrap samples", n, sizeof *x->drawn);
	}
	for (size_t b = 0; b < HY_BOOTSTRAP; b++)
		for (size_t source = 0; source < x->n_sources; source++) {
			uint32_t *to = x->drawn + (b * x->n_sources + source) * x->most;
			hy_bootstrap_draw(0, b, source, x->n_subjects[source], times);
			for (size_t i = 0; i < x->n_cases[source]; i++)
				to[i] = (uint32_t)times[x->subject[source * x->most + i]];
		}
	hy_free(times);
	return HARDY_OK;
}

/* Failures and classes of a group: the means over its sets. */
static void fill_group(hy_compare *c, size_t m, int w, size_t target)
{
	const hy_compare_target *t = &c->targets[target];
	hy_compare_cell *cell = &c->cells[index_of(c, m, w, target)];
	cell->below_half = cell->below_tenth = 0;
	for (size_t j = 0; j < t->n_sets; j++) {
		const hy_compare_cell *of = hy_compare_cell_at(c, m, w, t->sets[j]);
		cell->below_half += of->below_half / (double)t->n_sets;
		cell->below_tenth += of->below_tenth / (double)t->n_sets;
	}
	for (int k = 0; k < HY_MAX_CLASSES; k++) {
		double means[64];
		size_t n = 0;
		for (size_t j = 0; j < t->n_sets && n < 64; j++)
			means[n++] = hy_compare_cell_at(c, m, w, t->sets[j])->classes[k];
		cell->classes[k] = hy_summarise(means, n).mean;
		cell->class_sd[k] = NAN;
	}
}

static void fill_cell(scores *x, size_t m, int w, size_t target)
{
	hy_compare *c = x->c;
	const hy_compare_target *t = &c->targets[target];
	hy_compare_cell *cell = &c->cells[index_of(c, m, w, target)];
	for (size_t seed = 0; seed < x->n_seeds; seed++) {
		bool mask[HY_MAX_SEEDS] = {false};
		mask[seed] = x->there[m * x->n_seeds + seed];
		average(x, m, w, t, mask, x->work[0]);
		cell->seeds[seed] = mask[seed] ? mean_of(x, t, x->work[0], NULL) : NAN;
	}
	const hy_summary s = hy_summarise(cell->seeds, x->n_seeds);
	cell->n_seeds = s.n;
	cell->mean = s.mean;
	cell->seed_sd = s.sd;
	average(x, m, w, t, x->there + m * x->n_seeds, x->work[0]);
	interval(x, t, x->work[0], &cell->low, &cell->high);
	if (!t->set)
		fill_group(c, m, w, target);
}

/* One value a subject: the mean over its scans, and over the target's sets that are made of them. */
static size_t list_units(const scores *x, const hy_compare_target *t, const double *values, double *units)
{
	size_t n = 0;
	for (size_t source = 0; source < x->n_sources; source++)
		for (size_t k = 0; k < x->n_subjects[source]; k++) {
			double sum = 0;
			size_t n_values = 0;
			for (size_t i = 0; i < x->n_cases[source]; i++)
				for (size_t j = 0; j < t->n_sets && x->subject[source * x->most + i] == k; j++) {
					const double v = values[t->sets[j] * x->most + i];
					if (x->c->s->sets[t->sets[j]].source != source || isnan(v))
						continue;
					sum += v;
					n_values++;
				}
			if (n_values)
				units[n++] = sum / (double)n_values;
		}
	return n;
}

/* (m, w) less (reference, v) */
static hardy_status fill_pair(scores *x, size_t m, int w, size_t reference, int v, size_t target, hy_compare_pair *out,
                              hardy_error *err)
{
	const hy_compare_target *t = &x->c->targets[target];
	bool mask[HY_MAX_SEEDS] = {false};
	*out = (hy_compare_pair){.difference = NAN, .low = NAN, .high = NAN, .w_plus = NAN, .p = NAN, .p_holm = NAN};
	for (size_t seed = 0; seed < x->n_seeds; seed++) {
		mask[seed] = x->there[m * x->n_seeds + seed] && x->there[reference * x->n_seeds + seed];
		out->n_seeds += mask[seed];
	}
	if (!out->n_seeds)
		return HARDY_OK;
	average(x, m, w, t, mask, x->work[0]);
	average(x, reference, v, t, mask, x->work[1]);
	for (size_t j = 0; j < t->n_sets; j++)
		for (size_t i = 0; i < x->most; i++)
			x->work[0][t->sets[j] * x->most + i] -= x->work[1][t->sets[j] * x->most + i];
	out->difference = mean_of(x, t, x->work[0], NULL);
	interval(x, t, x->work[0], &out->low, &out->high);
	hy_signed_rank r;
	out->n = list_units(x, t, x->work[0], x->work[1]);
	const hardy_status status = hy_signed_rank_test(x->work[1], out->n, &r, err);
	if (!status) {
		out->w_plus = r.w_plus;
		out->p = out->p_holm = r.p;
		out->exact = r.exact;
	}
	return status;
}

/* Holm's correction among sets, and among groups: over all methods of one network and reference. */
static hardy_status correct(hy_compare *c, hy_compare_pair *pairs, size_t n_rows, size_t stride, size_t first, hardy_error *err)
{
	double *p = hy_alloc(n_rows * c->n_targets, sizeof *p);
	hardy_status status = p ? HARDY_OK : hy_fail_memory(err, "p values", n_rows * c->n_targets, sizeof *p);
	for (int groups = 0; groups < 2 && !status; groups++)
		for (int back = 0; back < 2 && !status; back++) {
			size_t n = 0;
			for (size_t row = 0; row < n_rows; row++)
				for (size_t t = 0; t < c->n_targets; t++) {
					hy_compare_pair *one = &pairs[row * stride + first + t];
					if ((c->targets[t].set == NULL) != groups)
						continue;
					if (back)
						one->p_holm = p[n++];
					else
						p[n++] = one->p;
				}
			if (!back)
				status = hy_holm(p, n, err);
		}
	hy_free(p);
	return status;
}

static hardy_status fill_pairs(scores *x, hardy_error *err)
{
	hy_compare *c = x->c;
	hardy_status status = HARDY_OK;
	for (size_t m = 0; m < x->n_methods; m++)
		for (size_t t = 0; t < c->n_targets && !status; t++) {
			for (int r = 0; r < HY_N_REFERENCES && !status; r++)
				for (int w = 0; w < 2 && !status; w++) {
					hy_compare_pair *pair = &c->pairs[r][index_of(c, m, w, t)];
					*pair =
					    (hy_compare_pair){.difference = NAN, .low = NAN, .high = NAN, .w_plus = NAN, .p = NAN, .p_holm = NAN};
					if (c->reference[r] < x->n_methods && c->reference[r] != m)
						status = fill_pair(x, m, w, c->reference[r], w, t, pair, err);
				}
			if (!status)
				status = fill_pair(x, m, 1, m, 0, t, &c->stn[m * c->n_targets + t], err);
		}
	for (int r = 0; r < HY_N_REFERENCES; r++)
		for (size_t w = 0; w < 2 && !status; w++)
			status = correct(c, c->pairs[r], x->n_methods, 2 * c->n_targets, w * c->n_targets, err);
	return status ? status : correct(c, c->stn, x->n_methods, c->n_targets, 0, err);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static hardy_status make_room(scores *x, hardy_error *err)
{
	hy_compare *c = x->c;
	const size_t n_cells = x->n_methods * 2 * c->n_targets, n_values = x->n_methods * 2 * x->n_sets * x->n_seeds * x->most;
	c->cells = hy_calloc(n_cells, sizeof *c->cells);
	c->stn = hy_calloc(n_cells, sizeof *c->stn);
	for (int r = 0; r < HY_N_REFERENCES; r++)
		c->pairs[r] = hy_calloc(n_cells, sizeof *c->pairs[r]);
	c->classes = hy_calloc(HY_MAX_CLASSES, sizeof *c->classes);
	x->value = hy_alloc(n_values, sizeof *x->value);
	x->there = hy_calloc(x->n_methods * x->n_seeds, sizeof *x->there);
	for (int k = 0; k < 2; k++)
		x->work[k] = hy_calloc(x->n_sets * x->most, sizeof *x->work[k]);
	if (!c->cells || !c->stn || !c->pairs[0] || !c->pairs[1] || !c->classes || !x->value || !x->there || !x->work[0] ||
	    !x->work[1])
		return hy_fail_memory(err, "statistics", n_values, sizeof *x->value);
	for (size_t i = 0; i < n_values; i++)
		x->value[i] = NAN;
	return HARDY_OK;
}

static void count_cases(scores *x)
{
	for (size_t t = 0; t < x->c->n_targets; t++) {
		hy_compare_target *target = &x->c->targets[t];
		bool counted[256] = {false};
		for (size_t j = 0; j < target->n_sets; j++) {
			const size_t source = x->c->s->sets[target->sets[j]].source;
			if (source < 256 && !counted[source]) {
				target->n_cases += x->n_cases[source];
				target->n_subjects += x->n_subjects[source];
			}
			if (source < 256)
				counted[source] = true;
		}
	}
}

/* The results of all runs that are done. */
static hardy_status read_results(hy_compare_results *r, const hy_study *s, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	r->run = hy_alloc(s->n_runs, sizeof *r->run);
	r->set = hy_alloc(s->n_sets, sizeof *r->set);
	if (!r->run || !r->set)
		return hy_fail_memory(err, "results", s->n_runs + s->n_sets, sizeof *r->run);
	for (size_t i = 0; i < s->n_runs && !status; i++) {
		const char *line = s->runs[i].line;
		cJSON *json = NULL;
		r->run[i] = line ? r->results.n_runs : SIZE_MAX;
		status = line ? hy_json_parse(line, strlen(line), &json, err) : HARDY_OK;
		if (json)
			status = hy_results_add(&r->results, json, err);
		if (status)
			hy_prefix(err, status, "%s: its result", s->runs[i].name);
	}
	if (!status && !r->results.n_runs)
		status = hy_fail(err, HARDY_ERROR_DATA, "no run is done");
	for (size_t k = 0; k < s->n_sets; k++)
		r->set[k] = hy_results_set_named(&r->results, s->sets[k].name);
	return status;
}

static hardy_status compute(scores *x, hardy_error *err)
{
	hy_compare *c = x->c;
	size_t first = 0;
	while (x->r.run[first] >= x->r.results.n_runs)
		first++;
	hardy_status status = list_cases(x, first, err);
	if (!status)
		status = make_room(x, err);
	if (!status)
		status = read_runs(x, err);
	if (!status)
		status = draw(x, err);
	if (status)
		return status;
	count_cases(x);
	for (size_t m = 0; m < x->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++)
				fill_cell(x, m, w, t);
	return fill_pairs(x, err);
}

static size_t find_method(const hy_study *s, const char *name)
{
	size_t m = 0;
	while (m < s->n_methods && strcmp(s->methods[m]->name, name) != 0)
		m++;
	return m;
}

hardy_status hy_compare_make(hy_compare *c, const hy_study *s, hardy_error *err)
{
	*c = (hy_compare){.s = s};
	scores x = {
	    .c = c, .n_methods = s->n_methods, .n_seeds = (size_t)s->o->seeds, .n_sets = s->n_sets, .n_sources = s->n_sources};
	if (x.n_seeds > HY_MAX_SEEDS)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%zu seeds, statistics are made of at most %d", x.n_seeds, HY_MAX_SEEDS);
	x.n_cases = hy_calloc(x.n_sources, sizeof *x.n_cases);
	x.n_subjects = hy_calloc(x.n_sources, sizeof *x.n_subjects);
	hardy_status status = x.n_cases && x.n_subjects ? HARDY_OK : hy_fail_memory(err, "results", x.n_sources, sizeof *x.n_cases);
	if (!status)
		status = read_results(&x.r, s, err);
	c->reference[HY_AGAINST_STANDARD] = find_method(s, HY_METHOD_STANDARD);
	c->reference[HY_AGAINST_PROPOSED] = find_method(s, HY_METHOD_PROPOSED);
	if (!status)
		status = list_targets(c, err);
	if (!status)
		status = compute(&x, err);
	if (!status)
		status = hy_compare_judge(c, &x.r, err);
	scores_clear(&x);
	if (status)
		hy_compare_clear(c);
	return status;
}

void hy_compare_clear(hy_compare *c)
{
	for (size_t t = 0; t < c->n_targets; t++)
		hy_free(c->targets[t].sets);
	hy_free(c->targets);
	hy_free(c->classes);
	hy_free(c->cells);
	hy_free(c->stn);
	hy_free(c->forecasts);
	for (int r = 0; r < HY_N_REFERENCES; r++)
		hy_free(c->pairs[r]);
	memset(c, 0, sizeof *c);
}
