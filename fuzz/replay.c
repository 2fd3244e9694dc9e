/*
 * replay.c: feeds every file of the folders named on the command line to a fuzz target, with any compiler: the corpus is
 * replayed in every test run.
 */
#include "fuzz.h"

#include "base/files.h"
#include "base/memory.h"

#include <stdio.h>

static int replay_folder(const char *folder, size_t *n_files)
{
	hardy_error err;
	hy_names names;
	if (hy_list_folder(folder, &names, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	int code = 0;
	for (size_t i = 0; i < names.n && !code; i++) {
		char *path = hy_path_join(folder, names.name[i]), *data = NULL;
		size_t size;
		code = !path || hy_file_read(path, &data, &size, &err);
		if (code) {
			fprintf(stderr, "%s\n", path ? err.message : "out of memory");
		} else {
			LLVMFuzzerTestOneInput((const uint8_t *)data, size);
			(*n_files)++;
		}
		hy_free(data);
		hy_free(path);
	}
	hy_names_free(&names);
	return code;
}

int main(int argc, char **argv)
{
	size_t n_files = 0;
	int code = 0;
	for (int i = 1; i < argc && !code; i++)
		code = replay_folder(argv[i], &n_files);
	printf("%zu files replayed\n", n_files);
	return code || n_files == 0;
}
