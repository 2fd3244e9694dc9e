/*
 * nifti_header.c: checks a header field by field, and decides which of its geometries to believe.
 */
#include "image/nifti_header.h"

#include "image/dicom.h"
#include "image/geometry.h"
#include "image/nifti.h"
#include "image/nifti_fields.h"

#include <math.h>
#include <string.h>

static const struct {
	int code, bits; /* bits 0: not read */
	const char *name;
} types[] = {
    {HY_NIFTI_UINT8, 8, "uint8"},
    {HY_NIFTI_INT16, 16, "int16"},
    {HY_NIFTI_INT32, 32, "int32"},
    {HY_NIFTI_FLOAT32, 32, "float32"},
    {HY_NIFTI_FLOAT64, 64, "float64"},
    {HY_NIFTI_INT8, 8, "int8"},
    {HY_NIFTI_UINT16, 16, "uint16"},
    {HY_NIFTI_UINT32, 32, "uint32"},
    {HY_NIFTI_INT64, 64, "int64"},
    {HY_NIFTI_UINT64, 64, "uint64"},
    {1, 0, "binary"},
    {32, 0, "complex64"},
    {128, 0, "RGB"},
    {1536, 0, "float128"},
    {1792, 0, "complex128"},
    {2048, 0, "complex256"},
    {2304, 0, "RGBA"},
};

static const size_t n_types = sizeof types / sizeof *types;

const char *hy_nifti_type_name(int datatype)
{
	for (size_t i = 0; i < n_types; i++)
		if (types[i].code == datatype)
			return types[i].name;
	return "unknown";
}

/* What the parsing steps share. */
typedef struct parser {
	const char *path;
	hy_nifti_header *h;
	const hardy_log *log;
	hardy_error *err;
} parser;

static int64_t get_int(const parser *p, hy_nifti_field field, int index)
{
	return hy_nifti_get_int(p->h->raw, p->h->version, field, index);
}

static double get_real(const parser *p, hy_nifti_field field, int index)
{
	return hy_nifti_get_real(p->h->raw, p->h->version, field, index);
}

/* How many of the magic's three letters are there: two of three are a damaged NIfTI rather than ANALYZE. */
static int letters_of_magic(const uint8_t *magic)
{
	return (magic[0] == 'n') + (magic[1] == 'i' || magic[1] == '+') + (magic[2] == '1' || magic[2] == '2') + (magic[3] == 0);
}

/* Version, byte order, single file or pair. */
static hardy_status identify(parser *p, const uint8_t *bytes, size_t size, bool pair)
{
	hy_nifti_header *h = p->h;
	if (hy_dicom_starts(bytes, size))
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: is DICOM, " HY_DICOM_REMEDY, p->path);
	if (size < HY_NIFTI1_SIZE)
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: not NIfTI: holds %zu bytes, want a header of %d or more", p->path, size,
		               HY_NIFTI1_SIZE);
	int64_t said = hy_nifti_get_int(bytes, 1, HY_F_SIZEOF_HDR, 0);
	uint8_t turned[4];
	memcpy(turned, bytes, sizeof turned);
	hy_swap_bytes(turned, 1, sizeof turned);
	const int64_t said_big = hy_nifti_get_int(turned, 1, HY_F_SIZEOF_HDR, 0);
	h->big_endian = said_big == HY_NIFTI1_SIZE || said_big == HY_NIFTI2_SIZE;
	if (h->big_endian)
		said = said_big;
	if (said != HY_NIFTI1_SIZE && said != HY_NIFTI2_SIZE)
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: not NIfTI: sizeof_hdr is %lld, want %d or %d in either byte order",
		               p->path, (long long)said, HY_NIFTI1_SIZE, HY_NIFTI2_SIZE);
	if (size < (size_t)said)
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: header is truncated: holds %zu bytes, want %lld", p->path, size,
		               (long long)said);
	h->size = (size_t)said;
	h->version = said == HY_NIFTI2_SIZE ? 2 : 1;
	memcpy(h->raw, bytes, h->size);
	const uint8_t *magic = bytes + (h->version == 2 ? 4 : 344);
	const char digit = h->version == 2 ? '2' : '1';
	if (magic[0] == 'n' && (magic[1] == '+' || magic[1] == 'i') && magic[2] == digit && !magic[3] &&
	    (h->version == 1 || !memcmp(magic + 4, "\r\n\032\n", 4))) {
		h->single = magic[1] == '+';
		if (h->single == pair)
			return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: magic is n%c%c, but the name says %s", p->path, magic[1], digit,
			               pair ? "header and image in two files (want ni1 or ni2)" : "one file (want n+1 or n+2)");
	} else if (h->version == 1 && pair && letters_of_magic(magic) < 3) {
		h->version = 0;
	} else {
		return hy_fail(p->err, HARDY_ERROR_FORMAT,
		               "%s: not NIfTI: magic is bytes %02x %02x %02x %02x, want n+1, ni1, n+2 or ni2 with its ending", p->path,
		               magic[0], magic[1], magic[2], magic[3]);
	}
	if (h->big_endian)
		hy_nifti_swap_header(h->raw, h->version);
	return HARDY_OK;
}

