/*
 * compare_data.c: statistics as data: statistics.json, and tables as CSV, a row a figure.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "experiment/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- CSV ---------------------------------------------------------------------------------------------------------------- */

static void put_key(hy_outfile *f, const hy_compare *c, size_t m, int w, size_t target)
{
	const hy_compare_target *t = &c->targets[target];
	hy_outfile_csv_text(f, c->s->methods[m]->name);
	hy_outfile_csv_text(f, c->s->methods[m]->title);
	hy_outfile_csv_text(f, hy_compare_networks[w]);
	hy_outfile_csv_text(f, t->name);
	hy_outfile_csv_text(f, t->set ? hy_set_kind_names[t->set->kind] : "group");
}

static void write_summary_rows(hy_outfile *f, const hy_compare *c)
{
	hy_outfile_csv_plain(
	    f, "method,title,network,set,kind,cases,subjects,seeds,mean,seed_sd,low,high,below_0.5,below_0.1,published");
	hy_outfile_csv_end(f);
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++) {
				const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
				const double v[] = {(double)c->targets[t].n_cases,
				                    (double)c->targets[t].n_subjects,
				                    (double)cell->n_seeds,
				                    cell->mean,
				                    cell->seed_sd,
				                    cell->low,
				                    cell->high,
				                    cell->below_half,
				                    cell->below_tenth,
				                    hy_published(c, m, w, t)};
				if (!cell->n_seeds)
					continue;
				put_key(f, c, m, w, t);
				for (size_t k = 0; k < sizeof v / sizeof *v; k++)
					hy_outfile_csv_number(f, v[k], 6);
				hy_outfile_csv_end(f);
			}
}

static void write_class_rows(hy_outfile *f, const hy_compare *c)
{
	hy_outfile_csv_plain(f, "method,title,network,set,kind,class,mean,seed_sd");
	hy_outfile_csv_end(f);
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++)
				for (size_t k = 0; k < c->n_classes; k++) {
					const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
					if (!isfinite(cell->classes[k]))
						continue;
					put_key(f, c, m, w, t);
					hy_outfile_csv_text(f, c->classes[k]);
					hy_outfile_csv_number(f, cell->classes[k], 6);
					hy_outfile_csv_number(f, cell->class_sd[k], 6);
					hy_outfile_csv_end(f);
				}
}

static void write_pair_row(hy_outfile *f, const hy_compare *c, size_t m, int w, size_t t, const char *reference,
                           const hy_compare_pair *p)
{
	const double v[] = {(double)p->n, (double)p->n_seeds, p->difference, p->low, p->high, p->w_plus, p->p, p->p_holm};
	if (!isfinite(p->difference))
		return;
	put_key(f, c, m, w, t);
	hy_outfile_csv_text(f, reference);
	for (size_t k = 0; k < sizeof v / sizeof *v; k++)
		hy_outfile_csv_number(f, v[k], 6);
	hy_outfile_csv_text(f, p->exact ? "exact" : "normal");
	hy_outfile_csv_end(f);
}

static void write_pair_rows(hy_outfile *f, const hy_compare *c)
{
	hy_outfile_csv_plain(f, "method,title,network,set,kind,reference,subjects,seeds,difference,low,high,w_plus,p,p_holm,test");
	hy_outfile_csv_end(f);
	for (int r = 0; r < HY_N_REFERENCES; r++)
		for (int w = 0; w < 2; w++)
			for (size_t m = 0; m < c->s->n_methods; m++)
				for (size_t t = 0; t < c->n_targets; t++)
					write_pair_row(f, c, m, w, t, hy_compare_references[r], hy_compare_pair_at(c, r, m, w, t));
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (size_t t = 0; t < c->n_targets; t++)
			write_pair_row(f, c, m, 1, t, "FTN of the same model", hy_compare_stn_at(c, m, t));
}

