/*
 * model.h: what is behind a hardy_model (hardy/model.h).
 */
#ifndef HY_LIBRARY_MODEL_H
#define HY_LIBRARY_MODEL_H

#include "predict/model.h"

struct hardy_model {
	hy_model model;
	char *plan; /* JSON, of cJSON */
};

#endif