static hardy_status check_dimensions(parser *p)
{
	hy_nifti_header *h = p->h;
	const int64_t intent = h->version ? get_int(p, HY_F_INTENT_CODE, 0) : 0;
	if (intent >= 3000 && intent < 3100)
		return hy_fail(p->err, HARDY_ERROR_UNSUPPORTED,
		               "%s: CIFTI (intent_code %lld) holds surface or region data, want a scan of voxels", p->path,
		               (long long)intent);
	const int64_t n_dim = get_int(p, HY_F_DIM, 0);
	if (n_dim < 1 || n_dim > 7)
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: dim[0] is %lld, want 2 to 4 dimensions", p->path, (long long)n_dim);
	if (n_dim == 1)
		return hy_fail(p->err, HARDY_ERROR_UNSUPPORTED, "%s: dim[0] is 1, want 2 to 4 dimensions", p->path);
	h->n_voxels = 1;
	for (int i = 1; i <= 7; i++) {
		const int64_t n = i <= n_dim ? get_int(p, HY_F_DIM, i) : 1;
		if (n < 1)
			return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: dim[%d] is %lld, want 1 or more", p->path, i, (long long)n);
		if (i > 4 && n > 1)
			return hy_fail(p->err, HARDY_ERROR_UNSUPPORTED, "%s: dim[%d] is %lld: %d-D with content, want 2-D to 4-D", p->path,
			               i, (long long)n, i);
		if (i <= 4)
			h->n[i - 1] = n;
		if (n > INT32_MAX || __builtin_mul_overflow(h->n_voxels, n, &h->n_voxels) || h->n_voxels > INT64_MAX / 1024)
			return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: dim[%d] is %lld: more voxels than any file holds", p->path, i,
			               (long long)n);
	}
	h->grid.nx = h->n[0];
	h->grid.ny = h->n[1];
	h->grid.nz = h->n[2];
	return HARDY_OK;
}

static hardy_status check_type(parser *p)
{
	hy_nifti_header *h = p->h;
	h->datatype = (int)get_int(p, HY_F_DATATYPE, 0);
	const int64_t bitpix = get_int(p, HY_F_BITPIX, 0);
	for (size_t i = 0; i < n_types; i++) {
		if (types[i].code != h->datatype)
			continue;
		if (!types[i].bits)
			return hy_fail(p->err, HARDY_ERROR_UNSUPPORTED,
			               "%s: datatype is %d (%s), want real scalars: integers of 8 to 64 bits, float32 or float64", p->path,
			               h->datatype, types[i].name);
		h->voxel_size = (size_t)types[i].bits / 8;
		h->bitpix_agrees = bitpix == types[i].bits;
		h->n_bytes = h->n_voxels * (int64_t)h->voxel_size;
		if (!h->bitpix_agrees)
			hy_warn(p->log, "%s: bitpix is %lld, but datatype %s has %d bits; believing the datatype", p->path,
			        (long long)bitpix, types[i].name, types[i].bits);
		return HARDY_OK;
	}
	return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: datatype is %d, which is no NIfTI type", p->path, h->datatype);
}

