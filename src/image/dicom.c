/*
 * dicom.c: recognising DICOM files by their first bytes, and the few elements of their headers that tell scans apart.
 */
#include "image/dicom.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TRIED = 8, DEEP = 2 }; /* entries of a folder that are looked at, and how far below */

bool hy_dicom_starts(const uint8_t *bytes, size_t size)
{
	return size >= HY_DICOM_START && !memcmp(bytes + HY_DICOM_START - 4, "DICM", 4);
}

static bool is_file(const char *path)
{
	uint8_t start[HY_DICOM_START];
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	const size_t n = fread(start, 1, sizeof start, f);
	fclose(f);
	return hy_dicom_starts(start, n);
}

static hardy_status look_for(const char *path, int deep, bool *found, hardy_error *err)
{
	hy_names names = {0};
	const bool folder = hy_path_is_folder(path);
	hardy_status status = folder && deep >= 0 ? hy_list_folder(path, &names, err) : HARDY_OK;
	*found = !folder && is_file(path);
	for (size_t i = 0; i < names.n && i < TRIED && !*found && !status; i++) {
		char *below = hy_path_join(path, names.name[i]);
		status = below ? look_for(below, deep - 1, found, err) : hy_fail_memory(err, path, 1, 1);
		hy_free(below);
	}
	hy_names_free(&names);
	return status == HARDY_ERROR_MEMORY ? status : HARDY_OK;
}

hardy_status hy_dicom_is(const char *path, bool *found, hardy_error *err)
{
	return look_for(path, DEEP, found, err);
}

/* ---- elements (DICOM PS3.5, 7) ------------------------------------------------------------------------------------------ */

enum { DEEPEST = 16 };        /* sequences in sequences */
#define UNDEFINED 0xFFFFFFFFu /* a length: until a delimiter */
#define ITEM      0xFFFEE000u
#define END_ITEM  0xFFFEE00Du
#define END_LIST  0xFFFEE0DDu
#define LAST_TAG  0x00280011u /* columns: all that is wanted stands before */

typedef struct reader {
	const uint8_t *at, *end;
	bool explicit_vr;
} reader;

typedef struct element {
	uint32_t tag, length;
	bool sequence; /* items follow, whatever the length */
	bool unknown;  /* UN: within, as if implicit (PS3.5, 6.2.2) */
	const uint8_t *value;
} element;

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t half(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static size_t left(const reader *r)
{
	return (size_t)(r->end - r->at);
}

static bool is_vr(const uint8_t *p, const char *vrs)
{
	for (; *vrs; vrs += 2)
		if (p[0] == (uint8_t)vrs[0] && p[1] == (uint8_t)vrs[1])
			return true;
	return false;
}

/* The head of the next element; false at the end, or where none can be. */
static bool next_element(reader *r, element *e)
{
	if (left(r) < 8)
		return false;
	e->tag = half(r->at) << 16 | half(r->at + 2);
	e->sequence = e->unknown = false;
	const bool bare = e->tag >> 16 == 0xFFFE || !r->explicit_vr;
	if (bare) {
		e->length = word(r->at + 4);
		r->at += 8;
	} else if (is_vr(r->at + 4, "OBOWOFODOLOVSQUCURUTUNSVUV")) {
		if (left(r) < 12)
			return false;
		e->sequence = is_vr(r->at + 4, "SQ");
		e->unknown = is_vr(r->at + 4, "UN");
		e->length = word(r->at + 8);
		r->at += 12;
	} else {
		e->length = half(r->at + 6);
		r->at += 8;
	}
	e->value = r->at;
	return true;
}

/* Passes over a value; of undefined length, over items up to its end. false where the bytes end before. */
static bool pass(reader *r, const element *e, int deep)
{
	element inner;
	if (e->length != UNDEFINED) {
		if (e->length > left(r))
			return false;
		r->at += e->length;
		return true;
	}
	const bool explicit_vr = r->explicit_vr;
	bool ended = false, good = deep < DEEPEST;
	r->explicit_vr = explicit_vr && !e->unknown;
	while (good && !ended && (good = next_element(r, &inner))) {
		ended = inner.tag == END_LIST || inner.tag == END_ITEM;
		good = ended || pass(r, &inner, deep + 1);
	}
	r->explicit_vr = explicit_vr;
	return good;
}

/* A value without the blanks and zero bytes that fill it up. */
static void take_text(const element *e, char out[HY_DICOM_TEXT])
{
	size_t n = e->length, first = 0;
	while (n && (e->value[n - 1] == ' ' || !e->value[n - 1]))
		n--;
	while (first < n && e->value[first] == ' ')
		first++;
	n -= first;
	n = n < HY_DICOM_TEXT ? n : HY_DICOM_TEXT - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = e->value[first + i] ? (char)e->value[first + i] : ' ';
	out[n] = 0;
}

static double take_number(const element *e)
{
	char text[HY_DICOM_TEXT];
	take_text(e, text);
	return hy_number(text);
}

static void take(const element *e, hy_dicom *out)
{
	switch (e->tag) {
	case 0x00100020u:
		take_text(e, out->patient);
		break;
	case 0x00181060u:
		out->trigger_ms = take_number(e);
		break;
	case 0x0020000Eu:
		take_text(e, out->series);
		break;
	case 0x00200011u:
		out->series_number = take_number(e);
		break;
	case 0x00200013u:
		out->instance = take_number(e);
		break;
	case 0x00200032u:
		take_text(e, out->position);
		break;
	case 0x00200037u:
		take_text(e, out->direction);
		break;
	case 0x00280010u:
		out->image = e->length >= 2;
		break;
	default:
		break;
	}
}

/* The group that says how the others are written (PS3.10, 7.1): always explicit. Leaves r behind it. */
static bool read_meta(reader *r)
{
	static const char implicit[] = "1.2.840.10008.1.2", deflated[] = "1.2.840.10008.1.2.1.99", big[] = "1.2.840.10008.1.2.2";
	char syntax[HY_DICOM_TEXT] = "";
	element e;
	r->explicit_vr = true;
	while (left(r) >= 8 && half(r->at) == 2) {
		if (!next_element(r, &e) || e.length > left(r))
			return false;
		if (e.tag == 0x00020010u)
			take_text(&e, syntax);
		r->at += e.length;
	}
	r->explicit_vr = strcmp(syntax, implicit) != 0;
	return *syntax && strcmp(syntax, deflated) != 0 && strcmp(syntax, big) != 0;
}

bool hy_dicom_parse(const uint8_t *bytes, size_t size, hy_dicom *out)
{
	element e;
	*out = (hy_dicom){.series_number = NAN, .instance = NAN, .trigger_ms = NAN};
	if (!hy_dicom_starts(bytes, size))
		return false;
	reader r = {.at = bytes + HY_DICOM_START, .end = bytes + size};
	if (!read_meta(&r))
		return false;
	while (next_element(&r, &e) && e.tag < LAST_TAG) {
		if (e.length != UNDEFINED && !e.sequence && e.length <= left(&r))
			take(&e, out);
		if (!pass(&r, &e, 0))
			break;
	}
	return true;
}
