/*
 * machine.h: what this machine is, for records of what was measured on it.
 */
#ifndef HY_BASE_MACHINE_H
#define HY_BASE_MACHINE_H

#include <stddef.h>

void hy_machine_name(char *text, size_t size); /* what the processor calls itself, or "unknown" */

#endif
