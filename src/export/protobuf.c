/*
 * protobuf.c: see protobuf.h.
 */
#include "export/protobuf.h"

#include <string.h>

enum { WIRE_NUMBER = 0, WIRE_BYTES = 2, WIRE_FOUR = 5 };

static void put_number(hy_text *m, uint64_t value)
{
	char bytes[10];
	size_t n = 0;
	for (; value > 127; value >>= 7)
		bytes[n++] = (char)(value | 128);
	bytes[n++] = (char)value;
	hy_text_add(m, bytes, n);
}

static void put_key(hy_text *m, int field, int wire)
{
	put_number(m, (uint64_t)field << 3 | (uint64_t)wire);
}

void hy_proto_int(hy_text *m, int field, int64_t value)
{
	put_key(m, field, WIRE_NUMBER);
	put_number(m, (uint64_t)value);
}

void hy_proto_float(hy_text *m, int field, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	const unsigned char little[] = {(unsigned char)bits, (unsigned char)(bits >> 8), (unsigned char)(bits >> 16),
	                                (unsigned char)(bits >> 24)};
	put_key(m, field, WIRE_FOUR);
	hy_text_add(m, (const char *)little, sizeof little);
}

void hy_proto_bytes(hy_text *m, int field, const void *data, size_t n)
{
	put_key(m, field, WIRE_BYTES);
	put_number(m, n);
	hy_text_add(m, data, n);
}

void hy_proto_text(hy_text *m, int field, const char *text)
{
	hy_proto_bytes(m, field, text, strlen(text));
}

void hy_proto_message(hy_text *m, int field, hy_text *part)
{
	hy_proto_bytes(m, field, part->data ? part->data : "", part->used);
	m->failed = m->failed || part->failed;
	hy_text_clear(part);
}
