/*
 * meta.h: what a model file says of itself, as JSON: plan, network, classes, channels, training fingerprint.
 *
 * Reading checks every field; `where` ("model.safetensors: plan") begins the messages. Unknown fields are ignored, so that
 * files of later versions can say more.
 */
#ifndef HY_PREDICT_META_H
#define HY_PREDICT_META_H

#include "predict/model.h"

#include <cJSON.h>

/* New objects, released with cJSON_Delete; NULL when memory runs out. */
cJSON *hy_plan_to_json(const hy_plan *p);
cJSON *hy_fingerprint_to_json(const hy_fingerprint *f, int n_channels);
cJSON *hy_calibration_to_json(const hy_calibration *c, int n_classes);
cJSON *hy_network_config_to_json(const hy_network_config *c);
cJSON *hy_use_to_json(const hy_use *u);
cJSON *hy_classes_to_json(const hy_class *classes, int n);
cJSON *hy_channels_to_json(const char (*names)[HY_NAME_SIZE], int n);

hardy_status hy_plan_from_json(hy_plan *p, const cJSON *json, const char *where, hardy_error *err);
hardy_status hy_fingerprint_from_json(hy_fingerprint *f, int n_channels, const cJSON *json, const char *where,
                                      hardy_error *err);
/* One of another version is left out: version 0. */
hardy_status hy_calibration_from_json(hy_calibration *c, int n_classes, const cJSON *json, const char *where, hardy_error *err);
hardy_status hy_use_from_json(hy_use *u, const cJSON *json, const char *where, hardy_error *err); /* chosen then */
hardy_status hy_network_config_from_json(hy_network_config *c, const cJSON *json, const char *where, hardy_error *err);
hardy_status hy_classes_from_json(hy_class *classes, int n, const cJSON *json, const char *where, hardy_error *err);
hardy_status hy_channels_from_json(char (*names)[HY_NAME_SIZE], int n, const cJSON *json, const char *where, hardy_error *err);

#endif