static hardy_status check_offset(parser *p)
{
	hy_nifti_header *h = p->h;
	const double offset = get_real(p, HY_F_VOX_OFFSET, 0);
	if (!(offset >= 0 && offset < 9e15) || offset != floor(offset))
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: vox_offset is %g, want a whole number of bytes", p->path, offset);
	h->offset = (int64_t)offset;
	if (h->single && !h->offset) {
		h->offset = (int64_t)h->size + 4;
		hy_warn(p->log, "%s: vox_offset is 0; taking %lld, directly after the header", p->path, (long long)h->offset);
	}
	if (h->single && h->offset < (int64_t)h->size)
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: vox_offset is %lld, within the header; want %zu or more", p->path,
		               (long long)h->offset, h->size + 4);
	return HARDY_OK;
}

static hardy_status check_scaling(parser *p)
{
	hy_nifti_header *h = p->h;
	double slope = get_real(p, HY_F_SCL_SLOPE, 0), inter = get_real(p, HY_F_SCL_INTER, 0);
	if (!h->version) {
		/* SPM's use of ANALYZE's spare fields, as spm_vol_ana and nibabel read them. */
		const double stored = (double)(get_int(p, HY_F_GLMAX, 0) - get_int(p, HY_F_GLMIN, 0));
		const double shown = get_real(p, HY_F_CAL_MAX, 0) - get_real(p, HY_F_CAL_MIN, 0);
		if (!isfinite(inter))
			inter = 0;
		if ((slope == 0 || !isfinite(slope)) && stored != 0 && shown != 0 && isfinite(shown)) {
			slope = shown / stored;
			inter = get_real(p, HY_F_CAL_MIN, 0) - slope * (double)get_int(p, HY_F_GLMIN, 0);
		}
	}
	h->slope = 1;
	if (slope == 0 || !isfinite(slope))
		return HARDY_OK;
	if (!isfinite(inter))
		return hy_fail(p->err, HARDY_ERROR_FORMAT, "%s: scl_inter is %g beside scl_slope %g, want a finite number", p->path,
		               inter, slope);
	h->scaled = slope != 1 || inter != 0;
	h->slope = slope;
	h->inter = inter;
	return HARDY_OK;
}

/* What the unit code makes of a length in mm: 1 when it says mm, nothing, or something that cannot be meant. */
static double unit_in_mm(parser *p, const double pixdim[3])
{
	const int64_t unit = p->h->version ? get_int(p, HY_F_XYZT_UNITS, 0) & 7 : 0;
	if (unit == 1) {
		if (pixdim[0] > 0.1 || pixdim[1] > 0.1) {
			hy_warn(p->log, "%s: xyzt_units says metres for voxels of %g x %g x %g; reading them as mm", p->path, pixdim[0],
			        pixdim[1], pixdim[2]);
			return 1;
		}
		hy_warn(p->log, "%s: lengths are in metres; converted to mm", p->path);
		return 1000;
	}
	if (unit == 3) {
		hy_warn(p->log, "%s: lengths are in micrometres; converted to mm", p->path);
		return 0.001;
	}
	return 1;
}

/* The spacing of pixdim, mended where it is none. */
static void read_pixdim(parser *p, double spacing[3])
{
	const int64_t n_dim = get_int(p, HY_F_DIM, 0);
	for (int i = 0; i < 3; i++) {
		const double said = get_real(p, HY_F_PIXDIM, i + 1);
		spacing[i] = fabs(said);
		if (!(spacing[i] > 1e-6 && spacing[i] < 1e5)) /* NaN too */
			spacing[i] = 1;
		if (i < n_dim && spacing[i] != said)
			hy_warn(p->log, "%s: pixdim[%d] is %g, want more than 0; taking %g", p->path, i + 1, said, spacing[i]);
	}
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-3 * fmax(fabs(a), fabs(b));
}

