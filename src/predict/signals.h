/*
 * signals.h: what a prediction tells of its own quality without truth: how sure both networks are, and how far they agree.
 */
#ifndef HY_PREDICT_SIGNALS_H
#define HY_PREDICT_SIGNALS_H

#include "base/error.h"
#include "dataset/dataset.h"

/*
 * Of each class, each from 0 to 1. a and b are class probabilities of FTN and FTN+STN, A and B the pixels where the class is the most
 * probable one:
 *   confidence of either: 2 sum_A a / (|A| + sum a), the Dice that the probabilities themselves expect of the label map;
 *   agreement of labels: 2 |A and B| / (|A| + |B|);
 *   agreement of probabilities: 2 sum a b / (sum a a + sum b b).
 */
enum hy_measure { HY_CONFIDENCE_FTN, HY_CONFIDENCE_STN, HY_AGREEMENT_LABELS, HY_AGREEMENT_PROBABILITIES, HY_N_MEASURES };

typedef struct hy_signals {
	int n_classes;
	bool absent[HY_MAX_CLASSES]; /* from both label maps; its measures are 0 then */
	double measure[HY_N_MEASURES][HY_MAX_CLASSES];
} hy_signals;

/* ftn, stn: n x classes x plane probabilities. The same values give the same bytes, whatever the number of threads. */
hardy_status hy_signals_measure(hy_signals *s, const float *ftn, const float *stn, int64_t n, int n_classes, int64_t plane,
                                hardy_error *err);

/* Mean over classes, the least, and the least's log-odds, for each measure. */
enum { HY_N_SIGNALS = 3 * HY_N_MEASURES };

/*
 * presence: the share of scans in which each class is to be expected. A class that both networks miss counts by it in the mean, and
 * among the least when it is a half or more.
 */
void hy_signals_vector(const hy_signals *s, const double presence[HY_MAX_CLASSES], double out[HY_N_SIGNALS]);

#endif
