/*
 * main.c: the program `hardy`: picks the command.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Each command lives in cmd_NAME.c; one declaration and one row, in the order of --help. */
extern const command cmd_bench;
extern const command cmd_calibrate;
extern const command cmd_check;
extern const command cmd_corrupt;
extern const command cmd_demo;
extern const command cmd_evaluate;
extern const command cmd_experiment;
extern const command cmd_export;
extern const command cmd_figures;
extern const command cmd_phantom;
extern const command cmd_predict;
extern const command cmd_inspect;
extern const command cmd_picture;
extern const command cmd_report;
extern const command cmd_stress;
extern const command cmd_train;

/* clang-format off */
const command *const commands[] = {
	&cmd_demo,
	&cmd_phantom,
	&cmd_check,
	&cmd_train,
	&cmd_calibrate,
	&cmd_predict,
	&cmd_evaluate,
	&cmd_export,
	&cmd_corrupt,
	&cmd_stress,
	&cmd_experiment,
	&cmd_inspect,
	&cmd_picture,
	&cmd_figures,
	&cmd_report,
	&cmd_bench,
	NULL,
};
/* clang-format on */

enum { N_COMMANDS = sizeof commands / sizeof commands[0] - 1 };

static void print_usage(FILE *stream)
{
	fprintf(stream,
	        "hardy %s: medical image segmentation that stays accurate away from the site it was trained on\n\n"
	        "Usage: hardy COMMAND [options] ARGUMENTS\n\nCommands:\n",
	        hardy_version());
	for (size_t i = 0; commands[i]; i++)
		fprintf(stream, "  %-12s%s\n", commands[i]->name, commands[i]->summary);
	fprintf(stream, "\n`hardy help COMMAND` lists the options of a command.\n"
	                "Exit codes: 0 done, 1 failed, 2 usage, 3 some cases failed, 4 below a stated threshold, "
	                "130 interrupted after saving.\n");
}

static const command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[N_COMMANDS + 2] = {"--help", "--version"};
	for (size_t i = 0; commands[i]; i++)
		names[2 + i] = commands[i]->name;
	const char *nearest = hardy_nearest_name(name, names, N_COMMANDS + 2);
	fprintf(stderr, "hardy: unknown %s %s", name[0] == '-' ? "option" : "command", name);
	if (nearest)
		fprintf(stderr, "; did you mean %s?", nearest);
	fprintf(stderr, "\nTry: hardy --help\n");
	return EXIT_USAGE;
}

/* The manual page of the program: what its commands are. */
static void print_manual(void)
{
	printf(".TH HARDY 1 \"\" \"hardy %s\"\n.SH NAME\nhardy \\- medical image segmentation that stays accurate away from the "
	       "site it was "
	       "trained on\n.SH SYNOPSIS\n.B hardy\nCOMMAND [options] ARGUMENTS\n.SH COMMANDS\n",
	       hardy_version());
	for (size_t i = 0; commands[i]; i++)
		printf(".TP\n.BR hardy\\-%s (1)\n%s\n", commands[i]->name, commands[i]->summary);
	printf(".SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 some cases failed, 4 below a stated threshold, 130 interrupted after "
	       "saving.\n");
}

/* docs/COMMANDS.md as a whole. */
static int print_page(void)
{
	char name[32], form[] = "--help=markdown";
	options_page_begins(commands);
	for (size_t i = 0; commands[i]; i++) {
		snprintf(name, sizeof name, "%s", commands[i]->name);
		char *words[] = {name, form, NULL};
		const int code = commands[i]->run(commands[i], 2, words);
		if (code)
			return code;
	}
	return EXIT_DONE;
}

/* hardy help [--man|--words] [COMMAND], hardy help --markdown */
static int help(int argc, char **argv)
{
	char plain[] = "--help", man[] = "--help=man", list[] = "--help=words", *form = plain;
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0)
		return print_page();
	if (argc > 1 && strcmp(argv[1], "--man") == 0)
		form = man;
	else if (argc > 1 && strcmp(argv[1], "--words") == 0)
		form = list;
	const int at = form == plain ? 1 : 2;
	if (argc <= at || strcmp(argv[at], "help") == 0) {
		if (form == man)
			print_manual();
		else if (form == plain)
			print_usage(stdout);
		for (size_t i = 0; form == list && commands[i]; i++)
			printf("%s\n", commands[i]->name);
		return EXIT_DONE;
	}
	char *words[] = {argv[at], form, NULL};
	const command *about = find_command(argv[at]);
	return about ? about->run(about, 2, words) : unknown_command(argv[at]);
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("hardy %s\n", hardy_version());
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(argc - 1, argv + 1);
	const command *c = find_command(argv[1]);
	return c ? c->run(c, argc - 1, argv + 1) : unknown_command(argv[1]);
}

#if defined(__linux__) && !defined(__clang__)
/* One round of the loop in which gcc's OpenMP runtime waits. */
static void wait_once(const volatile int *flag)
{
	(void)*flag;
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("" ::: "memory");
#endif
}

/* How many rounds of waiting last so long; a round differs by a factor of ten between processors. At least 1. */
static long rounds_in(double seconds)
{
	enum { ROUNDS = 1000, TRIES = 5 };
	const volatile int flag = 0;
	double least = 1;
	for (int i = 0; i < TRIES; i++) { /* the least of them: others may have had the processor meanwhile */
		struct timespec a, b;
		clock_gettime(CLOCK_MONOTONIC, &a);
		for (int k = 0; k < ROUNDS; k++)
			wait_once(&flag);
		clock_gettime(CLOCK_MONOTONIC, &b);
		const double s = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
		least = s < least ? s : least;
	}
	const double rounds = seconds / (least / ROUNDS + 1e-12);
	return rounds < 1 ? 1 : rounds > 1e6 ? 1000000 : (long)rounds;
}
#endif

/*
 * Lets waiting OpenMP threads sleep after 50 microseconds. gcc's OpenMP runtime lets them spin for milliseconds, which costs a busy machine an
 * order of magnitude: the thread that is waited for does not get a processor. The runtime reads its environment while the program is loaded, so
 * the program starts itself once more. A user's own setting stands. docs/PERFORMANCE.md has the figures.
 */
static void settle_threads(char **argv)
{
#if defined(__linux__) && !defined(__clang__)
	char rounds[32];
	if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
		return;
	snprintf(rounds, sizeof rounds, "%ld", rounds_in(50e-6));
	if (setenv("GOMP_SPINCOUNT", rounds, 1) == 0)
		execv("/proc/self/exe", argv); /* returns only when it fails: then go on as it is */
#else
	(void)argv;
#endif
}

int main(int argc, char **argv)
{
	settle_threads(argv);
	int code = run(argc, argv);
	/* Results that did not reach their destination (a full disk, a closed pipe) are a failure. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_DONE) {
		fprintf(stderr, "hardy: cannot write to standard output: %s\n", strerror(errno));
		code = EXIT_FAILED;
	}
	return code;
}
