/*
 * published.c: figures of the study that is repeated here: "Robust Medical Image Segmentation by Latent Space Data Augmentation", Fig. 6,
 * 3-D Dice, mean of LV, myocardium and RV. Columns are the FTN's scores; of FTN+STN only the average is told.
 */
#include "experiment/compare.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ACDC, MNMS, BIAS, GHOSTING, MOTION, SPIKE, N_COLUMNS, AVERAGE_FTN = N_COLUMNS, AVERAGE_STN, N_FIGURES };

static const struct {
	const char *method;
	double dice[N_FIGURES];
} figures[] = {
    {"standard", {.7681, .3909, .4889, .6964, .7494, .4901, .5970, .6018}},
    {"mwm", {.7515, .3984, .4914, .6685, .7336, .5713, .6024, .6131}},
    {"randconv", {.7604, .4544, .5538, .6891, .7493, .4902, .6162, .6404}},
    {"adv-noise", {.7678, .3873, .4903, .6829, .7543, .6244, .6178, .6276}},
    {"adv-bias", {.7573, .6013, .6709, .6773, .7348, .3840, .6376, .6604}},
    {"x-hat", {.7497, .5154, .5921, .6921, .7417, .6633, .6591, .6709}},
    {"cooperative", {.7696, .5454, .6174, .7073, .7643, .6226, .6711, .6901}},
};

/* Whether the letters and digits of a name begin with a word, in either case. */
static bool begins(const char *name, const char *word)
{
	for (; *word; name++) {
		if (!*name)
			return false;
		if (!isalnum((unsigned char)*name))
			continue;
		if (tolower((unsigned char)*name) != *word++)
			return false;
	}
	return true;
}

int hy_published_column(const hy_study *s, const hy_test_set *set)
{
	const hy_source *source = &s->sources[set->source];
	const bool at_acdc = begins(s->sources[0].name, "acdc") || begins(s->sources[0].title, "acdc");
	if (!at_acdc)
		return -1;
	switch (set->kind) {
	case HY_SET_INTRA:
		return ACDC;
	case HY_SET_SITE:
		return begins(source->name, "mnms") || begins(source->title, "mms") || begins(source->title, "mnms") ? MNMS : -1;
	default:
		switch (set->artefact) {
		case HY_ARTEFACT_BIAS:
			return BIAS;
		case HY_ARTEFACT_GHOSTING:
			return GHOSTING;
		case HY_ARTEFACT_MOTION:
			return MOTION;
		case HY_ARTEFACT_SPIKE:
			return SPIKE;
		default:
			return -1;
		}
	}
}

static bool has_figures(const hy_study *s)
{
	return !strcmp(s->experiment->name, "latent-vs-image") || !strcmp(s->experiment->name, "cooperative-vs-standard");
}

double hy_published(const hy_compare *c, size_t method, int network, size_t target)
{
	const hy_compare_target *t = &c->targets[target];
	bool seen[N_COLUMNS] = {false};
	int column = -1;
	size_t row = 0, n_seen = 0;
	while (row < sizeof figures / sizeof *figures && strcmp(figures[row].method, c->s->methods[method]->name) != 0)
		row++;
	if (!has_figures(c->s) || row == sizeof figures / sizeof *figures)
		return NAN;
	for (size_t j = 0; j < t->n_sets; j++) {
		column = hy_published_column(c->s, &c->s->sets[t->sets[j]]);
		if (column < 0 || seen[column])
			return NAN;
		seen[column] = true;
		n_seen++;
	}
	if (t->set)
		return network ? NAN : figures[row].dice[column];
	return n_seen == N_COLUMNS ? figures[row].dice[network ? AVERAGE_STN : AVERAGE_FTN] : NAN;
}

bool hy_published_any(const hy_compare *c, int network)
{
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (size_t t = 0; t < c->n_targets; t++)
			if (!isnan(hy_published(c, m, network, t)))
				return true;
	return false;
}

static void add(char *text, size_t size, const char *sentence)
{
	const size_t used = strlen(text);
	snprintf(text + used, size - used, used ? " %s" : "%s", sentence);
}

void hy_published_note(const hy_compare *c, char *text, size_t size)
{
	const hardy_train_options *o = &c->s->base;
	char line[512], length[128];
	text[0] = 0;
	if (!hy_published_any(c, 0))
		return;
	add(text, size,
	    "Published figures are those of \"Robust Medical Image Segmentation by Latent Space Data Augmentation\", Fig. 6: FTN, "
	    "and of "
	    "FTN+STN the average alone; ten ACDC subjects of one site, 20 others to test.");
	if (o->iterations)
		snprintf(length, sizeof length, "%s", HY_COUNT(o->iterations, "step"));
	else
		snprintf(length, sizeof length, "%s", HY_COUNT(o->epochs, "epoch"));
	const bool as_published = o->size == 192 && o->epochs == 600 && !o->iterations && !strcmp(o->loss, "ce") &&
	                          o->batch == 20 && !strcmp(o->schedule, "constant") && fabs(o->learning_rate - 1e-4) < 1e-9;
	if (as_published)
		add(text, size, "The training here is as published: 600 epochs at 192 x 192 with cross-entropy.");
	else {
		snprintf(line, sizeof line,
		         "They were trained for 600 epochs at 192 x 192 (1.37 mm) with cross-entropy; here it was %s of %lld slices at "
		         "%lld x %lld "
		         "(%.3g mm) with %s, so levels cannot be compared, only the order of the methods and the sign of differences.",
		         length, (long long)o->batch, (long long)o->size, (long long)o->size, o->spacing_mm, o->loss);
		add(text, size, line);
	}
	for (size_t t = 0; t < c->n_targets; t++) {
		if (!c->targets[t].set || hy_published_column(c->s, c->targets[t].set) != MNMS || c->targets[t].n_cases >= 300)
			continue;
		snprintf(line, sizeof line, "%s: 150 subjects of five sites there, %s here.", c->targets[t].title,
		         HY_COUNT(c->targets[t].n_cases, "scan"));
		add(text, size, line);
	}
	for (size_t t = 0; t < c->n_targets; t++) {
		if (!c->targets[t].set || hy_published_column(c->s, c->targets[t].set) >= 0)
			continue;
		snprintf(line, sizeof line, "%s is not among the published sets.", c->targets[t].title);
		add(text, size, line);
	}
}
