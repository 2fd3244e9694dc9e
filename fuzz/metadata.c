/*
 * metadata.c: any JSON as what a model file says of itself, each key by its own reader: refused, or read and written as something that
 * reads as the same.
 */
#include "fuzz.h"
#include "place.h"

#include "predict/meta.h"

#include <stdlib.h>
#include <string.h>

/* What was read is written; the reader must take it. Takes json over. */
static void must_read(cJSON *json, hardy_status (*read)(const cJSON *json))
{
	char *text = json ? cJSON_PrintUnformatted(json) : NULL;
	cJSON *parsed = text ? cJSON_Parse(text) : NULL;
	if (!parsed || read(parsed))
		abort();
	cJSON_Delete(parsed);
	cJSON_free(text);
	cJSON_Delete(json);
}

static hy_model m;
static hardy_error err;
enum { N_CLASSES = 3, N_CHANNELS = 2 };

static hardy_status read_plan(const cJSON *json)
{
	return hy_plan_from_json(&m.plan, json, "plan", &err);
}

static hardy_status read_fingerprint(const cJSON *json)
{
	return hy_fingerprint_from_json(&m.fingerprint, N_CHANNELS, json, "fingerprint", &err);
}

static hardy_status read_calibration(const cJSON *json)
{
	return hy_calibration_from_json(&m.calibration, N_CLASSES, json, "quality", &err);
}

static hardy_status read_use(const cJSON *json)
{
	return hy_use_from_json(&m.use, json, "use", &err);
}

static hardy_status read_network(const cJSON *json)
{
	return hy_network_config_from_json(&m.network.config, json, "network", &err);
}

static hardy_status read_classes(const cJSON *json)
{
	return hy_classes_from_json(m.classes, N_CLASSES, json, "classes", &err);
}

static hardy_status read_channels(const cJSON *json)
{
	return hy_channels_from_json(m.channels, N_CHANNELS, json, "channels", &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = place_text(data, size);
	cJSON *json = cJSON_Parse(text);
	free(text);
	if (!json)
		return 0;
	memset(&m, 0, sizeof m);
	if (!read_plan(json))
		must_read(hy_plan_to_json(&m.plan), read_plan);
	if (!read_fingerprint(json))
		must_read(hy_fingerprint_to_json(&m.fingerprint, N_CHANNELS), read_fingerprint);
	if (!read_calibration(json) && m.calibration.version)
		must_read(hy_calibration_to_json(&m.calibration, N_CLASSES), read_calibration);
	if (!read_use(json))
		must_read(hy_use_to_json(&m.use), read_use);
	if (!read_network(json))
		must_read(hy_network_config_to_json(&m.network.config), read_network);
	if (!read_classes(json))
		must_read(hy_classes_to_json(m.classes, N_CLASSES), read_classes);
	if (!read_channels(json))
		must_read(hy_channels_to_json((const char(*)[HY_NAME_SIZE])m.channels, N_CHANNELS), read_channels);
	cJSON_Delete(json);
	return 0;
}
