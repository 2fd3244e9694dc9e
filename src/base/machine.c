/*
 * machine.c: what the processor calls itself, a clock, and the number of threads in use.
 */
#include "base/machine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

void hy_machine_name(char *text, size_t size)
{
	char line[512];
	snprintf(text, size, "unknown");
	FILE *f = fopen("/proc/cpuinfo", "r");
	while (f && fgets(line, sizeof line, f)) {
		const char *value = strchr(line, ':');
		if (!strncmp(line, "model name", 10) && value) {
			line[strcspn(line, "\n")] = 0;
			snprintf(text, size, "%s", value + 1 + strspn(value + 1, " "));
			break;
		}
	}
	if (f)
		fclose(f);
}

int hy_threads(void)
{
#ifdef _OPENMP
	return omp_get_max_threads();
#else
	return 1;
#endif
}

int hy_threads_set(int64_t wanted)
{
	const int before = hy_threads();
#ifdef _OPENMP
	if (wanted > 0)
		omp_set_num_threads((int)wanted);
#else
	(void)wanted;
#endif
	return before;
}

double hy_clock_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
