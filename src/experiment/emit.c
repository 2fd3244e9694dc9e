/*
 * emit.c: shell scripts that make the runs of an experiment, one command each, by themselves or as a job array of Slurm.
 */
#include "experiment/emit.h"

#include "base/memory.h"
#include "base/text.h"
#include "experiment/process.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct script {
	const hy_study *s;
	const char *program;
	char *folder, *output,
	    *pattern; /* owned, as words for a shell; pattern: output where Slurm reads it, to which % is special */
	hy_text text;
	size_t n_runs; /* to make */
} script;

/* A command between two texts. */
static hardy_status put_command(script *x, const char *before, enum hy_command what, const hy_study_run *run, const char *after,
                                hardy_error *err)
{
	char *text = hy_command_text(x->s, x->program, what, run);
	if (!text)
		return hy_fail_memory(err, "a command", 1, 1);
	hy_text_printf(&x->text, "%s%s%s", before, text, after);
	hy_free(text);
	return HARDY_OK;
}

static bool is_to_do(const hy_study *s, const hy_study_run *r)
{
	return r->state != HY_RUN_DONE && (r->state != HY_RUN_FAILED || s->o->retry_failed);
}

static hardy_status write_shell(script *x, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	hy_text_printf(
	    &x->text,
	    "#!/bin/sh\n# %s: %s, one command each, then collecting. Any of them may be made elsewhere, and in any order.\n"
	    "cd %s || exit 1\n",
	    x->s->experiment->title, HY_COUNT(x->n_runs, "run"), x->folder);
	for (size_t i = 0; i < x->s->n_runs && !status; i++)
		if (is_to_do(x->s, &x->s->runs[i]))
			status = put_command(x, "", HY_COMMAND_RUN, &x->s->runs[i], "\n", err);
	return status ? status : put_command(x, "", HY_COMMAND_COLLECT, NULL, "\n", err);
}

/* Jobs read their script from sbatch's input; "$@" hands on what the user adds (partition, time, memory). */
static hardy_status write_slurm(script *x, hardy_error *err)
{
	const int64_t threads = x->s->o->threads ? x->s->o->threads : 4;
	hardy_status status = HARDY_OK;
	size_t n = 0;
	hy_text_printf(
	    &x->text,
	    "#!/bin/sh\n# %s: submits %s as a job array, and a job that collects when all have ended.\n"
	    "# Arguments go to sbatch: sh THIS --partition=NAME --time=8:00:00 --mem=8G. A run that is cut short goes on when this "
	    "is made and\n"
	    "# submitted again.\nset -eu\ncd %s\nmkdir -p -- %s/slurm\n",
	    x->s->experiment->title, HY_COUNT(x->n_runs, "run"), x->folder, x->output);
	hy_text_printf(&x->text, "after=\n");
	if (x->n_runs) {
		hy_text_printf(
		    &x->text,
		    "array=$(sbatch --parsable --job-name=hardy --array=0-%zu --cpus-per-task=%lld --output=%s/slurm/%%A_%%a.txt "
		    "\"$@\" <<'END'\n"
		    "#!/bin/sh\nexport OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-%lld}\ncase $SLURM_ARRAY_TASK_ID in\n",
		    x->n_runs - 1, (long long)threads, x->pattern, (long long)threads);
		for (size_t i = 0; i < x->s->n_runs && !status; i++) {
			char before[32];
			if (!is_to_do(x->s, &x->s->runs[i]))
				continue;
			snprintf(before, sizeof before, "%zu) exec ", n++);
			status = put_command(x, before, HY_COMMAND_RUN, &x->s->runs[i], " ;;\n", err);
		}
		hy_text_printf(&x->text, "esac\nEND\n)\nafter=--dependency=afterany:${array%%%%;*}\necho \"runs: job $array\"\n");
	}
	hy_text_printf(&x->text,
	               "collect=$(sbatch --parsable --job-name=hardy-collect --output=%s/slurm/collect_%%j.txt \"$@\" $after "
	               "<<'END'\n#!/bin/sh\n",
	               x->pattern);
	if (!status)
		status = put_command(x, "exec ", HY_COMMAND_COLLECT, NULL, "\n", err);
	hy_text_printf(&x->text, "END\n)\necho \"collecting: job $collect, results in\" %s\n", x->output);
	return status;
}

/* A line end within a word would end the text that sbatch reads. */
static hardy_status check_words(const hy_study *s, const char *here, hardy_error *err)
{
	const char *const words[] = {here, s->o->output, s->o->program ? s->o->program : "", s->o->splits ? s->o->splits : ""};
	const char *bad = NULL;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		bad = strchr(words[i], '\n') ? words[i] : bad;
	for (size_t i = 0; i < s->o->n_data; i++)
		bad = strchr(s->o->data[i], '\n') ? s->o->data[i] : bad;
	for (size_t i = 0; i < s->o->n_results; i++)
		bad = strchr(s->o->results[i], '\n') ? s->o->results[i] : bad;
	for (size_t i = 0; i < s->o->n_settings; i++)
		bad = strchr(s->o->settings[i], '\n') ? s->o->settings[i] : bad;
	return bad ? hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: holds a line end, which a script cannot", bad) : HARDY_OK;
}

/* As a shell's word, each % doubled. */
static char *slurm_word(const char *text)
{
	hy_text t = {0};
	for (; *text; text++)
		hy_text_printf(&t, *text == '%' ? "%%%%" : "%c", *text);
	char *word = t.failed || !t.data ? NULL : hy_shell_word(t.data);
	hy_text_clear(&t);
	return word;
}

hardy_status hy_emit(const hy_study *s, const hardy_sink *report, hardy_error *err)
{
	script x = {.s = s, .program = s->o->program ? s->o->program : "hardy"};
	char here[PATH_MAX];
	const bool slurm = !strcmp(s->o->emit, "slurm");
	if (!getcwd(here, sizeof here))
		return hy_fail_errno(err, HARDY_ERROR_IO, "the working folder");
	hardy_status status = check_words(s, here, err);
	if (status)
		return status;
	for (size_t i = 0; i < s->n_runs; i++)
		x.n_runs += is_to_do(s, &s->runs[i]);
	x.folder = hy_shell_word(here);
	x.output = hy_shell_word(s->o->output);
	x.pattern = slurm_word(s->o->output);
	status = x.folder && x.output && x.pattern ? HARDY_OK : hy_fail_memory(err, "a script", 1, 1);
	if (!status)
		status = slurm ? write_slurm(&x, err) : write_shell(&x, err);
	if (!status && x.text.failed)
		status = hy_fail_memory(err, "a script", x.text.used, 1);
	if (!status && report)
		report->write(report->payload, x.text.data, x.text.used);
	hy_text_clear(&x.text);
	hy_free(x.folder);
	hy_free(x.output);
	hy_free(x.pattern);
	return status;
}
