/*
 * onnx.h: a network as an ONNX graph (https://onnx.ai: operator set 13, file version 7), which other programs run.
 *
 * The graph is made from the tape that the network's own definition records, so that it cannot be another network: each node of the tape becomes one to
 * three operators of ONNX. Batch and grid are left open. Input "image": n x channels x height x width, float32, as a plan prepares slices. Outputs
 * "logits" and "probabilities": n x classes x height x width.
 */
#ifndef HY_EXPORT_ONNX_H
#define HY_EXPORT_ONNX_H

#include "base/text.h"
#include "predict/model.h"

/* A text that goes along: metadata_props. */
typedef struct hy_onnx_note {
	const char *key, *value;
} hy_onnx_note;

/* Bytes of which the first 64 KiB of every such file hold some: who made it. */
#define HY_ONNX_MARK "\x12\x05hardy\x1a"

/* stn: FTN+STN, of the study's networks, instead of the FTN alone. Appends the bytes of the file to out. */
hardy_status hy_onnx_make(const hy_model *m, bool stn, const hy_onnx_note *notes, size_t n_notes, hy_text *out,
                          hardy_error *err);

#endif
