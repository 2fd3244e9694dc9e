/*
 * artefact.h: image artefacts of magnetic resonance, put into a scan in memory: as `hardy corrupt` does, byte for byte.
 *
 * Threads. Every function may be called from several threads; the table is constant. The number of OpenMP threads changes no byte.
 *
 * Example (arguments: a scan, a file to write): ghosts of a fixed strength, and how the same are made again.
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_error err = {HARDY_OK, "want a scan and a file"};
 *         hardy_volume *scan = NULL, *spoiled = NULL, *again = NULL;
 *         char *parameters = NULL;
 *         hardy_artefact_options o;
 *         HARDY_INIT(o);
 *         o.scan = "patient001"; // draws go by it
 *         o.seed = 7;
 *         o.parameters = "intensity=0.9";
 *         hardy_status status = argc < 3 ? HARDY_ERROR_ARGUMENT : hardy_volume_read(argv[1], &scan, NULL, &err);
 *         if (!status)
 *             status = hardy_artefact_apply("ghosting", hardy_volume_image(scan), &o, &spoiled, &parameters, &err);
 *         if (!status) {
 *             printf("%s\n", parameters); // all of them, those that were drawn too
 *             o.parameters = parameters;
 *             status = hardy_artefact_apply("ghosting", hardy_volume_image(scan), &o, &again, NULL, &err);
 *         }
 *         if (!status)
 *             status = hardy_image_write(hardy_volume_image(again), argv[2], scan, false, &err);
 *         if (status)
 *             fprintf(stderr, "%s\n", err.message);
 *         hardy_texts_free(parameters);
 *         hardy_volume_free(again);
 *         hardy_volume_free(spoiled);
 *         hardy_volume_free(scan);
 *         return status ? 1 : 0;
 *     }
 */
#ifndef HARDY_ARTEFACT_H
#define HARDY_ARTEFACT_H

#include "error.h"
#include "image.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Name and description of artefact i of the table (docs/ARTEFACTS.md), or false behind its end. */
HARDY_API bool hardy_artefact(size_t i, const char **name, const char **about);

/* One of an artefact's parameters. */
typedef struct hardy_artefact_parameter {
	size_t size;              /* sizeof(hardy_artefact_parameter): the caller's, by HARDY_INIT */
	const char *name, *about; /* "intensity", and one sentence; constant */
	double low, high;         /* range of the number, or of every number of a list; both 0: it is a text */
	bool whole;               /* whole numbers only */
	int n_most;               /* entries of a list at most; 0: no list */
	int n_each;               /* numbers of an entry: 3 of lists of points or angles, x, y, z; else 1 */
	const char *choices;      /* of a text, "origin|image"; else NULL */
} hardy_artefact_parameter;

/* Parameter i of the artefact of that name. HARDY_ERROR_ARGUMENT when there is none of that name; *n (NULL allowed) tells how many it has. */
HARDY_API hardy_status hardy_artefact_parameter_of(const char *artefact, size_t i, hardy_artefact_parameter *out, size_t *n,
                                                   hardy_error *err);

/* The number that draws of a level, 1 to 5, scale with (docs/ARTEFACTS.md says what it is of each); NaN for others and for unknown names. */
HARDY_API double hardy_artefact_severity(const char *artefact, int level);

/* Begin with HARDY_INIT, which is every default. Strings are read during the call. */
typedef struct hardy_artefact_options {
	size_t size; /* sizeof(hardy_artefact_options) */
	const char *
	    scan; /* draws depend on this name: for `hardy corrupt` it is the file's without its ending, or SUBJECT_PHASE; NULL: "" */
	int64_t seed;  /* of the draws, 0 to 2^53 */
	int64_t copy;  /* another draw for each, 0 to 999 */
	int64_t level; /* severity, 1 to 5; 0: as ACDC-C draws */
	/*
	 * Fixes some or all of them instead of drawing: "intensity=0.8,axis=1", a JSON object of one frame's, which is then meant for every frame, or a
	 * JSON list with an object for each frame, as hardy_artefact_apply gives. NULL: all are drawn.
	 */
	const char *parameters;
	const char *centre; /* of motion's rotations: "origin" of space, as TorchIO and ACDC-C have it, or "image"; NULL: origin */
	bool acdcc;         /* within the steps of ACDC-C, as "acdc-c" of `hardy corrupt`: bias, ghosting, motion and spike alone */
} hardy_artefact_options;

/*
 * Spoils a copy of the image: float32, packed, of the same shape and at the same place; each frame with a draw of its own. *out is released with
 * hardy_volume_free. *parameters (NULL allowed) gets what was done as a JSON list, an object for each frame; release it with hardy_texts_free. o: NULL
 * for the defaults. A voxel that is not finite, before or afterwards, is HARDY_ERROR_NUMERIC; a parameter that is unknown, out of range, or does not
 * fit the image is HARDY_ERROR_ARGUMENT.
 */
HARDY_API hardy_status hardy_artefact_apply(const char *artefact, const hardy_image *image, const hardy_artefact_options *o,
                                            hardy_volume **out, char **parameters, hardy_error *err);

#ifdef __cplusplus
}
#endif
#endif
