/*
 * protobuf.h: writing messages in the binary form of Protocol Buffers.
 *
 * A message is its fields one after the other. Each begins with a key, 8 field + wire type (0: variable-length number, 2: counted bytes, 5: four
 * bytes), itself a variable-length number: seven bits a byte, the lowest first, the highest bit set on all but the last. A message within a message
 * is a field of counted bytes. Fields may come in any order; a repeated field simply comes several times.
 */
#ifndef HY_EXPORT_PROTOBUF_H
#define HY_EXPORT_PROTOBUF_H

#include "base/text.h"

/* Fields are appended to m, which notices when memory runs out (hy_text). */
void hy_proto_int(hy_text *m, int field, int64_t value);
void hy_proto_float(hy_text *m, int field, float value);
void hy_proto_bytes(hy_text *m, int field, const void *data, size_t n);
void hy_proto_text(hy_text *m, int field, const char *text);
/* Appends what part holds as a message within m, and empties part. */
void hy_proto_message(hy_text *m, int field, hy_text *part);

#endif
