/*
 * demo.c: the whole job on the built-in phantom: several sites, training on the first by the recipe that users get and by the study's two,
 * all sites scored, a table, and a picture of the worst case of each site.
 */
#include "base/files.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/dataset.h"
#include "draw/part.h"
#include "metric/overlap.h"
#include "predict/ensemble.h"
#include "predict/jobs.h"
#include "predict/legend.h"
#include "report/demo_page.h"
#include "training/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_RECIPES = 3, MAX_SITES = 16 };
static const char *const RECIPES[N_RECIPES] = {"standard", "cooperative", "hardy"};

#define AT(member) offsetof(hardy_demo_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_SEED(hardy_demo_options, "Seed of anatomy, split and training."),
    {"sites", HARDY_OPTION_TEXT, AT(sites), "N|NAMES", "How many sites, or which; training is on the first.", .usual = "4",
     .use = HARDY_OPTION_NEEDED},
    {"subjects", HARDY_OPTION_WHOLE, AT(subjects), "N", "Subjects at each site.", .usual = "16", .low = 3, .high = 99},
    {"train", HARDY_OPTION_WHOLE, AT(train), "N", "Of the first site's subjects, how many to train on.", .usual = "10",
     .low = 1, .high = 97},
    {"size", HARDY_OPTION_WHOLE, AT(size), "N", "Height and width of the network's grid, a multiple of 16.", .usual = "80",
     .low = 16, .high = 512},
    {"spacing_mm", HARDY_OPTION_REAL, AT(spacing_mm), "MM", "In-plane spacing of that grid.", .usual = "2.4", .low = 0.05,
     .high = 100, .word = "spacing"},
    {"iterations", HARDY_OPTION_WHOLE, AT(iterations), "N", "Training steps of each recipe.", .usual = "300", .low = 1,
     .high = 1e9},
    {"batch", HARDY_OPTION_WHOLE, AT(batch), "N", "Slices a step; even.", .usual = "10", .low = 2, .high = 1024},
    HY_OPTION_THREADS(hardy_demo_options),
};

const hardy_options hy_demo_table = {"demo", HY_TABLE_ROWS(option_rows), sizeof(hardy_demo_options), NULL};

void hardy_demo_options_init(hardy_demo_options *o)
{
	hardy_options_default(&hy_demo_table, o);
}

/* Dice of one case by one recipe; [0] FTN, [1] FTN+STN, the same of a network without an STN: mean over the classes that the truth has. */
typedef struct score {
	char subject[HY_NAME_SIZE], phase[16];
	double dice[N_RECIPES][2];
} score;

typedef struct site {
	char *folder, *name; /* owned */
	score *scores;       /* owned */
	size_t n;
	size_t worst; /* case with the lowest mean Dice of all recipes */
} site;

typedef struct demo {
	const hardy_demo_options *o;
	const hardy_log *log;
	const hardy_stop *stop;
	const hardy_sink *report;
	char *data, *splits, *picture, *table, *page; /* owned */
	char *runs[N_RECIPES];
	site sites[MAX_SITES];
	size_t n_sites;
	hy_ensemble models[N_RECIPES]; /* one each */
} demo;

static void demo_clear(demo *d)
{
	for (size_t i = 0; i < d->n_sites; i++) {
		hy_free(d->sites[i].folder);
		hy_free(d->sites[i].name);
		hy_free(d->sites[i].scores);
	}
	for (int r = 0; r < N_RECIPES; r++) {
		hy_ensemble_clear(&d->models[r]);
		hy_free(d->runs[r]);
	}
	hy_free(d->data);
	hy_free(d->splits);
	hy_free(d->picture);
	hy_free(d->table);
	hy_free(d->page);
}

/* ---- data and training ---- */

