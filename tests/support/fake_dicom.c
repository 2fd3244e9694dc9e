/*
 * fake_dicom.c: writing small DICOM files (PS3.5 and PS3.10).
 */
#include "support/fake_dicom.h"

#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct writer {
	uint8_t *at;
	bool implicit;
} writer;

static void put_half(writer *w, unsigned v)
{
	*w->at++ = (uint8_t)v;
	*w->at++ = (uint8_t)(v >> 8);
}

static void put_word(writer *w, uint32_t v)
{
	put_half(w, v & 0xFFFF);
	put_half(w, v >> 16);
}

static void put_head(writer *w, uint32_t tag, const char *vr, uint32_t length)
{
	const bool is_long = !strcmp(vr, "SQ") || !strcmp(vr, "OW") || !strcmp(vr, "OB");
	put_half(w, tag >> 16);
	put_half(w, tag & 0xFFFF);
	if (w->implicit) {
		put_word(w, length);
		return;
	}
	memcpy(w->at, vr, 2);
	w->at += 2;
	if (is_long) {
		put_half(w, 0);
		put_word(w, length);
	} else {
		put_half(w, length);
	}
}

static void put_text(writer *w, uint32_t tag, const char *vr, const char *text)
{
	const size_t n = strlen(text), even = n + n % 2;
	put_head(w, tag, vr, (uint32_t)even);
	memcpy(w->at, text, n);
	if (even > n)
		w->at[n] = strcmp(vr, "UI") ? ' ' : 0;
	w->at += even;
}

static void put_number(writer *w, uint32_t tag, const char *vr, double v)
{
	char text[32];
	snprintf(text, sizeof text, "%g", v);
	put_text(w, tag, vr, text);
}

static void put_short(writer *w, uint32_t tag, unsigned v)
{
	put_head(w, tag, "US", 2);
	put_half(w, v);
}

/* A sequence and an item in it, both of undefined length; in the item a series number that is nobody's. */
static void put_sequence(writer *w)
{
	put_head(w, 0x00081140, "SQ", 0xFFFFFFFF);
	put_half(w, 0xFFFE), put_half(w, 0xE000), put_word(w, 0xFFFFFFFF);
	put_text(w, 0x00200011, "IS", "999");
	put_half(w, 0xFFFE), put_half(w, 0xE00D), put_word(w, 0);
	put_half(w, 0xFFFE), put_half(w, 0xE0DD), put_word(w, 0);
}

static void put_image(writer *w, const fake_dicom *d)
{
	const unsigned side = FAKE_DICOM_SIDE;
	put_short(w, 0x00280002, 1);
	put_text(w, 0x00280004, "CS", "MONOCHROME2");
	put_short(w, 0x00280010, side);
	put_short(w, 0x00280011, side);
	put_text(w, 0x00280030, "DS", "1.5\\1.5");
	put_short(w, 0x00280100, 16);
	put_short(w, 0x00280101, 12);
	put_short(w, 0x00280102, 11);
	put_short(w, 0x00280103, 0);
	put_head(w, 0x7FE00010, "OW", 2 * side * side);
	for (unsigned i = 0; i < side * side; i++)
		put_half(w, i ? d->value : 1000);
}

size_t fake_dicom_make(const fake_dicom *d, uint8_t bytes[FAKE_DICOM_ROOM])
{
	char uid[64], position[64];
	writer w = {.at = bytes + 132};
	memset(bytes, 0, 128);
	memcpy(bytes + 128, "DICM", 4);
	put_text(&w, 0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.4");
	put_text(&w, 0x00020010, "UI", d->implicit ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1");
	w.implicit = d->implicit;
	snprintf(uid, sizeof uid, "%s.%d", d->series, d->instance);
	snprintf(position, sizeof position, "-12\\-12\\%g", d->place_mm);
	put_text(&w, 0x00080008, "CS", "ORIGINAL\\PRIMARY\\M");
	put_text(&w, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4");
	put_text(&w, 0x00080018, "UI", uid);
	put_text(&w, 0x00080060, "CS", "MR");
	if (d->maker)
		put_text(&w, 0x00080070, "LO", d->maker);
	if (d->with_sequence)
		put_sequence(&w);
	put_text(&w, 0x00100020, "LO", d->patient);
	put_text(&w, 0x00180050, "DS", "8");
	put_text(&w, 0x00180080, "DS", "2.8");
	put_text(&w, 0x00180081, "DS", "1.2");
	if (isfinite(d->trigger_ms))
		put_number(&w, 0x00181060, "DS", d->trigger_ms);
	put_text(&w, 0x0020000D, "UI", "1.2.826.1");
	put_text(&w, 0x0020000E, "UI", d->series);
	put_number(&w, 0x00200011, "IS", d->series_number);
	put_number(&w, 0x00200013, "IS", d->instance);
	put_text(&w, 0x00200032, "DS", position);
	put_text(&w, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
	if (!d->no_pixels)
		put_image(&w, d);
	return (size_t)(w.at - bytes);
}

void fake_dicom_write(const char *name, const fake_dicom *d)
{
	uint8_t bytes[FAKE_DICOM_ROOM];
	const size_t size = fake_dicom_make(d, bytes);
	tree_text(name, "");
	FILE *f = fopen(tree_path(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

void fake_dicom_cine(const char *folder, const fake_dicom *like, int nz, int nt, int first)
{
	for (int z = 0; z < nz; z++) {
		for (int t = 0; t < nt; t++) {
			char name[128];
			fake_dicom d = *like;
			d.instance = first + (nz - 1 - z) * nt + t;
			d.place_mm = 8 * z;
			d.trigger_ms = 40 * t;
			d.value = (uint16_t)(100 * z + 10 * t);
			snprintf(name, sizeof name, "%s/%04d.dcm", folder, d.instance);
			fake_dicom_write(name, &d);
		}
	}
}
