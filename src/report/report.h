/*
 * report.h: what the parts of a report share (internal to hardy_report).
 */
#ifndef HY_REPORT_REPORT_H
#define HY_REPORT_REPORT_H

#include "draw/html.h"
#include "experiment/results.h"
#include "report/cases.h"

/* A line of a sweep by hardy stress. */
typedef struct hy_report_sweep {
	size_t run;
	char artefact[32];
	int level;
	double dice;
} hy_report_sweep;

typedef struct hy_report {
	const hardy_report_options *o;
	const hardy_log *log;
	hy_results results;
	hy_shown shown;
	hy_report_sweep *sweeps; /* owned */
	size_t n_sweeps;
	cJSON *figures;    /* of figures.json, or NULL */
	hy_blob *pictures; /* owned: PNG, one a figure */
	hy_outfile f;
} hy_report;

/* What every page begins with, up to the body, and ends with; the script that sorts tables comes last. */
void hy_report_head(hy_outfile *f, const char *title);
void hy_report_foot(hy_outfile *f);
void hy_report_sorter(hy_outfile *f);

/* A section of the page: present says whether there is anything to show. */
typedef struct hy_section {
	const char *id, *title;
	bool (*present)(const hy_report *r);
	void (*write)(hy_report *r); /* errors of writing are kept in r->f */
} hy_section;

extern const hy_section hy_section_forest, hy_section_data, hy_section_results, hy_section_compare, hy_section_forecast,
    hy_section_sweeps, hy_section_figures, hy_section_boxes, hy_section_training, hy_section_worst, hy_section_viewer,
    hy_section_methods;

/* One sentence (a paragraph of the header): which methods are ahead of the reference, by how much, and where nothing is shown. */
void hy_report_verdict(hy_report *r);

/* The classes of which some case of a set has a score; how many. */
size_t hy_report_scored(const hy_report *r, size_t set, bool scored[HY_MAX_CLASSES]);
void hy_report_put_classes(hy_report *r, size_t set);

/* FOLDER/stress/METHOD-SEED/sweep.csv and FOLDER/runs/METHOD-SEED/stress/sweep.csv, where they are. */
hardy_status hy_report_read_sweeps(hy_report *r, hardy_error *err);

/* Reads figures and their pictures; absent ones are an error only when o->figures names them. */
hardy_status hy_report_read_figures(hy_report *r, hardy_error *err);
void hy_report_clear_figures(hy_report *r);

/* "FTN" and "FTN+STN". */
extern const char *const hy_report_networks[2];

/* An entry of a list of statistics.json, or NULL. reference NULL: any. */
const cJSON *hy_report_statistic(const hy_report *r, const char *list, const char *method, const char *network, const char *set,
                                 const char *reference);
/* Column heads for the targets of statistics.json: test sets, then groups of them. */
void hy_report_target_heads(hy_report *r);

/*
 * Opens a container with a table that is named for screen readers, and whose rows a script sorts. Where a page is narrow a row becomes a
 * block, in which each cell stands behind its data-head: hy_report_cell opens such a cell. n_columns: many make the table denser.
 */
void hy_report_table_begin(hy_outfile *f, const char *caption, size_t n_columns);
void hy_report_table_end(hy_outfile *f);
/* kind: a class of the style sheet, "" for none; head: the column's. The caller closes it with </td>. */
void hy_report_cell(hy_outfile *f, const char *kind, const char *head);

/* A figure whose plot a script draws from the specification that follows: the caller writes the JSON and then calls _end. */
void hy_report_plot_begin(hy_report *r, const char *id, const char *caption);
void hy_report_plot_end(hy_report *r);

#endif