static void write_forecast_rows(hy_outfile *f, const hy_compare *c)
{
	const size_t n_seeds = (size_t)c->s->o->seeds;
	hy_outfile_csv_plain(f, "method,title,seed,scans,subjects,below_0.7,auc,auc_low,auc_high,error,below_bound");
	hy_outfile_csv_end(f);
	for (size_t i = 0; i < c->s->n_methods * n_seeds; i++) {
		const hardy_forecast *of = &c->forecasts[i];
		const double v[] = {(double)(c->s->o->first_seed + (int64_t)(i % n_seeds)),
		                    (double)of->n,
		                    (double)of->n_subjects,
		                    (double)of->n_below,
		                    of->auc,
		                    of->auc_low,
		                    of->auc_high,
		                    of->error,
		                    of->below_low};
		if (!of->n)
			continue;
		hy_outfile_csv_text(f, c->s->methods[i / n_seeds]->name);
		hy_outfile_csv_text(f, c->s->methods[i / n_seeds]->title);
		for (size_t k = 0; k < sizeof v / sizeof *v; k++)
			hy_outfile_csv_number(f, v[k], 6);
		hy_outfile_csv_end(f);
	}
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static cJSON *short_number(double v)
{
	char number[32];
	if (!isfinite(v))
		return cJSON_CreateNull();
	snprintf(number, sizeof number, "%.6g", v);
	return cJSON_CreateRaw(number);
}

static bool add_key(cJSON *json, const hy_compare *c, size_t m, int w, size_t t)
{
	return hy_json_add(json, "method", cJSON_CreateString(c->s->methods[m]->name)) &&
	       hy_json_add(json, "network", cJSON_CreateString(hy_compare_networks[w])) &&
	       hy_json_add(json, "set", cJSON_CreateString(c->targets[t].name));
}

static cJSON *cell_to_json(const hy_compare *c, size_t m, int w, size_t t)
{
	const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
	cJSON *json = cJSON_CreateObject(), *seeds = cJSON_CreateArray(), *classes = cJSON_CreateObject();
	bool good = seeds && classes;
	for (int64_t k = 0; k < c->s->o->seeds && good; k++)
		good = hy_json_append(seeds, short_number(cell->seeds[k]));
	for (size_t k = 0; k < c->n_classes && good; k++)
		if (isfinite(cell->classes[k]))
			good = hy_json_add(classes, c->classes[k], short_number(cell->classes[k]));
	good = good && add_key(json, c, m, w, t) && hy_json_add(json, "n_cases", short_number((double)c->targets[t].n_cases)) &&
	       hy_json_add(json, "n_subjects", short_number((double)c->targets[t].n_subjects)) &&
	       hy_json_add(json, "n_seeds", short_number((double)cell->n_seeds)) &&
	       hy_json_add(json, "mean", short_number(cell->mean)) && hy_json_add(json, "seed_sd", short_number(cell->seed_sd)) &&
	       hy_json_add(json, "low", short_number(cell->low)) && hy_json_add(json, "high", short_number(cell->high)) &&
	       hy_json_add(json, "below_0.5", short_number(cell->below_half)) &&
	       hy_json_add(json, "below_0.1", short_number(cell->below_tenth)) &&
	       hy_json_add(json, "published", short_number(hy_published(c, m, w, t)));
	if (good) {
		good = hy_json_add(json, "seeds", seeds);
		seeds = NULL;
	}
	if (good) {
		good = hy_json_add(json, "classes", classes);
		classes = NULL;
	}
	cJSON_Delete(seeds);
	cJSON_Delete(classes);
	return hy_json_keep(good, json);
}

static cJSON *pair_to_json(const hy_compare *c, size_t m, int w, size_t t, const char *reference, const hy_compare_pair *p)
{
	cJSON *json = cJSON_CreateObject();
	if (add_key(json, c, m, w, t) && hy_json_add(json, "reference", cJSON_CreateString(reference)) &&
	    hy_json_add(json, "n_subjects", short_number((double)p->n)) &&
	    hy_json_add(json, "n_seeds", short_number((double)p->n_seeds)) &&
	    hy_json_add(json, "difference", short_number(p->difference)) && hy_json_add(json, "low", short_number(p->low)) &&
	    hy_json_add(json, "high", short_number(p->high)) && hy_json_add(json, "w_plus", short_number(p->w_plus)) &&
	    hy_json_add(json, "p", short_number(p->p)) && hy_json_add(json, "p_holm", short_number(p->p_holm)) &&
	    hy_json_add(json, "exact", cJSON_CreateBool(p->exact)))
		return json;
	cJSON_Delete(json);
	return NULL;
}

static cJSON *cells_to_json(const hy_compare *c)
{
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++)
				if (good && hy_compare_has_runs(c, m))
					good = hy_json_append(list, cell_to_json(c, m, w, t));
	return hy_json_keep(good, list);
}

static cJSON *pairs_to_json(const hy_compare *c, bool of_stn)
{
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (int r = 0; r < (of_stn ? 1 : HY_N_REFERENCES); r++)
		for (int w = of_stn; w < 2; w++)
			for (size_t m = 0; m < c->s->n_methods; m++)
				for (size_t t = 0; t < c->n_targets; t++) {
					const hy_compare_pair *p = of_stn ? hy_compare_stn_at(c, m, t) : hy_compare_pair_at(c, r, m, w, t);
					if (good && isfinite(p->difference))
						good = hy_json_append(list, pair_to_json(c, m, w, t, of_stn ? "FTN" : hy_compare_references[r], p));
				}
	return hy_json_keep(good, list);
}

