/*
 * compare.h: what the finished runs of a study say: means with their spread and intervals, paired differences with tests, failures.
 *
 * A scan's score (a case) is the mean Dice of its defined classes, averaged over the draws of an artefact, and over seeds; means are
 * over scans, a group's over its sets. The unit of intervals and tests is a subject, whose phases are alike: bootstrap intervals
 * (percentiles 2.5 and 97.5) resample subjects, the same ones for all methods, both networks, and all sets made of the same
 * scans; Wilcoxon's test takes a value a subject.
 */
#ifndef HY_EXPERIMENT_COMPARE_H
#define HY_EXPERIMENT_COMPARE_H

#include "experiment/results.h"
#include "experiment/study.h"
#include "predict/forecast.h"

#ifdef HY_FUZZING /* a build for fuzz/compare.c: the loops are the same */
enum { HY_BOOTSTRAP = 20, HY_MAX_SEEDS = 64 };
#else
enum { HY_BOOTSTRAP = 5000, HY_MAX_SEEDS = 64 };
#endif

/* One test set, or several together. */
typedef struct hy_compare_target {
	char name[HY_NAME_SIZE], title[HY_NAME_SIZE + 16];
	const hy_test_set *set; /* NULL: a group */
	size_t *sets;           /* owned: indices */
	size_t n_sets, n_cases, n_subjects;
} hy_compare_target;

typedef struct hy_compare_cell {
	size_t n_seeds;
	double mean, seed_sd, low, high;
	double seeds[HY_MAX_SEEDS];      /* means; NaN where there is no run */
	double below_half, below_tenth;  /* shares of scores of cases, draws and seeds */
	double classes[HY_MAX_CLASSES];  /* means by class of hy_compare.classes */
	double class_sd[HY_MAX_CLASSES]; /* over seeds */
} hy_compare_cell;

/* Method against reference, or FTN+STN against FTN; over the seeds that both have. */
typedef struct hy_compare_pair {
	size_t n, n_seeds;                               /* n: subjects */
	double difference, low, high, w_plus, p, p_holm; /* NaN when there is nothing to compare */
	bool exact;
} hy_compare_pair;

enum { HY_AGAINST_STANDARD, HY_AGAINST_PROPOSED, HY_N_REFERENCES };

typedef struct hy_compare {
	const hy_study *s;
	char (*classes)[HY_NAME_SIZE]; /* owned: of all sets */
	size_t n_classes;
	hy_compare_target *targets; /* owned: sets first, then groups */
	size_t n_targets;
	hy_compare_cell *cells;                  /* owned: [method][network][target] */
	hy_compare_pair *pairs[HY_N_REFERENCES]; /* owned: the same; corrected among sets, and among groups, of a network */
	hy_compare_pair *stn;                    /* owned: [method][target] */
	size_t reference[HY_N_REFERENCES];       /* methods; n_methods: not among them */
	hardy_forecast *forecasts;               /* owned: [method][seed], of all sets but the training site's; n 0: none */
} hy_compare;

/* HARDY_ERROR_DATA when no run is done, or results do not hold the same scans. */
hardy_status hy_compare_make(hy_compare *c, const hy_study *s, hardy_error *err);
void hy_compare_clear(hy_compare *c);

const hy_compare_cell *hy_compare_cell_at(const hy_compare *c, size_t method, int network, size_t target);
const hy_compare_pair *hy_compare_pair_at(const hy_compare *c, int reference, size_t method, int network, size_t target);
const hy_compare_pair *hy_compare_stn_at(const hy_compare *c, size_t method, size_t target);

/* The results of a study's runs. */
typedef struct hy_compare_results {
	hy_results results;
	size_t *run, *set; /* owned: indices in it by run and by set of the study; not there: n_runs, n_sets of it */
} hy_compare_results;

/* The scans of a set of the study in the result of one of its runs; *n 0: not there. */
const hy_results_score *hy_compare_cases(const hy_compare_results *r, size_t run, size_t set, size_t *n);

/* Fills forecasts: how well the Dice that each run's model foretold agrees with what was found. */
hardy_status hy_compare_judge(hy_compare *c, const hy_compare_results *r, hardy_error *err);
/* Whether any run's model foretold anything. */
bool hy_compare_foretells(const hy_compare *c);

bool hy_compare_has_runs(const hy_compare *c, size_t method);

/* Names and notes of the files. */
extern const char *const hy_compare_networks[2], *const hy_compare_references[HY_N_REFERENCES];
extern const char hy_compare_note[], hy_compare_forecast_note[];
#define HY_FORECAST_TABLE "predicted_dice"

/* OUTPUT/statistics.json and OUTPUT/tables, of these the data alone (the folders must be there); the short form to report. */
hardy_status hy_compare_write_data(const hy_compare *c, hardy_error *err);
hardy_status hy_compare_write(const hy_compare *c, hardy_error *err);
hardy_status hy_compare_print(const hy_compare *c, const hardy_sink *report, hardy_error *err);

/* What was published for a method on a target (FTN; "average" of FTN+STN too); NaN when nothing was, or not for this experiment. */
double hy_published(const hy_compare *c, size_t method, int network, size_t target);
bool hy_published_any(const hy_compare *c, int network);
/* Which of the six published sets it is, or -1. */
int hy_published_column(const hy_study *s, const hy_test_set *set);
enum { HY_N_PUBLISHED_SETS = 6 };
/* In what respects the published figures were found in another setting: one sentence after the other; "" when there are none. */
void hy_published_note(const hy_compare *c, char *text, size_t size);

#endif
