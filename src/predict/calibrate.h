/*
 * calibrate.h: fits a model's predicted Dice on labelled scans that it was not trained on, and on spoiled copies of them.
 */
#ifndef HY_PREDICT_CALIBRATE_H
#define HY_PREDICT_CALIBRATE_H

#include "predict/model.h"

/* At most so many scans are used, evenly spaced in the list; copies of each, itself included. */
enum { HY_CALIBRATION_SCANS = 40, HY_CALIBRATION_COPIES = 23 };

/*
 * cases: n indices of labelled cases of d, whose classes and channels are the model's. Each scan is predicted as it is and spoiled in
 * memory: by the four artefacts of ACDC-C, by all eight at levels 2 and 4, and with a spacing that is misdeclared by 0.7 and
 * 1.4. *out becomes the calibration, the model stays as it is. Draws depend on the scans' names alone. HARDY_ERROR_DATA when
 * the scans are too few (hy_calibration_fit), HARDY_ERROR_INTERRUPTED when stop (NULL allowed) asks.
 */
hardy_status hy_calibrate(hy_model *model, const hy_dataset *d, const size_t *cases, size_t n, const hy_dataset_options *o,
                          const hardy_log *log, const hardy_stop *stop, hy_calibration *out, hardy_error *err);

#endif