static hardy_status make_data(demo *d, hardy_error *err)
{
	hardy_phantom_options p;
	hardy_phantom_options_init(&p);
	p.sites = d->o->sites;
	p.subjects = d->o->subjects;
	p.seed = d->o->seed;
	p.threads = d->o->threads;
	hardy_status status = hardy_phantom_make(d->data, &p, d->log, err);
	hy_names names = {0};
	if (!status)
		status = hy_list_folder(d->data, &names, err);
	for (size_t i = 0; !status && i < names.n; i++) {
		char *path = hy_path_join(d->data, names.name[i]);
		if (path && hy_path_is_folder(path) && d->n_sites < MAX_SITES) {
			d->sites[d->n_sites].name = hy_strdup(names.name[i]);
			d->sites[d->n_sites++].folder = path;
			path = NULL;
		}
		hy_free(path);
	}
	hy_names_free(&names);
	if (!status && d->n_sites < 2)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: want 2 or more, one to train on and others to compare",
		                 HY_COUNT(d->n_sites, "site"));
	return status;
}

/* The first site's subjects: some to train on, one to validate, the others to test; the same for all recipes. */
static hardy_status write_splits(demo *d, hardy_error *err)
{
	hy_dataset set = {0};
	hy_outfile f = {0};
	char(*subjects)[HY_NAME_SIZE] = NULL;
	size_t n = 0, *order = NULL;
	hardy_status status = hy_dataset_open(&set, d->sites[0].folder, NULL, d->log, err);
	if (!status)
		status = hy_dataset_subjects(&set, &subjects, &n, err);
	const size_t n_train = (size_t)d->o->train;
	if (!status && n < n_train + 2)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s a site, %zu of them to train on: want at least 2 more than those",
		                 HY_COUNT(n, "subject"), n_train);
	if (!status && !(order = hy_alloc(n, sizeof *order)))
		status = hy_fail_memory(err, "subjects", n, sizeof *order);
	if (!status)
		status = hy_outfile_open(&f, d->splits, NULL, err);
	if (!status) {
		hy_rng g = hy_rng_make(d->o->seed, HY_RNG_SPLIT, 0, 0);
		hy_rng_permutation(&g, n, order);
		const size_t ends[] = {n_train, n_train + 1, n};
		const char *const uses[] = {"train", "validation", "test"};
		size_t at = 0;
		hy_outfile_printf(&f, "{");
		for (int use = 0; use < 3; use++) {
			hy_outfile_printf(&f, "%s\"%s\": [", use ? ",\n " : "", uses[use]);
			for (const size_t first = at; at < ends[use]; at++)
				hy_outfile_printf(&f, "%s\"%s\"", at > first ? ", " : "", subjects[order[at]]);
			hy_outfile_printf(&f, "]");
		}
		hy_outfile_printf(&f, "}\n");
		status = hy_outfile_commit(&f, err);
	}
	hy_free(order);
	hy_free(subjects);
	hy_dataset_clear(&set);
	return status;
}

static hardy_status train(demo *d, int recipe, hardy_error *err)
{
	hardy_train_options t;
	hardy_status status = hardy_train_options_init(&t, "quick", RECIPES[recipe], err);
	if (status)
		return status;
	const hy_recipe_row *row = hy_recipe_find(RECIPES[recipe]);
	t.data = d->sites[0].folder;
	t.output = d->runs[recipe];
	t.seed = (int64_t)d->o->seed;
	t.subjects = 0;
	t.splits = d->splits;
	t.size = d->o->size;
	t.spacing_mm = d->o->spacing_mm;
	hy_fit_usual(&t);
	t.calibrate = false;
	hardy_train_options_drop_length(&t);
	t.iterations = row->length > 0 ? llround(row->length * (double)d->o->iterations) : d->o->iterations;
	t.batch = d->o->batch;
	t.threads = d->o->threads;
	t.data_terms = "synthetic; no restriction";
	hy_info(d->log, "%s training on %s, %s, %s", RECIPES[recipe], d->sites[0].name, HY_COUNT(d->o->train, "subject"),
	        HY_COUNT(t.iterations, "step"));
	status = hardy_train(&t, d->log, d->stop, err);
	if (status)
		return status;
	status = hy_ensemble_load(&d->models[recipe], d->runs[recipe], err);
	if (status)
		return status;
	hy_predictor_options p;
	hy_predictor_options_init(&p);
	hy_predictor_options_use(&p, &d->models[recipe].models[0]);
	p.which = HY_STN;
	p.both = true;
	return hy_ensemble_start(&d->models[recipe], &p, err);
}

/* ---- scores ---- */