static cJSON *targets_to_json(const hy_compare *c)
{
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (size_t t = 0; t < c->n_targets && good; t++) {
		const hy_compare_target *target = &c->targets[t];
		cJSON *item = cJSON_CreateObject(), *sets = cJSON_CreateArray();
		for (size_t k = 0; k < target->n_sets && good; k++)
			good = hy_json_append(sets, cJSON_CreateString(c->s->sets[target->sets[k]].name));
		good = good && hy_json_add(item, "name", cJSON_CreateString(target->name)) &&
		       hy_json_add(item, "title", cJSON_CreateString(target->title)) &&
		       hy_json_add(item, "kind", cJSON_CreateString(target->set ? hy_set_kind_names[target->set->kind] : "group")) &&
		       hy_json_add(item, "n_cases", short_number((double)target->n_cases)) &&
		       hy_json_add(item, "n_subjects", short_number((double)target->n_subjects));
		if (good) {
			good = hy_json_add(item, "sets", sets);
			sets = NULL;
		}
		cJSON_Delete(sets);
		good = hy_json_append(list, hy_json_keep(good, item));
	}
	return hy_json_keep(good, list);
}

static cJSON *forecasts_to_json(const hy_compare *c)
{
	const size_t n_seeds = (size_t)c->s->o->seeds;
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (size_t i = 0; i < c->s->n_methods * n_seeds && good; i++) {
		const hardy_forecast *f = &c->forecasts[i];
		cJSON *item = f->n ? cJSON_CreateObject() : NULL;
		if (!f->n)
			continue;
		good = hy_json_add(item, "method", cJSON_CreateString(c->s->methods[i / n_seeds]->name)) &&
		       hy_json_add(item, "seed", cJSON_CreateNumber((double)(c->s->o->first_seed + (int64_t)(i % n_seeds)))) &&
		       hy_json_add(item, "n_scans", cJSON_CreateNumber((double)f->n)) &&
		       hy_json_add(item, "n_subjects", cJSON_CreateNumber((double)f->n_subjects)) &&
		       hy_json_add(item, "n_below", cJSON_CreateNumber((double)f->n_below)) &&
		       hy_json_add(item, "auc", short_number(f->auc)) && hy_json_add(item, "auc_low", short_number(f->auc_low)) &&
		       hy_json_add(item, "auc_high", short_number(f->auc_high)) && hy_json_add(item, "error", short_number(f->error)) &&
		       hy_json_add(item, "below_bound", short_number(f->below_low));
		good = hy_json_append(list, hy_json_keep(good, item));
	}
	return hy_json_keep(good, list);
}

static hardy_status write_json(const hy_compare *c, hardy_error *err)
{
	char note[2048];
	hy_outfile f;
	cJSON *json = cJSON_CreateObject();
	hy_published_note(c, note, sizeof note);
	const bool good = hy_json_add(json, "experiment", cJSON_CreateString(c->s->experiment->name)) &&
	                  hy_json_add(json, "title", cJSON_CreateString(c->s->experiment->title)) &&
	                  hy_json_add(json, "hardy_version", cJSON_CreateString(HARDY_VERSION)) &&
	                  hy_json_add(json, "note", cJSON_CreateString(hy_compare_note)) &&
	                  hy_json_add(json, "published_note", cJSON_CreateString(note)) &&
	                  hy_json_add(json, "bootstrap_replicates", cJSON_CreateNumber(HY_BOOTSTRAP)) &&
	                  hy_json_add(json, "targets", targets_to_json(c)) && hy_json_add(json, "summary", cells_to_json(c)) &&
	                  hy_json_add(json, "paired", pairs_to_json(c, false)) &&
	                  hy_json_add(json, "stn", pairs_to_json(c, true)) &&
	                  hy_json_add(json, "predicted_dice_note", cJSON_CreateString(hy_compare_forecast_note)) &&
	                  hy_json_add(json, "predicted_dice", forecasts_to_json(c));
	char *printed = good ? hy_json_print(json, false) : NULL, *path = hy_study_path(c->s, "statistics.json");
	hardy_status status = printed && path ? hy_outfile_open(&f, path, hy_study_mark(c->s, HY_MARK_JSON), err)
	                                      : hy_fail_memory(err, "statistics", 1, 1);
	if (!status) {
		hy_outfile_printf(&f, "%s\n", printed);
		status = hy_outfile_commit(&f, err);
	}
	cJSON_Delete(json);
	cJSON_free(printed);
	hy_free(path);
	return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*rows)(hy_outfile *f, const hy_compare *c);
} files[] = {
    {"summary", write_summary_rows},
    {"per_class", write_class_rows},
    {"paired", write_pair_rows},
    {HY_FORECAST_TABLE, write_forecast_rows},
};

hardy_status hy_compare_write_data(const hy_compare *c, hardy_error *err)
{
	hardy_status status = write_json(c, err);
	for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++) {
		char name[64];
		hy_outfile f;
		snprintf(name, sizeof name, "tables/%s.csv", files[i].name);
		char *path = hy_study_path(c->s, name);
		status = path ? hy_outfile_open(&f, path, hy_study_mark(c->s, "method,title,"), err) : hy_fail_memory(err, name, 1, 1);
		if (!status) {
			files[i].rows(&f, c);
			status = hy_outfile_commit(&f, err);
		}
		hy_free(path);
	}
	return status;
}
