/*
 * sources.c: rules that the text of the sources keeps: which directory may include which, the first comment, functions that are
 * not called.
 */
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- walking the tree --------------------------------------------------------------------------------------------------- */

/* One source file: its path below the root, its text, and the text with comments, strings and characters blanked. */
typedef struct source {
	const char *path;
	char *text, *code;
} source;

static int n_faults, n_files;

#define fault(...)                                                                                                             \
	do {                                                                                                                       \
		print_error(__VA_ARGS__);                                                                                              \
		n_faults++;                                                                                                            \
	} while (0)

static bool is_source(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && (strcmp(dot, ".c") == 0 || strcmp(dot, ".h") == 0 || strcmp(dot, ".inc") == 0);
}

/* Blanks what is not code; line ends stay. */
static void blank(char *s)
{
	enum { CODE, LINE, BLOCK, STRING, CHARACTER } in = CODE;
	for (; *s; s++) {
		if (in == CODE) {
			if (s[0] == '/' && (s[1] == '/' || s[1] == '*')) {
				in = s[1] == '/' ? LINE : BLOCK;
				s[0] = s[1] = ' ';
				s++;
			} else if (*s == '"' || *s == '\'') {
				in = *s == '"' ? STRING : CHARACTER;
			}
			continue;
		}
		bool escaped = (in == STRING || in == CHARACTER) && s[0] == '\\' && s[1];
		bool over = (in == LINE && *s == '\n') || (in == STRING && *s == '"') || (in == CHARACTER && *s == '\'');
		if (in == BLOCK && s[0] == '*' && s[1] == '/') {
			*s++ = ' ';
			over = true;
		}
		if (escaped)
			*s++ = ' ';
		if (over)
			in = CODE;
		if (*s != '\n' && *s != '"' && *s != '\'')
			*s = ' ';
	}
}

static void walk(const char *folder, void (*visit)(const source *))
{
	hardy_error err;
	hy_names names;
	char *full = hy_path_join(getenv("HARDY_SOURCE"), folder);
	assert_non_null(full);
	assert_ok(hy_list_folder(full, &names, &err), &err);
	for (size_t i = 0; i < names.n; i++) {
		char *path = hy_path_join(folder, names.name[i]), *file = hy_path_join(full, names.name[i]);
		assert_non_null(path);
		assert_non_null(file);
		if (hy_path_is_folder(file)) {
			walk(path, visit);
		} else if (is_source(path)) {
			source s = {.path = path};
			size_t size;
			assert_ok(hy_file_read(file, &s.text, &size, &err), &err);
			s.code = hy_strdup(s.text);
			assert_non_null(s.code);
			blank(s.code);
			visit(&s);
			n_files++;
			hy_free(s.text);
			hy_free(s.code);
		}
		hy_free(path);
		hy_free(file);
	}
	hy_names_free(&names);
	hy_free(full);
}

/* ---- includes ----------------------------------------------------------------------------------------------------------- */

/* The order of the directories: one may use those of a lower rank and itself (docs/ARCHITECTURE.md). */
static const struct {
	const char *name;
	int rank;
} directories[] = {{"base", 0},   {"image", 1},      {"engine", 2},  {"dataset", 3},  {"network", 3}, {"artefact", 3},
                   {"metric", 3}, {"predict", 4},    {"perturb", 5}, {"training", 6}, {"draw", 5},    {"library", 7},
                   {"export", 5}, {"experiment", 7}, {"bench", 8},   {"report", 8}};
enum { N_DIRECTORIES = sizeof directories / sizeof directories[0] };

/* The directory that a path such as "engine/kernels/conv.h" starts with, or -1. */
static int directory_of(const char *path)
{
	for (int i = 0; i < N_DIRECTORIES; i++) {
		size_t n = strlen(directories[i].name);
		if (strncmp(path, directories[i].name, n) == 0 && path[n] == '/')
			return i;
	}
	return -1;
}

/* Calls judge for every #include "..." of the file. */
static void each_include(const source *s, void (*judge)(const source *, const char *))
{
	for (const char *line = s->text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		char name[256];
		if (sscanf(line, " # include \"%255[^\"]\"", name) == 1 || sscanf(line, "#include \"%255[^\"]\"", name) == 1)
			judge(s, name);
	}
}

