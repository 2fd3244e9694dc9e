/*
 * golden.h: recorded values of independent implementations, as folders of a manifest and arrays.
 *
 * The folder of sets is the environment's HARDY_GOLDEN, else HARDY_SOURCE/../shared/golden if that exists, else the test is
 * skipped (exit 77). A folder that is named but unreadable, a set without manifest, and a manifest that names an absent file
 * fail. A test program opens its set in main, counts every case it has checked, and returns what golden_close returns.
 */
#ifndef HY_TESTS_SUPPORT_GOLDEN_H
#define HY_TESTS_SUPPORT_GOLDEN_H

#include "engine/params.h"
#include "support/npy.h"

#include <cJSON.h>

typedef struct golden {
	const char *set;
	char *folder;    /* of this set */
	cJSON *manifest; /* MANIFEST.json */
	cJSON *read;     /* an object with a member for each array read */
	int n_checked;
} golden;

/* Ends the program with 77 or 1 as described above. set must outlive g. */
void golden_open(golden *g, const char *set);

/* The same for a folder of the source tree: where HARDY_SOURCE is not set, the program ends with 77. */
void golden_open_own(golden *g, const char *set);

/* Prints "golden SET: N cases checked"; returns the exit code: n_failed != 0, or no case at all, is 1. */
int golden_close(golden *g, int n_failed);

/* Inside a test function: failures below end the current test with a message. */

/* FOLDER/SET/name, newly allocated (hy_free). */
char *golden_path(const golden *g, const char *name);

/* Reads name (".npy" is appended when missing). */
npy golden_array(const golden *g, const char *name);

/* Whether every array that the manifest lists under files has been read; says on stderr which has not. */
bool golden_all_read(const golden *g);

/* Reads the array whose name is the string member key of object. */
npy golden_member_array(const golden *g, const cJSON *object, const char *key);

/* Members that must be there and of that type. */
const cJSON *golden_member(const cJSON *object, const char *key);
double golden_number(const cJSON *object, const char *key);
const char *golden_string(const cJSON *object, const char *key);
/* Exactly n numbers from an array member. */
void golden_numbers(const cJSON *object, const char *key, double *out, int n);

/* ---- comparisons; who is compared stands in messages ---- */

void golden_close_to(const char *who, const char *what, const char *part, double got, double want, double tolerance);
/* Members file and tolerance of item against values; counts a case. */
void golden_close_array(golden *g, const char *who, const char *what, const cJSON *item, const float *values);
/* l2 and samples of each recorded tensor, of its gradient or of itself; counts a case each. */
void golden_close_tensors(golden *g, const char *who, const char *what, const cJSON *tensors, const hy_params *p,
                          bool gradients);

#endif
