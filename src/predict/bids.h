/*
 * bids.h: predictions laid out as a derivative data set of BIDS, the Brain Imaging Data Structure (specification 1.10.0: "Derivatives", "Imaging data types",
 * "Discrete segmentations").
 *
 * OUTPUT/dataset_description.json, OUTPUT/dseg.tsv (what the values mean, for all maps below it) and OUTPUT/.bidsignore; OUTPUT/sub-LABEL/[ses-LABEL/]anat/NAME_dseg.nii.gz
 * with NAME_dseg.json.
 */
#ifndef HY_PREDICT_BIDS_H
#define HY_PREDICT_BIDS_H

#include "predict/legend.h"
#include "predict/model.h"

/*
 * The path of a label map below OUTPUT without its extension. A scan that is named as BIDS does keeps its entities: sub-01_ses-2_T1w, in a folder func, dwi or any
 * other, becomes sub-01/ses-2/anat/sub-01_ses-2_dseg, or below func or dwi. Of others the label is the letters and digits of subject, and a phase is told by desc-. An error
 * when no label is left.
 */
hardy_status hy_bids_name(const char *scan, const char *subject, const char *phase, char name[HARDY_CASE_SIZE],
                          hardy_error *err);

/* Whether hy_bids_begin would refuse for what lies there: to be asked before the work begins. */
hardy_status hy_bids_check(const char *folder, const hy_legend *l, bool overwrite, hardy_error *err);
/* Writes what the data set has once. A table and a list of ignored files that are there stay. */
hardy_status hy_bids_begin(const char *folder, const hy_legend *l, bool overwrite, hardy_error *err);
void hy_bids_remove(const char *folder); /* takes them back */

/* What a label map's sidecar says of a model: file name, SHA-256, network and plan; added to a list. */
hardy_status hy_bids_add_model(cJSON *models, const hy_model *m, const char *path, hardy_error *err);

/* The sidecar of the label map NAME.nii.gz, newly allocated; NULL when memory runs out. */
char *hy_bids_sidecar(const char *label_path) HY_MUST_USE;
/* scan: its file name goes into it. Replaces what hardy wrote there; anything with overwrite. */
hardy_status hy_bids_write_sidecar(const char *path, const char *scan, const hy_legend *l, const cJSON *models, bool overwrite,
                                   hardy_error *err);

#endif