static void judge_library_include(const source *s, const char *name)
{
	if (strcmp(name, "hardy.h") == 0)
		return;
	int from = directory_of(s->path + strlen("src/")), to = directory_of(name);
	if (from < 0)
		fault("%s is not in a directory that docs/ARCHITECTURE.md knows\n", s->path);
	else if (to < 0)
		fault("%s includes \"%s\", want the path below src/, or hardy.h\n", s->path, name);
	else if (to != from && directories[to].rank >= directories[from].rank)
		fault("%s includes \"%s\": %s may not use %s\n", s->path, name, directories[from].name, directories[to].name);
}

static void visit_library_includes(const source *s)
{
	each_include(s, judge_library_include);
}

static void judge_program_include(const source *s, const char *name)
{
	char path[300];
	snprintf(path, sizeof path, "cli/%s", name);
	char *full = hy_path_join(getenv("HARDY_SOURCE"), path);
	assert_non_null(full);
	if (strchr(name, '/') || !hy_path_exists(full))
		fault("%s includes \"%s\": cli/ sees <hardy.h> and its own headers only\n", s->path, name);
	hy_free(full);
}

static void visit_program_includes(const source *s)
{
	each_include(s, judge_program_include);
}

static void directories_use_only_lower_ones(void **state)
{
	(void)state;
	n_faults = n_files = 0;
	walk("src", visit_library_includes);
	walk("cli", visit_program_includes);
	assert_true(n_files > 10);
	assert_int_equal(n_faults, 0);
}

/* ---- the first comment -------------------------------------------------------------------------------------------------- */

static void visit_first_comment(const source *s)
{
	char wanted[300];
	snprintf(wanted, sizeof wanted, "/*\n * %s: ", hy_path_name(s->path));
	if (strncmp(s->text, wanted, strlen(wanted)) != 0)
		fault("%s does not begin with the comment \"%s: what it is for\"\n", s->path, hy_path_name(s->path));
}

static void every_file_says_what_it_is_for(void **state)
{
	(void)state;
	static const char *const folders[] = {"include", "src", "cli", "tests", "fuzz", "bench", "examples"};
	n_faults = 0;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		char *full = hy_path_join(getenv("HARDY_SOURCE"), folders[i]);
		assert_non_null(full);
		if (hy_path_is_folder(full))
			walk(folders[i], visit_first_comment);
		hy_free(full);
	}
	assert_int_equal(n_faults, 0);
}

/* ---- banned words ------------------------------------------------------------------------------------------------------- */

/* Unsafe or lossy wherever they stand. */
static const char *const banned[] = {"atoi",    "atol",   "atof",      "strtok",  "sprintf", "vsprintf", "gets",
                                     "strcpy",  "strcat", "strncpy",   "strncat", "rand",    "srand",    "random",
                                     "drand48", "gmtime", "localtime", "ctime",   "asctime", NULL};
/* The library never prints, exits or reads the environment, and has one door for memory. */
static const char *const banned_in_library[] = {"exit",   "_exit",  "abort",   "getenv",    "setenv",  "system",
                                                "popen",  "printf", "vprintf", "puts",      "putchar", "perror",
                                                "stdout", "stderr", "signal",  "sigaction", NULL};
static const char *const banned_outside_memory[] = {"malloc", "calloc",        "realloc",        "free",
                                                    "strdup", "aligned_alloc", "posix_memalign", NULL};

/* An item that they do not add stays with a caller who has no name for it, or is missing and nobody says so: hy_json_add, hy_json_append,
 * hy_json_put. cJSON's parsers cannot tell a text that is no JSON from one for which memory ran out: hy_json_parse. */
static const char *const banned_outside_json[] = {
    "cJSON_AddItemToObject", "cJSON_AddItemToArray",   "cJSON_AddStringToObject",   "cJSON_AddNumberToObject",
    "cJSON_AddBoolToObject", "cJSON_AddNullToObject",  "cJSON_AddObjectToObject",   "cJSON_AddArrayToObject",
    "cJSON_AddTrueToObject", "cJSON_AddFalseToObject", "cJSON_AddRawToObject",      "cJSON_Parse",
    "cJSON_ParseWithOpts",   "cJSON_ParseWithLength",  "cJSON_ParseWithLengthOpts", NULL};

static void judge_words(const source *s, const char *const *words)
{
	for (const char *at = s->code; *at;) {
		if (!isalpha((unsigned char)*at) && *at != '_') {
			at++;
			continue;
		}
		size_t n = 1;
		while (isalnum((unsigned char)at[n]) || at[n] == '_')
			n++;
		/* A member of that name is something else. */
		bool member = at > s->code && (at[-1] == '.' || (at[-1] == '>' && at > s->code + 1 && at[-2] == '-'));
		bool stream = strncmp(at, "std", 3) == 0;
		bool call = at[n + strspn(at + n, " \t\n")] == '(';
		for (size_t i = 0; words[i] && !member && (call || stream); i++) {
			if (strlen(words[i]) == n && memcmp(words[i], at, n) == 0)
				fault("%s uses %s\n", s->path, words[i]);
		}
		at += n;
	}
}

