/*
 * models.h: models with drawn weights, for tests of what is done with a model, whatever it has learned.
 */
#ifndef HY_TESTS_SUPPORT_MODELS_H
#define HY_TESTS_SUPPORT_MODELS_H

#include "predict/model.h"

/* Weights, and running statistics as if trained, so that classes vary over an image. */
void drawn_params(hy_params *p, uint64_t seed);

/* As many classes as the network has; channels are called channel_0 and on. side: pixels of spacing_mm. hy_model_clear. */
void drawn_model(hy_model *m, const hy_network_config *config, const hy_class *classes, int side, double spacing_mm,
                 uint64_t seed);

/* background, A with the value 5, B with 9. */
extern const hy_class drawn_a_b[3];
/* background, ring with the value 1, core with 2: what tree_ring_case labels. */
extern const hy_class drawn_ring[3];

#endif
