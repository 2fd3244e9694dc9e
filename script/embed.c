/*
 * embed.c: runs during the build: writes files as C arrays, so that the program carries them.
 *
 * Usage: embed OUTPUT NAME=FILE... Each becomes `const unsigned char hy_web_NAME[]` with a zero byte at its end, and
 * `const size_t hy_web_NAME_size` without it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int embed(FILE *out, const char *name, size_t n_name, const char *path)
{
	FILE *in = fopen(path, "rb");
	if (!in) {
		perror(path);
		return 1;
	}
	size_t size = 0;
	int c;
	fprintf(out, "const unsigned char hy_web_%.*s[] = {", (int)n_name, name);
	while ((c = getc(in)) != EOF)
		fprintf(out, "%s%d,", size++ % 32 ? "" : "\n", c);
	fprintf(out, "0};\nconst size_t hy_web_%.*s_size = %zu;\n", (int)n_name, name, size);
	const int failed = ferror(in);
	if (failed)
		perror(path);
	fclose(in);
	return failed;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: embed OUTPUT NAME=FILE...\n");
		return 2;
	}
	FILE *out = fopen(argv[1], "w");
	if (!out) {
		perror(argv[1]);
		return 1;
	}
	fprintf(out, "/* Made by embed.c. */\n#include \"report/web.h\"\n");
	int failed = 0;
	for (int i = 2; i < argc && !failed; i++) {
		const char *equals = strchr(argv[i], '=');
		failed = !equals || embed(out, argv[i], (size_t)(equals - argv[i]), equals + 1);
	}
	if (fclose(out) || failed) {
		fprintf(stderr, "%s: cannot be made\n", argv[1]);
		remove(argv[1]);
		return 1;
	}
	return 0;
}