static double off_by(const score *s)
{
	double sum = 0;
	for (int r = 0; r < N_RECIPES; r++)
		sum += s->dice[r][HY_STN];
	return sum;
}

/* The first site's test subjects; every subject of the others. */
static hardy_status score_site(demo *d, size_t at, hardy_error *err)
{
	site *s = &d->sites[at];
	hy_dataset set = {0};
	hy_split split = {0};
	hardy_status status = hy_dataset_open(&set, s->folder, NULL, d->log, err);
	if (!status && !at)
		status = hy_split_make(&split, &set, d->splits, -1, 0, 0, 0, d->log, err);
	if (!status && !(s->scores = hy_calloc(set.n_cases, sizeof *s->scores)))
		status = hy_fail_memory(err, "scores", set.n_cases, sizeof *s->scores);
	for (size_t i = 0; !status && i < set.n_cases; i++) {
		if (!at && !hy_split_has(split.test, split.n_test, set.cases[i].subject))
			continue;
		hy_volume image = {0};
		hy_labels truth = {0};
		score *c = &s->scores[s->n];
		snprintf(c->subject, sizeof c->subject, "%s", set.cases[i].subject);
		snprintf(c->phase, sizeof c->phase, "%s", set.cases[i].phase);
		status = hy_case_load(&set, i, NULL, &image, &truth, d->log, err);
		for (int r = 0; !status && r < N_RECIPES; r++) {
			hy_prediction p = {0};
			status = hy_predictor_run(d->models[r].predictor, &image, &p, err);
			if (!status) {
				const size_t n = (size_t)hy_grid_voxels(&truth.grid);
				c->dice[r][HY_STN] = hy_overlap_mean_dice(p.label.data, truth.data, n, set.n_classes, NULL, NULL);
				c->dice[r][HY_FTN] = hy_overlap_mean_dice(p.other.data, truth.data, n, set.n_classes, NULL, NULL);
			}
			hy_prediction_clear(&p);
		}
		if (!status && off_by(c) < off_by(&s->scores[s->worst]))
			s->worst = s->n;
		s->n += !status;
		hy_volume_clear(&image);
		hy_labels_clear(&truth);
	}
	hy_split_clear(&split);
	hy_dataset_clear(&set);
	return status;
}

static double site_mean(const site *s, int recipe, hy_which which)
{
	double sum = 0;
	for (size_t i = 0; i < s->n; i++)
		sum += s->scores[i].dice[recipe][which];
	return sum / (double)s->n;
}

/* Columns of a recipe: one for each network whose label maps are scored. */
static int columns(const demo *d, int recipe)
{
	return hy_network_has(&d->models[recipe].models[0].network, HY_PART_SHAPE) ? 2 : 1;
}

static void print_row(const demo *d, double means[N_RECIPES][2])
{
	for (int r = 0; r < N_RECIPES; r++)
		for (int w = 0; w < columns(d, r); w++)
			hy_sink_printf(d->report, "%s%8.3f", w ? " " : "   ", means[r][w]);
	hy_sink_printf(d->report, "\n");
}

static void print_table(const demo *d)
{
	hy_sink_printf(d->report, "Dice, mean of LV, myocardium and RV");
	for (int r = 0, indent = 3; r < N_RECIPES; indent = columns(d, r++) == 2 ? 3 : 0)
		hy_sink_printf(d->report, "%*s%-*s", indent, "", columns(d, r) == 2 ? 17 : 8, RECIPES[r]);
	hy_sink_printf(d->report, "\n%-28s %5s ", "site", "scans");
	for (int r = 0; r < N_RECIPES; r++)
		hy_sink_printf(d->report, columns(d, r) == 2 ? "   %8s %8s" : "   %8s", columns(d, r) == 2 ? "FTN" : "U-Net",
		               "FTN+STN");
	hy_sink_printf(d->report, "\n");
	double off[N_RECIPES][2] = {{0}};
	for (size_t i = 0; i < d->n_sites; i++) {
		const site *s = &d->sites[i];
		double m[N_RECIPES][2];
		for (int r = 0; r < N_RECIPES; r++)
			for (int w = 0; w < 2; w++) {
				m[r][w] = site_mean(s, r, (hy_which)w);
				if (i)
					off[r][w] += m[r][w] / (double)(d->n_sites - 1);
			}
		hy_sink_printf(d->report, "%-6s %-21s %5zu ", s->name, i ? "(never seen)" : "(trained here)", s->n);
		print_row(d, m);
	}
	hy_sink_printf(d->report, "%-28s %5s ", "mean of the sites never seen", "");
	print_row(d, off);
}