/* The sform, if it is set and usable. */
static bool take_sform(parser *p, const double pixdim[3])
{
	hy_grid *g = &p->h->grid;
	double spacing[3], affine[3][4];
	if (get_int(p, HY_F_SFORM_CODE, 0) <= 0)
		return false;
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 4; c++)
			affine[r][c] = get_real(p, HY_F_SROW, 4 * r + c);
	if (!hy_affine_usable(affine)) {
		hy_warn(p->log, "%s: the sform is degenerate; it is not used", p->path);
		return false;
	}
	hy_affine_spacing(affine, spacing);
	bool unit = true, same = true;
	for (int i = 0; i < 3; i++) {
		unit = unit && near(spacing[i], 1);
		same = same && near(spacing[i], pixdim[i]);
	}
	if (unit && !same) {
		hy_warn(p->log,
		        "%s: the sform has voxels of 1 x 1 x 1 mm, but pixdim says %g x %g x %g mm: the known fault of ACDC headers; "
		        "believing pixdim (a spacing that is given overrides it)",
		        p->path, pixdim[0], pixdim[1], pixdim[2]);
		hy_affine_rescale(affine, pixdim);
	} else if (!same) {
		hy_warn(p->log, "%s: the sform has voxels of %g x %g x %g mm, but pixdim says %g x %g x %g mm; believing the sform",
		        p->path, spacing[0], spacing[1], spacing[2], pixdim[0], pixdim[1], pixdim[2]);
	}
	memcpy(g->affine, affine, sizeof affine);
	p->h->source = unit && !same ? HY_FROM_SFORM_AND_PIXDIM : HY_FROM_SFORM;
	return true;
}

/* The qform as an affine; *square: the quaternion's length. False when it is not set or degenerate. */
static bool read_qform(const parser *p, const double pixdim[3], double (*affine)[4], double *square)
{
	double bcd[3], offset[3];
	*square = 0;
	if (get_int(p, HY_F_QFORM_CODE, 0) <= 0)
		return false;
	for (int i = 0; i < 3; i++) {
		bcd[i] = get_real(p, HY_F_QUATERN, i);
		offset[i] = get_real(p, HY_F_QOFFSET, i);
		*square += bcd[i] * bcd[i];
	}
	const double qfac = get_real(p, HY_F_PIXDIM, 0) < 0 ? -1 : 1;
	return hy_affine_from_quaternion(bcd, offset, pixdim, qfac, affine) && hy_affine_usable(affine);
}

/* The qform, if it is set and usable. */
static bool take_qform(parser *p, const double pixdim[3])
{
	double affine[3][4], square;
	if (get_int(p, HY_F_QFORM_CODE, 0) <= 0)
		return false;
	if (!read_qform(p, pixdim, affine, &square)) {
		hy_warn(p->log, "%s: the qform is degenerate; it is not used", p->path);
		return false;
	}
	if (square > 1.001)
		hy_warn(p->log, "%s: the qform's quaternion has length %g, want 1 or less; shortened", p->path, sqrt(square));
	memcpy(p->h->grid.affine, affine, sizeof affine);
	p->h->source = HY_FROM_QFORM;
	return true;
}

/* A qform beside the sform that was believed: other programs believe it (ITK before 5.1 did), and find left where this one finds right. */
static void compare_qform(parser *p, const double pixdim[3])
{
	hy_grid other = p->h->grid;
	double square;
	if (!read_qform(p, pixdim, other.affine, &square))
		return;
	const double apart = hy_grid_difference_mm(&p->h->grid, &other);
	double spacing[3];
	hy_affine_spacing(p->h->grid.affine, spacing);
	if (apart > 0.5 * fmin(fmin(spacing[0], spacing[1]), spacing[2]))
		hy_warn(p->log,
		        "%s: sform and qform put voxels up to %.1f mm apart; the sform is believed, other programs may believe the "
		        "qform",
		        p->path, apart);
}

