/*
 * options.c: the parser of the command line: values read, values refused, what --help shows.
 */
#include "support/test.h"

#include "../../cli/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What one parse writes into, set to the defaults before each. */
static bool flag;
static int64_t count;
static double rate, budget, spacing[3];
static const char *out, *mode;
static string_list sites;

static const option table[] = {
    {.name = "--hard", .kind = OPTION_FLAG, .target = &flag, .help = "Harder."},
    {.name = "--size", .kind = OPTION_INT, .target = &count, .placeholder = "N", .help = "Grid.", .low = 16, .high = 512},
    {.name = "--lr", .kind = OPTION_DOUBLE, .target = &rate, .placeholder = "X", .help = "Learning rate."},
    {.name = "--budget", .kind = OPTION_DURATION, .target = &budget, .placeholder = "TIME", .help = "Time."},
    {.name = "--spacing", .kind = OPTION_SPACING, .target = spacing, .placeholder = "MM", .help = "Spacing."},
    {.name = "--output", .kind = OPTION_STRING, .target = &out, .placeholder = "DIR", .help = "Folder."},
    {.name = "--mode", .kind = OPTION_STRING, .target = &mode, .placeholder = "M", .help = "Mode.", .choices = "soft|hard"},
    {.name = "--site", .kind = OPTION_STRINGS, .target = &sites, .placeholder = "S", .help = "Site."},
};
enum { N_TABLE = sizeof table / sizeof table[0] };

static const command self = {.name = "probe", .arguments = "DATA", .summary = "probes"};
static string_list rest;
static char printed[8192]; /* both streams of the last parse */

static void set_defaults(void)
{
	flag = false;
	count = 128;
	rate = 0.001;
	budget = 2700;
	spacing[0] = spacing[1] = 1.5;
	spacing[2] = 10;
	out = NULL;
	mode = "soft";
}

/* Parses words, a NULL-ended list, and keeps what was printed. */
static int parse(const char *const *words)
{
	char *argv[16] = {(char *)"probe"};
	int argc = 1;
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	set_defaults();
	fflush(NULL);
	int saved_out = dup(1), saved_err = dup(2);
	FILE *f = tmpfile();
	assert_non_null(f);
	dup2(fileno(f), 1);
	dup2(fileno(f), 2);
	int code = options_parse(&self, table, N_TABLE, argc, argv, 1, 2, &rest);
	fflush(NULL);
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_out);
	close(saved_err);
	rewind(f);
	printed[fread(printed, 1, sizeof printed - 1, f)] = 0;
	fclose(f);
	return code;
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void reads_values(void **state)
{
	(void)state;
	assert_int_equal(PARSE("a", "--hard", "--size", "96", "--lr=-2.5e-3", "--budget", "45m", "-o", "run", "--mode=hard",
	                       "--site", "x", "--site=y", "-"),
	                 -1);
	assert_true(flag);
	assert_int_equal(count, 96);
	assert_true(rate == -2.5e-3);
	assert_true(budget == 2700);
	assert_string_equal(out, "run");
	assert_string_equal(mode, "hard");
	assert_int_equal(sites.n, 2);
	assert_string_equal(sites.items[1], "y");
	assert_int_equal(rest.n, 2);
	assert_string_equal(rest.items[0], "a");
	assert_string_equal(rest.items[1], "-");
	options_clear(table, N_TABLE, &rest);
	assert_int_equal(sites.n, 0);
}

static void reads_units(void **state)
{
	(void)state;
	const struct {
		const char *text;
		double seconds;
	} times[] = {{"90", 90}, {"90s", 90}, {"1.5m", 90}, {"2h", 7200}};
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		assert_int_equal(PARSE("a", "--budget", times[i].text), -1);
		assert_true(budget == times[i].seconds);
		options_clear(table, N_TABLE, &rest);
	}
	assert_int_equal(PARSE("a", "--spacing", "1.25"), -1);
	assert_true(spacing[0] == 1.25 && spacing[1] == 1.25 && spacing[2] == 10);
	options_clear(table, N_TABLE, &rest);
	assert_int_equal(PARSE("a", "--spacing", "1,2,3"), -1);
	assert_true(spacing[0] == 1 && spacing[1] == 2 && spacing[2] == 3);
	options_clear(table, N_TABLE, &rest);
}

