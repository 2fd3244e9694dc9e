/*
 * emit.c: shell scripts that make the runs of an experiment, one command each, by themselves or as a job array of Slurm.
 */
#include "experiment/emit.h"

#include "base/memory.h"
#include "experiment/process.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct script {
	const hy_study *s;
	const hardy_sink *to;
	const char *program;
	char *folder, *output; /* owned, as words for a shell */
	size_t n_runs;         /* to make */
} script;

static void put(const script *x, const char *format, ...) HY_PRINTF(2, 3);

static void put(const script *x, const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (x->to && n > 0)
		x->to->write(x->to->payload, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* A command of any length between two texts. */
static hardy_status put_command(const script *x, const char *before, enum hy_command what, const hy_study_run *run,
                                const char *after, hardy_error *err)
{
	char *text = hy_command_text(x->s, x->program, what, run);
	if (!text)
		return hy_fail_memory(err, "a command", 1, 1);
	put(x, "%s", before);
	if (x->to)
		x->to->write(x->to->payload, text, strlen(text));
	put(x, "%s", after);
	hy_free(text);
	return HARDY_OK;
}

static bool is_to_do(const hy_study *s, const hy_study_run *r)
{
	return r->state != HY_RUN_DONE && (r->state != HY_RUN_FAILED || s->o->retry_failed);
}

static hardy_status write_shell(const script *x, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	put(x,
	    "#!/bin/sh\n# %s: %zu runs, one command each, then collecting. Any of them may be made elsewhere, and in any order.\n"
	    "cd %s || exit 1\n",
	    x->s->experiment->title, x->n_runs, x->folder);
	for (size_t i = 0; i < x->s->n_runs && !status; i++)
		if (is_to_do(x->s, &x->s->runs[i]))
			status = put_command(x, "", HY_COMMAND_RUN, &x->s->runs[i], "\n", err);
	return status ? status : put_command(x, "", HY_COMMAND_COLLECT, NULL, "\n", err);
}

/* Jobs read their script from sbatch's input; "$@" hands on what the user adds (partition, time, memory). */
static hardy_status write_slurm(const script *x, hardy_error *err)
{
	const int64_t threads = x->s->o->threads ? x->s->o->threads : 4;
	hardy_status status = HARDY_OK;
	size_t n = 0;
	put(x,
	    "#!/bin/sh\n# %s: submits %zu runs as a job array, and a job that collects when all have ended.\n"
	    "# Arguments go to sbatch: sh THIS --partition=NAME --time=8:00:00 --mem=8G. A run that is cut short goes on when this "
	    "is made and\n"
	    "# submitted again.\nset -eu\ncd %s\nmkdir -p %s/slurm\n",
	    x->s->experiment->title, x->n_runs, x->folder, x->output);
	put(x, "after=\n");
	if (x->n_runs) {
		put(x,
		    "array=$(sbatch --parsable --job-name=hardy --array=0-%zu --cpus-per-task=%lld --output=%s/slurm/%%A_%%a.txt "
		    "\"$@\" <<'END'\n"
		    "#!/bin/sh\nexport OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-%lld}\ncase $SLURM_ARRAY_TASK_ID in\n",
		    x->n_runs - 1, (long long)threads, x->output, (long long)threads);
		for (size_t i = 0; i < x->s->n_runs && !status; i++) {
			char before[32];
			if (!is_to_do(x->s, &x->s->runs[i]))
				continue;
			snprintf(before, sizeof before, "%zu) exec ", n++);
			status = put_command(x, before, HY_COMMAND_RUN, &x->s->runs[i], " ;;\n", err);
		}
		put(x, "esac\nEND\n)\nafter=--dependency=afterany:${array%%%%;*}\necho \"runs: job $array\"\n");
	}
	put(x,
	    "collect=$(sbatch --parsable --job-name=hardy-collect --output=%s/slurm/collect_%%j.txt \"$@\" $after "
	    "<<'END'\n#!/bin/sh\n",
	    x->output);
	if (!status)
		status = put_command(x, "exec ", HY_COMMAND_COLLECT, NULL, "\n", err);
	put(x, "END\n)\necho \"collecting: job $collect, results in %s\"\n", x->output);
	return status;
}

hardy_status hy_emit(const hy_study *s, const hardy_sink *report, hardy_error *err)
{
	script x = {.s = s, .to = report, .program = s->o->program ? s->o->program : "hardy"};
	char here[PATH_MAX];
	const bool slurm = !strcmp(s->o->emit, "slurm");
	if (!slurm && strcmp(s->o->emit, "shell") != 0)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "emit is \"%s\", want shell or slurm", s->o->emit);
	if (!getcwd(here, sizeof here))
		return hy_fail_errno(err, HARDY_ERROR_IO, "the working folder");
	for (size_t i = 0; i < s->n_runs; i++)
		x.n_runs += is_to_do(s, &s->runs[i]);
	x.folder = hy_shell_word(here);
	x.output = hy_shell_word(s->o->output);
	hardy_status status = x.folder && x.output ? HARDY_OK : hy_fail_memory(err, "a script", 1, 1);
	if (!status)
		status = slurm ? write_slurm(&x, err) : write_shell(&x, err);
	hy_free(x.folder);
	hy_free(x.output);
	return status;
}