/* ANALYZE: x runs to the left, the origin is SPM's or the centre; what nibabel takes. */
static void take_analyze(parser *p, const uint8_t *bytes, const double pixdim[3])
{
	hy_grid *g = &p->h->grid;
	const int64_t *n = p->h->n;
	double origin[3];
	bool any = false, inside = true;
	for (int i = 0; i < 3; i++) {
		uint8_t field[2] = {bytes[253 + 2 * i], bytes[254 + 2 * i]};
		if (p->h->big_endian)
			hy_swap_bytes(field, 1, 2);
		const int16_t value = (int16_t)(field[0] | field[1] << 8);
		origin[i] = value;
		any = any || value;
		inside = inside && value > -n[i] && value < 2 * n[i];
	}
	for (int i = 0; i < 3; i++) {
		const double centre = any && inside ? origin[i] - 1 : (double)(n[i] - 1) / 2;
		g->affine[i][i] = i == 0 ? -pixdim[i] : pixdim[i];
		g->affine[i][3] = -centre * g->affine[i][i];
	}
	hy_warn(p->log, "%s: ANALYZE 7.5 does not say where left is; assuming that x runs from right to left", p->path);
}

static void believe_geometry(parser *p, const uint8_t *bytes, const double *override)
{
	hy_nifti_header *h = p->h;
	hy_grid *g = &h->grid;
	double pixdim[3];
	read_pixdim(p, pixdim);
	if (!h->version) {
		take_analyze(p, bytes, pixdim);
		h->source = HY_FROM_ANALYZE;
	} else if (!take_sform(p, pixdim) && !take_qform(p, pixdim)) {
		h->source = HY_FROM_PIXDIM;
		hy_grid_set_simple(g, g->nx, g->ny, g->nz, pixdim[0], pixdim[1], pixdim[2]);
		hy_info(p->log, "%s: neither sform nor qform; orientation is unknown, spacing is from pixdim", p->path);
	}
	if (h->source == HY_FROM_SFORM)
		compare_qform(p, pixdim);
	g->located = h->source != HY_FROM_PIXDIM && h->source != HY_FROM_ANALYZE;
	const double unit = unit_in_mm(p, pixdim);
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 4; c++)
			g->affine[r][c] *= unit;
	hy_affine_spacing(g->affine, g->spacing_mm);
	bool overridden = false;
	for (int i = 0; override && i < 3; i++)
		if (override[i] > 0 && override[i] != g->spacing_mm[i]) {
			g->spacing_mm[i] = override[i];
			overridden = true;
		}
	if (overridden)
		hy_affine_rescale(g->affine, g->spacing_mm);
	const double shear = hy_grid_shear_mm(g);
	if (shear > 0.05)
		hy_warn(p->log, "%s: axes are not at right angles: squaring them would move a corner by %.2f mm; tolerated", p->path,
		        shear);
}

hardy_status hy_nifti_header_parse(const char *path, const uint8_t *bytes, size_t size, bool pair, const double *spacing_mm,
                                   hy_nifti_header *out, const hardy_log *log, hardy_error *err)
{
	hardy_status status;
	parser p = {path, out, log, err};
	memset(out, 0, sizeof *out);
	if ((status = identify(&p, bytes, size, pair)) || (status = check_dimensions(&p)) || (status = check_type(&p)) ||
	    (status = check_offset(&p)) || (status = check_scaling(&p)))
		return status;
	believe_geometry(&p, bytes, spacing_mm);
	return HARDY_OK;
}

void hy_nifti_header_description(const void *header, size_t size, char text[81])
{
	uint8_t raw[HY_NIFTI2_SIZE] = {0};
	size_t n;
	memcpy(raw, header, size < sizeof raw ? size : sizeof raw);
	const uint8_t *field = hy_nifti_text(raw, size == HY_NIFTI2_SIZE ? 2 : 1, HY_F_DESCRIP, &n);
	size_t i = 0;
	for (; i < n && field[i]; i++)
		text[i] = field[i] >= ' ' && field[i] <= '~' ? (char)field[i] : '?';
	text[i] = 0;
}

