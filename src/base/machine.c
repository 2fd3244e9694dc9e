/*
 * machine.c: what the processor calls itself, a clock, and the number of threads in use.
 */
#include "base/machine.h"

#include <stdbool.h>
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

/* ---- threads ------------------------------------------------------------------------------------------------------------ */

static int rounded_up(long long quota, long long period)
{
	return quota > 0 && period > 0 && quota / period < 1 << 20 ? (int)((quota + period - 1) / period) : 0;
}

/* Of version 2: "150000 100000", or "max 100000". */
static int quota_of(const char *root, const char *group)
{
	char path[8192];
	long long quota = 0, period = 0;
	snprintf(path, sizeof path, "%s/sys/fs/cgroup%s/cpu.max", root, group);
	FILE *f = fopen(path, "r");
	const bool good = f && fscanf(f, "%lld %lld", &quota, &period) == 2;
	if (f)
		fclose(f);
	return good ? rounded_up(quota, period) : 0;
}

/* Of version 1, in two files; -1 is no limit. */
static int first_quota_of(const char *root, const char *group)
{
	static const char *const names[2] = {"quota", "period"};
	char path[8192];
	long long v[2] = {0, 0};
	bool good = true;
	for (int k = 0; k < 2 && good; k++) {
		snprintf(path, sizeof path, "%s/sys/fs/cgroup/cpu%s/cpu.cfs_%s_us", root, group, names[k]);
		FILE *f = fopen(path, "r");
		good = f && fscanf(f, "%lld", &v[k]) == 1;
		if (f)
			fclose(f);
	}
	return good ? rounded_up(v[0], v[1]) : 0;
}

static bool names_cpu(const char *controllers)
{
	for (const char *at = controllers; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, "cpu", 3) && (!at[3] || at[3] == ','))
			return true;
	return false;
}

/* A line of /proc/self/cgroup is NUMBER:CONTROLLERS:GROUP, without controllers in version 2. */
int hy_machine_quota(const char *root)
{
	char line[4096];
	int least = 0;
	snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
	FILE *f = fopen(line, "r");
	while (f && fgets(line, sizeof line, f)) {
		char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group)
			continue;
		line[strcspn(line, "\n")] = 0;
		*group++ = 0;
		if (*++controllers && !names_cpu(controllers))
			continue;
		for (char *cut = group; cut;) { /* the group, and those above it */
			const int quota = *controllers ? first_quota_of(root, group) : quota_of(root, group);
			if (quota && (!least || quota < least))
				least = quota;
			if ((cut = strrchr(group, '/')))
				*cut = 0;
		}
	}
	if (f)
		fclose(f);
	return least;
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
	const int quota = !wanted && before == omp_get_num_procs() ? hy_machine_quota("") : 0;
	if (wanted > 0)
		omp_set_num_threads((int)wanted);
	else if (quota && quota < before)
		omp_set_num_threads(quota);
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