static hardy_status write_table(const demo *d, hardy_error *err)
{
	hy_outfile f;
	const hardy_status status = hy_outfile_open(&f, d->table, NULL, err);
	if (status)
		return status;
	hy_outfile_printf(&f, "seed,site,subject,phase");
	for (int r = 0; r < N_RECIPES; r++)
		hy_outfile_printf(&f, columns(d, r) == 2 ? ",%s_ftn,%s_stn" : ",%s", RECIPES[r], RECIPES[r]);
	hy_outfile_printf(&f, "\n");
	for (size_t i = 0; i < d->n_sites; i++)
		for (size_t k = 0; k < d->sites[i].n; k++) {
			const score *c = &d->sites[i].scores[k];
			hy_outfile_printf(&f, "%llu,%s,%s,%s", (unsigned long long)d->o->seed, d->sites[i].name, c->subject, c->phase);
			for (int r = 0; r < N_RECIPES; r++)
				for (int w = 0; w < columns(d, r); w++)
					hy_outfile_printf(&f, ",%.4f", c->dice[r][w]);
			hy_outfile_printf(&f, "\n");
		}
	return hy_outfile_commit(&f, err);
}

/* ---- picture ---- */

enum { PANEL = 256, BAR = 2 * HY_GLYPH_HEIGHT + 6, N_PANELS = 2 + N_RECIPES };

/* The slice with the largest true heart. */
static int64_t fullest_slice(const hy_labels *truth)
{
	const int64_t area = truth->grid.nx * truth->grid.ny;
	int64_t best = 0, most = -1;
	for (int64_t z = 0; z < truth->grid.nz; z++) {
		int64_t n = 0;
		for (int64_t i = 0; i < area; i++)
			n += truth->data[z * area + i] != 0;
		if (n > most) {
			most = n;
			best = z;
		}
	}
	return best;
}

/* n_cases when the data set lacks it. */
static size_t find_case(const hy_dataset *set, const score *s)
{
	size_t i = 0;
	for (; i < set->n_cases; i++) {
		const hy_case *c = &set->cases[i];
		if (!strcmp(c->subject, s->subject) && !strcmp(c->phase, s->phase))
			break;
	}
	return i;
}

static hardy_status draw_site(demo *d, size_t at, hy_canvas *canvas, hardy_error *err)
{
	const site *s = &d->sites[at];
	const score *worst = &s->scores[s->worst];
	hy_dataset set = {0};
	hy_volume image = {0};
	hy_labels truth = {0};
	hardy_status status = hy_dataset_open(&set, s->folder, NULL, d->log, err);
	const size_t i = status ? 0 : find_case(&set, worst);
	if (!status && i == set.n_cases)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: %s %s is not there any more", s->folder, worst->subject, worst->phase);
	if (!status)
		status = hy_case_load(&set, i, NULL, &image, &truth, d->log, err);
	if (status)
		goto out;
	const int64_t nx = image.grid.nx, ny = image.grid.ny, z = fullest_slice(&truth);
	hy_box box = hy_box_empty();
	hy_box_add(&box, truth.data + z * nx * ny, nx, ny, 1);
	const hy_part p = hy_part_around(&box, nx, ny, 2, 32, PANEL, PANEL);
	const int y = (int)at * (PANEL + BAR);
	char text[128];
	for (int panel = 0; panel < N_PANELS; panel++) {
		const int x = panel * PANEL;
		const hy_labels *map = panel == 1 ? &truth : NULL;
		hy_prediction found = {0};
		if (panel >= 2) {
			status = hy_predictor_run(d->models[panel - 2].predictor, &image, &found, err);
			if (status)
				goto out;
			map = &found.label;
		}
		const hy_borders borders = {.label = map ? map->data + z * nx * ny : NULL, .classes = set.classes};
		status = hy_part_draw(canvas, x, y + BAR, &p, image.data + z * nx * ny, &borders, nx, ny, err);
		hy_prediction_clear(&found);
		if (status)
			goto out;
		if (panel == 0)
			snprintf(text, sizeof text, "%.20s %.60s %s", s->name, worst->subject, worst->phase);
		else if (panel == 1)
			snprintf(text, sizeof text, "truth, slice %d", (int)z + 1);
		else
			snprintf(text, sizeof text, "%s, Dice %.2f", RECIPES[panel - 2], worst->dice[panel - 2][HY_STN]);
		hy_canvas_text(canvas, x + 4, y + 7, 1, text);
	}
out:
	hy_volume_clear(&image);
	hy_labels_clear(&truth);
	hy_dataset_clear(&set);
	return status;
}