/* ---- times and texts of a kept header ----------------------------------------------------------------------------------- */

/* Bits of xyzt_units that say time: 8 s, 16 ms, 24 us. */
enum { TIME_UNITS = 0x38, SECONDS = 8, MILLISECONDS = 16, MICROSECONDS = 24 };

static int version_of(const hy_volume *v)
{
	return v->header_size == HY_NIFTI2_SIZE ? 2 : 1;
}

bool hy_nifti_times(const hy_volume *v, double *first_ms, double *step_ms)
{
	if (!v->header || v->header_size < HY_NIFTI1_SIZE)
		return false;
	const int version = version_of(v);
	const int64_t unit = hy_nifti_get_int(v->header, version, HY_F_XYZT_UNITS, 0) & TIME_UNITS;
	const double ms = unit == SECONDS ? 1000 : unit == MILLISECONDS ? 1 : unit == MICROSECONDS ? 0.001 : 0;
	const double step = ms * hy_nifti_get_real(v->header, version, HY_F_PIXDIM, 4),
	             first = ms * hy_nifti_get_real(v->header, version, HY_F_TOFFSET, 0);
	if (!(step > 0) || !isfinite(step) || !isfinite(first))
		return false;
	*first_ms = first;
	*step_ms = step;
	return true;
}

void hy_nifti_set_times(hy_volume *v, double first_ms, double step_ms)
{
	if (!v->header || v->header_size < HY_NIFTI1_SIZE)
		return;
	const int version = version_of(v);
	const int64_t units = hy_nifti_get_int(v->header, version, HY_F_XYZT_UNITS, 0);
	hy_nifti_put_int(v->header, version, HY_F_XYZT_UNITS, 0, (units & ~(int64_t)TIME_UNITS) | SECONDS);
	hy_nifti_put_real(v->header, version, HY_F_PIXDIM, 4, step_ms / 1000);
	hy_nifti_put_real(v->header, version, HY_F_TOFFSET, 0, first_ms / 1000);
}

void hy_nifti_forget_texts(hy_volume *v)
{
	static const hy_nifti_field texts[] = {HY_F_DESCRIP, HY_F_AUX_FILE, HY_F_INTENT_NAME};
	for (size_t i = 0; i < sizeof texts / sizeof *texts && v->header && v->header_size >= HY_NIFTI1_SIZE; i++) {
		size_t n = 0;
		uint8_t *text = hy_nifti_text(v->header, version_of(v), texts[i], &n);
		if (text)
			memset(text, 0, n);
	}
}

/* Geometry of the grid as sform and qform, both "scanner" unless the header said something else. */
static void put_geometry(uint8_t *raw, int version, const hy_grid *g)
{
	double bcd[3], offset[3], qfac;
	hy_affine_to_quaternion(g->affine, bcd, offset, &qfac);
	hy_nifti_put_real(raw, version, HY_F_PIXDIM, 0, qfac);
	for (int i = 0; i < 3; i++) {
		hy_nifti_put_real(raw, version, HY_F_PIXDIM, i + 1, g->spacing_mm[i]);
		hy_nifti_put_real(raw, version, HY_F_QUATERN, i, bcd[i]);
		hy_nifti_put_real(raw, version, HY_F_QOFFSET, i, offset[i]);
	}
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 4; c++)
			hy_nifti_put_real(raw, version, HY_F_SROW, 4 * r + c, g->affine[r][c]);
	const hy_nifti_field codes[2] = {HY_F_SFORM_CODE, HY_F_QFORM_CODE};
	for (int i = 0; i < 2; i++)
		if (hy_nifti_get_int(raw, version, codes[i], 0) <= 0)
			hy_nifti_put_int(raw, version, codes[i], 0, 1);
	const int64_t units = hy_nifti_get_int(raw, version, HY_F_XYZT_UNITS, 0);
	hy_nifti_put_int(raw, version, HY_F_XYZT_UNITS, 0, (units & ~(int64_t)7) | 2);
}