static void ends_options_at_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--", "--size", "--help"), -1);
	assert_int_equal(rest.n, 2);
	assert_string_equal(rest.items[0], "--size");
	options_clear(table, N_TABLE, &rest);
}

static void refuses_what_it_cannot_read(void **state)
{
	(void)state;
	const struct {
		const char *word, *value, *message;
	} bad[] = {
	    {"--size", "12x", "--size is \"12x\", want a whole number"},
	    {"--size", "", "--size wants a value"},
	    {"--size", "1e3", "want a whole number"},
	    {"--size", "99999999999999999999", "want a whole number"},
	    {"--size", "8", "--size is 8, want 16 to 512"},
	    {"--lr", "nan", "want a number"},
	    {"--lr", "inf", "want a number"},
	    {"--lr", "1e999", "want a number"},
	    {"--lr", "0.1,", "want a number"},
	    {"--budget", "0", "want a time"},
	    {"--budget", "-5m", "want a time"},
	    {"--budget", "5d", "want a time"},
	    {"--budget", "5mm", "want a time"},
	    {"--spacing", "1,2", "want mm"},
	    {"--spacing", "1,2,3,4", "want mm"},
	    {"--spacing", "1,0,3", "want mm"},
	    {"--spacing", "1,2,", "want mm"},
	    {"--mode", "har", "want one of soft|hard"},
	    {"--mode", "soft|hard", "want one of soft|hard"},
	    {"--sise", "96", "unknown option --sise; did you mean --size?"},
	    {"--zzzzzzzz", "96", "unknown option --zzzzzzzz\n"},
	    {"--hard=1", "b", "--hard takes no value"},
	    {"-x", "b", "unknown option -x"},
	    {"--size", "--lr", "--size wants a value (N)"},
	    {"b", "c", "unexpected argument \"c\""},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(PARSE("a", bad[i].word, bad[i].value), EXIT_USAGE);
		if (!strstr(printed, bad[i].message))
			fail_msg("%s %s: found \"%s\", want \"%s\"", bad[i].word, bad[i].value, printed, bad[i].message);
		options_clear(table, N_TABLE, &rest);
	}
	assert_int_equal(PARSE("--hard"), EXIT_USAGE);
	assert_non_null(strstr(printed, "missing"));
	options_clear(table, N_TABLE, &rest);
}

static void help_lists_the_table_and_its_defaults(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--size", "17", "--help"), EXIT_DONE);
	for (size_t i = 0; i < N_TABLE; i++) {
		assert_non_null(strstr(printed, table[i].name));
		assert_non_null(strstr(printed, table[i].help));
	}
	const char *shown[] = {"Usage: hardy probe [options] DATA",
	                       "[128]",
	                       "(16 to 512)",
	                       "[0.001]",
	                       "[45m]",
	                       "[1.5,1.5,10]",
	                       "[soft]",
	                       "(soft|hard)",
	                       "-o, --output DIR"};
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		if (!strstr(printed, shown[i]))
			fail_msg("--help lacks %s: %s", shown[i], printed);
	}
	options_clear(table, N_TABLE, &rest);
}

static void suggests_only_what_is_near(void **state)
{
	(void)state;
	const char *names[] = {"train", "predict", "evaluate"};
	assert_string_equal(nearest_name("trian", names, 3), "train");
	assert_string_equal(nearest_name("evalaute", names, 3), "evaluate");
	assert_null(nearest_name("x", names, 3));
	assert_null(nearest_name("segmentation", names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_values),
	    cmocka_unit_test(reads_units),
	    cmocka_unit_test(ends_options_at_two_dashes),
	    cmocka_unit_test(refuses_what_it_cannot_read),
	    cmocka_unit_test(help_lists_the_table_and_its_defaults),
	    cmocka_unit_test(suggests_only_what_is_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