/* Which colour is what, in a bar at the bottom: the model's classes, in the colours of the values that its label maps hold. */
static void draw_legend(hy_canvas *canvas, int y, const hy_model *m)
{
	int x = 4;
	for (int c = 1; c < m->n_classes; c++) {
		const char *name = m->classes[c].name;
		uint8_t rgb[3];
		hy_label_colour(hy_class_shown(m->classes, c), rgb);
		hy_canvas_fill(canvas, x, y + 6, 10, 10, rgb);
		hy_canvas_text(canvas, x + 16, y + 7, 1, strcmp(name, "MYO") ? name : "myocardium");
		x += 110;
	}
}

static hardy_status write_picture(demo *d, hardy_error *err)
{
	hy_canvas *canvas = NULL;
	const int height = (int)d->n_sites * (PANEL + BAR);
	hardy_status status = hy_canvas_new(&canvas, N_PANELS * PANEL, height + BAR, err);
	for (size_t i = 0; !status && i < d->n_sites; i++)
		if (d->sites[i].n)
			status = draw_site(d, i, canvas, err);
	if (!status) {
		draw_legend(canvas, height, &d->models[0].models[0]);
		status = hy_png_write(canvas, d->picture, NULL, err);
	}
	hy_canvas_free(canvas);
	return status;
}

hardy_status hardy_demo(const char *folder, const hardy_demo_options *o, const hardy_sink *report, const hardy_log *log,
                        const hardy_stop *stop, hardy_error *err)
{
	if (hardy_options_check(&hy_demo_table, o, err))
		return HARDY_ERROR_ARGUMENT;
	if (o->subjects < o->train + 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s a site, %lld of them to train on: want at least 2 more than those",
		               HY_COUNT(o->subjects, "subject"), (long long)o->train);
	if (hy_path_exists(folder))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: exists; the demo wants a new folder", folder);
	demo d = {.o = o, .log = log, .stop = stop, .report = report};
	d.data = hy_path_join(folder, "data");
	d.splits = hy_path_join(folder, "splits.json");
	d.picture = hy_path_join(folder, "worst.png");
	d.table = hy_path_join(folder, "scores.csv");
	d.page = hy_path_join(folder, "report.html");
	hardy_status status = hy_make_folders(folder, err);
	for (int r = 0; r < N_RECIPES; r++)
		d.runs[r] = hy_path_join(folder, RECIPES[r]);
	if (!status && (!d.data || !d.splits || !d.picture || !d.table || !d.page || !d.runs[0] || !d.runs[1] || !d.runs[2]))
		status = hy_fail_memory(err, "paths", 8, 1);
	if (!status)
		status = make_data(&d, err);
	if (!status)
		status = write_splits(&d, err);
	for (int r = 0; !status && r < N_RECIPES; r++)
		status = train(&d, r, err);
	for (size_t i = 0; !status && i < d.n_sites; i++) {
		hy_info(log, "scoring %s", d.sites[i].name);
		status = score_site(&d, i, err);
	}
	if (!status)
		status = write_table(&d, err);
	if (!status)
		status = write_picture(&d, err);
	if (!status)
		status = hy_demo_write_page(folder, d.page, NULL, err);
	if (!status) {
		print_table(&d);
		hy_sink_printf(
		    report,
		    "every scan's Dice: %s\nworst scan of each site, with truth and all predictions (the study's by FTN+STN): %s\n"
		    "all of it as a page: %s\n",
		    d.table, d.picture, d.page);
	}
	demo_clear(&d);
	return status;
}