static void put_text(uint8_t *raw, int version, hy_nifti_field field, const char *text, size_t n)
{
	size_t size;
	uint8_t *to = hy_nifti_text(raw, version, field, &size);
	memset(to, 0, size);
	memcpy(to, text, n < size ? n : size);
}

static int type_bits(int datatype)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].code == datatype)
			return types[i].bits;
	return 0;
}

size_t hy_nifti_header_make(const hy_volume *like, int64_t nt, int datatype, uint8_t bytes[HY_NIFTI2_SIZE + 4])
{
	const hy_grid *g = &like->grid;
	const int64_t n[4] = {g->nx, g->ny, g->nz, nt};
	const bool large = n[0] > INT16_MAX || n[1] > INT16_MAX || n[2] > INT16_MAX || n[3] > INT16_MAX;
	const bool kept = like->header && (like->header_size == HY_NIFTI2_SIZE || (like->header_size == HY_NIFTI1_SIZE && !large));
	const int version = kept ? (like->header_size == HY_NIFTI2_SIZE ? 2 : 1) : large ? 2 : 1;
	const size_t size = version == 2 ? HY_NIFTI2_SIZE : HY_NIFTI1_SIZE;
	memset(bytes, 0, HY_NIFTI2_SIZE + 4);
	bool same_grid = false;
	if (kept) {
		memcpy(bytes, like->header, size);
		same_grid = true;
		const int64_t n_dim = hy_nifti_get_int(bytes, version, HY_F_DIM, 0);
		for (int i = 1; i <= 3; i++)
			same_grid = same_grid && (i <= n_dim ? hy_nifti_get_int(bytes, version, HY_F_DIM, i) : 1) == n[i - 1];
	} else {
		for (int i = 4; i < 8; i++)
			hy_nifti_put_real(bytes, version, HY_F_PIXDIM, i, 1);
	}
	if (!same_grid) /* the kept header describes another grid */
		put_geometry(bytes, version, g);
	hy_nifti_put_int(bytes, version, HY_F_SIZEOF_HDR, 0, (int64_t)size);
	hy_nifti_put_int(bytes, version, HY_F_DIM, 0, nt > 1 ? 4 : 3);
	for (int i = 1; i < 8; i++)
		hy_nifti_put_int(bytes, version, HY_F_DIM, i, i <= 4 ? n[i - 1] : 1);
	hy_nifti_put_int(bytes, version, HY_F_DATATYPE, 0, datatype);
	hy_nifti_put_int(bytes, version, HY_F_BITPIX, 0, type_bits(datatype));
	hy_nifti_put_int(bytes, version, HY_F_VOX_OFFSET, 0, (int64_t)size + 4);
	hy_nifti_put_real(bytes, version, HY_F_SCL_SLOPE, 0, 1);
	const hy_nifti_field zero[] = {HY_F_SCL_INTER, HY_F_CAL_MAX, HY_F_CAL_MIN};
	for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
		hy_nifti_put_real(bytes, version, zero[i], 0, 0);
	for (int i = 0; i < 3; i++)
		hy_nifti_put_real(bytes, version, HY_F_INTENT_P, i, 0);
	hy_nifti_put_int(bytes, version, HY_F_INTENT_CODE, 0, 0);
	hy_nifti_put_int(bytes, version, HY_F_GLMAX, 0, 0);
	hy_nifti_put_int(bytes, version, HY_F_GLMIN, 0, 0);
	put_text(bytes, version, HY_F_INTENT_NAME, "", 0);
	if (version == 2)
		put_text(bytes, version, HY_F_MAGIC, "n+2\0\r\n\032\n", 8);
	else
		put_text(bytes, version, HY_F_MAGIC, "n+1", 4);
	return size + 4;
}