static void visit_library_words(const source *s)
{
	judge_words(s, banned);
	judge_words(s, banned_in_library);
	if (strcmp(s->path, "src/base/memory.c") != 0)
		judge_words(s, banned_outside_memory);
	if (strcmp(s->path, "src/base/json.c") != 0)
		judge_words(s, banned_outside_json);
}

static void visit_program_words(const source *s)
{
	judge_words(s, banned);
}

static void banned_functions_are_not_called(void **state)
{
	(void)state;
	n_faults = 0;
	walk("src", visit_library_words);
	walk("cli", visit_program_words);
	assert_int_equal(n_faults, 0);
}

/* ---- messages ----------------------------------------------------------------------------------------------------------- */

/* They write command lines of the program, or of others: nothing else may speak of the program's options. */
static const char *const write_command_lines[] = {"src/bench/predict.c", "src/experiment/emit.c", "src/experiment/process.c",
                                                  "src/image/series.c"};

/* The library is called by programs that have no such options: its messages speak of arguments. */
static void visit_strings(const source *s)
{
	for (size_t i = 0; i < sizeof write_command_lines / sizeof write_command_lines[0]; i++)
		if (!strcmp(s->path, write_command_lines[i]))
			return;
	enum { CODE, LINE, BLOCK, STRING, CHARACTER } in = CODE;
	for (const char *at = s->text; *at; at++) {
		if (in == CODE) {
			in = *at == '"'                     ? STRING
			     : *at == '\''                  ? CHARACTER
			     : at[0] == '/' && at[1] == '/' ? LINE
			     : at[0] == '/' && at[1] == '*' ? BLOCK
			                                    : CODE;
		} else if (in == LINE || in == BLOCK) {
			in = in == LINE ? (*at == '\n' ? CODE : LINE) : at[-1] == '*' && at[0] == '/' ? CODE : BLOCK;
		} else if (*at == '\\' && at[1]) {
			at++;
		} else if (*at == (in == STRING ? '"' : '\'')) {
			in = CODE;
		} else if (in == STRING && at[0] == '-' && at[1] == '-' && islower((unsigned char)at[2])) {
			fault("%s speaks of an option of the program: %.40s\n", s->path, at);
		}
	}
}

static void messages_speak_of_arguments(void **state)
{
	(void)state;
	n_faults = n_files = 0;
	walk("src", visit_strings);
	assert_true(n_files > 100);
	assert_int_equal(n_faults, 0);
}

/* The checks above find what they look for. */
static void the_checks_can_fail(void **state)
{
	(void)state;
	char text[] =
	    "/* x.c: y */\n#include \"training/step.h\"\nint f(void) { return atoi(\"1\") + a.rand + '\"' + getenv(0); } // exit\n";
	char code[sizeof text];
	memcpy(code, text, sizeof text);
	blank(code);
	assert_null(strstr(code, "exit"));
	assert_non_null(strstr(code, "getenv"));
	source s = {.path = "src/base/x.c", .text = text, .code = code};
	n_faults = 0;
	visit_library_includes(&s);
	assert_int_equal(n_faults, 1);
	visit_first_comment(&s);
	assert_int_equal(n_faults, 2);
	visit_library_words(&s);
	assert_int_equal(n_faults, 4);
	s.path = "src/predict/x.c";
	each_include(&s, judge_library_include);
	assert_int_equal(n_faults, 5);
	char strings[] = "char c = '\"'; /* --no */ x(\"a \\\" --no-such b\", y --z, \"--1 -- \", \"--two\"); // \"--no\"\n";
	visit_strings(&(source){.path = "src/predict/x.c", .text = strings});
	assert_int_equal(n_faults, 7);
	n_faults = 5;
	s.path = "src/report/x.c";
	each_include(&s, judge_library_include);
	assert_int_equal(n_faults, 5);
}

int main(void)
{
	if (!getenv("HARDY_SOURCE")) {
		fprintf(stderr, "HARDY_SOURCE is not set\n");
		return 1;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(directories_use_only_lower_ones),
	    cmocka_unit_test(every_file_says_what_it_is_for),
	    cmocka_unit_test(banned_functions_are_not_called),
	    cmocka_unit_test(messages_speak_of_arguments),
	    cmocka_unit_test(the_checks_can_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
