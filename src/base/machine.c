/*
 * machine.c: what the processor calls itself.
 */
#include "base/machine.h"

#include <stdio.h>
#include <string.h>

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
