/*
 * model.h: a trained model in memory: loaded once, asked what it is, used by any number of predictors.
 *
 * A hardy_model is never changed after loading: threads may share one, and predictors only borrow it. It must outlive them.
 *
 * Example (arguments: a model): from a file, and from memory as a plug-in with a model of its own would do.
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_error err = {HARDY_OK, "want a model file"};
 *         hardy_model *model = NULL, *same = NULL;
 *         hardy_status status = argc < 2 ? HARDY_ERROR_ARGUMENT : hardy_model_load(argv[1], &model, &err);
 *         if (!status) {
 *             for (int i = 1; i < hardy_model_n_classes(model); i++)
 *                 printf("%d %s\n", hardy_model_class_value(model, i), hardy_model_class_name(model, i));
 *             FILE *file = fopen(argv[1], "rb");
 *             char *bytes = (char *)malloc(1 << 26);
 *             size_t n = file && bytes ? fread(bytes, 1, 1 << 26, file) : 0;
 *             status = hardy_model_load_memory(bytes, n, "built in", &same, &err);
 *             free(bytes); // the model does not need them any more
 *             if (file)
 *                 fclose(file);
 *         }
 *         if (status)
 *             fprintf(stderr, "%s\n", err.message);
 *         hardy_model_free(same);
 *         hardy_model_free(model);
 *         return status ? 1 : 0;
 *     }
 */
#ifndef HARDY_MODEL_H
#define HARDY_MODEL_H

#include "error.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hardy_model hardy_model;

/*
 * path: a .safetensors file, or the folder of a training, whose best model is taken. *out is released with hardy_model_free. A file that is no
 * model of hardy, is damaged or holds a value that is not finite is HARDY_ERROR_FORMAT or HARDY_ERROR_NUMERIC, with the tensor's name.
 */
HARDY_API hardy_status hardy_model_load(const char *path, hardy_model **out, hardy_error *err);
/* The same from the bytes of such a file, which are copied. name stands for the file in messages. */
HARDY_API hardy_status hardy_model_load_memory(const void *bytes, size_t n_bytes, const char *name, hardy_model **out,
                                               hardy_error *err);
HARDY_API void hardy_model_free(hardy_model *m); /* NULL allowed */

/* Texts are the model's, good until hardy_model_free. */

/* Classes with the background, which is class 0: 2 to 32. */
HARDY_API int hardy_model_n_classes(const hardy_model *m);
HARDY_API const char *hardy_model_class_name(const hardy_model *m, int i); /* NULL when there is no class i */
/* What the data set that the model was trained on writes for the class; -1 when it has no value, or there is no class i. */
HARDY_API int hardy_model_class_value(const hardy_model *m, int i);

/* Input channels: a scan for a model of several has them as its fourth axis. */
HARDY_API int hardy_model_n_channels(const hardy_model *m);
HARDY_API const char *hardy_model_channel_name(const hardy_model *m, int i); /* NULL when there is no channel i */

/* "study" (two networks, FTN and STN, with quality signals from both) or "unet". */
HARDY_API const char *hardy_model_network(const hardy_model *m);
/* Whether its predictions come with a predicted Dice. */
HARDY_API bool hardy_model_is_calibrated(const hardy_model *m);

/* How scans become network input, as JSON (docs/MODELS.md). */
HARDY_API const char *hardy_model_plan(const hardy_model *m);
/* The model card, as JSON: data, subjects, terms of use, recipe, seed; NULL when it has none. */
HARDY_API const char *hardy_model_card(const hardy_model *m);

#ifdef __cplusplus
}
#endif
#endif
