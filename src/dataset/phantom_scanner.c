/*
 * phantom_scanner.c: from tissues to stored grey values: bSSFP signal, slice profile, receive coils, k-space, noise, window.
 */
#include "dataset/phantom.h"

#include "base/memory.h"
#include "image/fourier.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* Relaxation times at 1.5 and 3 T, ms; proton density against water. */
typedef struct tissue {
	double t1[2], t2[2], density;
	double texture; /* spread of the signal inside the tissue, share */
} tissue;

/*
 * Blood, myocardium ("heart"), skeletal muscle, liver: Stanisz et al., Magn Reson Med 54, 507, 2005. Fat, spleen, marrow: de
 * Bazelaire et al., Radiology 230, 652, 2004. T2 of venous blood: Wright et al., J Magn Reson Imaging 1, 275, 1991 (about 180
 * ms at 70 % saturation, 1.5 T), shorter at 3 T as oxygenation dephases with the square of the field. Densities: Wissmann et
 * al. (MRXCAT), J Cardiovasc Magn Reson 16:63, 2014. Lung and cortical bone give next to no signal (short T2*), here a short
 * T2. Stomach content, valves and textures are assumptions.
 */
static const tissue tissues[HY_N_TISSUES] = {
    [HY_TISSUE_AIR] = {{1000, 1000}, {1, 1}, 0, 0},
    [HY_TISSUE_LUNG] = {{1200, 1400}, {10, 8}, .25, .5},
    [HY_TISSUE_FAT] = {{343, 382}, {58, 68}, .95, .08},
    [HY_TISSUE_MUSCLE] = {{1008, 1412}, {44, 50}, .8, .12},
    [HY_TISSUE_MYOCARDIUM] = {{1030, 1471}, {40, 47}, .8, .07},
    [HY_TISSUE_BLOOD_LEFT] = {{1441, 1932}, {290, 275}, .95, .08},
    [HY_TISSUE_BLOOD_RIGHT] = {{1441, 1932}, {180, 110}, .95, .1},
    [HY_TISSUE_VALVE] = {{1030, 1471}, {25, 22}, .6, 0},
    [HY_TISSUE_LIVER] = {{576, 812}, {46, 42}, .9, .07},
    [HY_TISSUE_SPLEEN] = {{1057, 1328}, {79, 61}, .9, .07},
    [HY_TISSUE_STOMACH] = {{1200, 1500}, {90, 80}, .8, .25},
    [HY_TISSUE_MARROW] = {{549, 586}, {49, 49}, .6, .12},
    [HY_TISSUE_BONE] = {{250, 250}, {1, 1}, .12, 0},
    [HY_TISSUE_FLUID] = {{4000, 4000}, {2000, 2000}, 1, .03},
};

/*
 * Transverse magnetisation in the steady state: Haacke et al., Magnetic Resonance Imaging, 1999, chapter 18 (after Freeman and
 * Hill, J Magn Reson 4, 366, 1971); on resonance it becomes eq. (2) of Scheffler and Lehnhardt, Eur Radiol 13, 2409, 2003. At
 * TE = TR / 2 the phase is 0 or 180 degrees (Scheffler and Hennig, Magn Reson Med 49, 395, 2003), so that the real part says it
 * all.
 */
double hy_bssfp_signal(double t1, double t2, double tr, double flip, double off_hz)
{
	const double e1 = exp(-tr / t1), e2 = exp(-tr / t2), beta = pi + 2 * pi * off_hz * tr / 1000;
	const double d = (1 - e1 * cos(flip)) * (1 - e2 * cos(beta)) - e2 * (e1 - cos(flip)) * (e2 - cos(beta));
	const double mx = (1 - e1) * e2 * sin(flip) * sin(beta) / d, my = (1 - e1) * sin(flip) * (1 - e2 * cos(beta)) / d;
	return (mx * cos(.5 * beta) + my * sin(.5 * beta)) * exp(-.5 * tr / t2);
}

/*
 * Blood that has just entered the slice has seen n pulses only: from sin(flip / 2), where the half-angle preparation starts,
 * the signal falls to the steady state by the factor lambda a pulse (Scheffler and Lehnhardt 2003, eq. 4); the mean over the n
 * pulses of its stay at a mean speed of 60 mm/s (inflow brightens bSSFP: Markl and Pelc, J Magn Reson Imaging 20, 697, 2004).
 */
static double fresh_signal(double t1, double t2, double tr, double flip, double thickness_mm, double steady)
{
	const double half = .5 * flip, n = thickness_mm / (60 * tr / 1000);
	const double lambda = exp(-tr / t2) * sin(half) * sin(half) + exp(-tr / t1) * cos(half) * cos(half);
	return steady + (sin(half) - steady) * (1 - pow(lambda, n)) / (n * (1 - lambda));
}

enum { N_B1 = 24, N_OFF = 256, MAX_DEPTHS = 16, MAX_LOOPS = 8, MAX_SIDE = 512 };
static const double b1_low = .5, b1_high = 1.3;

/* Work space of one thread. */
typedef struct work {
	float *fine; /* n_fine x n_fine: signal on the fine grid */
	fftwf_complex *spectrum, *image;
	float *coil, *coarse_noise, *fine_noise, *lattice; /* receive bias; texture of the slice */
	uint16_t *place;                                   /* index into a tissue's signal table: flip angle and off-resonance */
	uint8_t *body;                                     /* tissues around the heart, of the slice */
	float *magnitude;                                  /* of all slices; grows */
	size_t room;
} work;

struct hy_scanner {
	hy_site site;
	int n_threads, n_fine;
	double step_mm, first_mm; /* fine grid: position of sample i is first + i * step, from the centre of the field of view */
	fftwf_plan forward, backward;
	float (*signal)[N_B1 * N_OFF]; /* by tissue */
	work *works;
};

static void work_clear(work *w)
{
	hy_free_aligned(w->fine);
	hy_free_aligned(w->spectrum);
	hy_free_aligned(w->image);
	hy_free(w->coil);
	hy_free(w->coarse_noise);
	hy_free(w->fine_noise);
	hy_free(w->lattice);
	hy_free(w->place);
	hy_free(w->body);
	hy_free(w->magnitude);
}

static size_t lattice_size(const hy_scanner *s, double spacing_mm)
{
	return (size_t)(s->site.fov_mm / spacing_mm) + 4;
}

static const double fine_texture_mm = 3, coarse_texture_mm = 12;

static bool work_make(work *w, const hy_scanner *s)
{
	const size_t f = (size_t)s->n_fine, n = (size_t)s->site.matrix, l = lattice_size(s, fine_texture_mm);
	w->fine = hy_alloc_aligned(f * f, sizeof *w->fine);
	w->spectrum = hy_alloc_aligned(f * (f / 2 + 1), sizeof *w->spectrum);
	w->image = hy_alloc_aligned(n * n, sizeof *w->image);
	w->coil = hy_alloc(f * f, sizeof *w->coil);
	w->coarse_noise = hy_alloc(f * f, sizeof *w->coarse_noise);
	w->fine_noise = hy_alloc(f * f, sizeof *w->fine_noise);
	w->lattice = hy_alloc(l * l, sizeof *w->lattice);
	w->place = hy_alloc(f * f, sizeof *w->place);
	w->body = hy_alloc(f * f, sizeof *w->body);
	return w->fine && w->spectrum && w->image && w->coil && w->coarse_noise && w->fine_noise && w->lattice && w->place &&
	       w->body;
}

static void make_tables(hy_scanner *s)
{
	const hy_site *site = &s->site;
	const int field = site->field_t > 2;
	const double fat_hz = -3.4e-6 * 42.577e6 * site->field_t;
	for (int t = 0; t < HY_N_TISSUES; t++)
		for (int b = 0; b < N_B1; b++)
			for (int k = 0; k < N_OFF; k++) {
				const tissue *m = &tissues[t];
				const double flip = site->flip_deg * pi / 180 * (b1_low + (b1_high - b1_low) * (b + .5) / N_B1);
				const double off = (k + .5) / N_OFF * 2000 / site->tr_ms + (t == HY_TISSUE_FAT ? fat_hz : 0);
				double v = hy_bssfp_signal(m->t1[field], m->t2[field], site->tr_ms, flip, off);
				if (t == HY_TISSUE_BLOOD_LEFT || t == HY_TISSUE_BLOOD_RIGHT) {
					const double fresh =
					    fresh_signal(m->t1[field], m->t2[field], site->tr_ms, flip, site->thickness_mm, fabs(v));
					v += site->inflow * (copysign(fresh, v) - v);
				}
				if (t == HY_TISSUE_FAT)
					v *= site->fat_left;
				s->signal[t][b * N_OFF + k] = (float)(m->density * v);
			}
}

hardy_status hy_scanner_new(hy_scanner **out, const hy_site *site, int n_threads, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	hy_scanner *s = hy_calloc(1, sizeof *s);
	if (!s)
		return hy_fail_memory(err, "a scanner", 1, sizeof *s);
	s->site = *site;
	s->n_threads = n_threads;
	s->n_fine = site->matrix <= 208 ? 256 : site->matrix <= 416 ? 512 : 1024;
	s->step_mm = site->fov_mm / s->n_fine;
	/* the first fine sample lies on the first pixel's centre: cutting the spectrum then keeps positions */
	s->first_mm = -.5 * site->fov_mm + .5 * site->fov_mm / site->matrix;
	s->signal = hy_calloc(HY_N_TISSUES, sizeof *s->signal);
	s->works = hy_calloc((size_t)n_threads, sizeof *s->works);
	bool made = s->signal && s->works;
	for (int i = 0; made && i < n_threads; i++)
		made = work_make(&s->works[i], s);
	if (!made) {
		status = hy_fail_memory(err, "a scanner's work space", (size_t)n_threads, sizeof *s->works);
		goto out;
	}
	make_tables(s);
	hy_fourier_lock();
	/* estimated, never measured: the same plan and so the same bytes each time */
	s->forward =
	    fftwf_plan_dft_r2c_2d(s->n_fine, s->n_fine, s->works[0].fine, s->works[0].spectrum, FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
	s->backward =
	    fftwf_plan_dft_2d(site->matrix, site->matrix, s->works[0].image, s->works[0].image, FFTW_BACKWARD, FFTW_ESTIMATE);
	hy_fourier_unlock();
	if (!s->forward || !s->backward) {
		status = hy_fail(err, HARDY_ERROR_MEMORY, "no plan for Fourier transforms of %d x %d", site->matrix, site->matrix);
		goto out;
	}
	*out = s;
	s = NULL;
out:
	hy_scanner_free(s);
	return status;
}

void hy_scanner_free(hy_scanner *s)
{
	if (!s)
		return;
	hy_fourier_lock();
	if (s->forward)
		fftwf_destroy_plan(s->forward);
	if (s->backward)
		fftwf_destroy_plan(s->backward);
	hy_fourier_unlock();
	for (int i = 0; s->works && i < s->n_threads; i++)
		work_clear(&s->works[i]);
	hy_free(s->works);
	hy_free(s->signal);
	hy_free(s);
}

static float position(const hy_scanner *s, int i)
{
	return (float)(s->first_mm + i * s->step_mm);
}

/* Two independent normal numbers. */
static void normal_pair(hy_rng *g, float *a, float *b)
{
	const float u = ((float)(hy_rng_u32(g) >> 8) + .5f) * 0x1p-24f, v = (float)(hy_rng_u32(g) >> 8) * 0x1p-24f;
	const float radius = sqrtf(-2 * logf(u)), angle = (float)(2 * pi) * v;
	*a = radius * cosf(angle);
	*b = radius * sinf(angle);
}

/* Receive bias: root of the sum of squares of loops, each with the field of a current loop on its axis (Biot and Savart). */
static void make_coil(const hy_scanner *s, work *w, const hy_phantom_subject *p, hy_rng *g)
{
	const hy_site *site = &s->site;
	double x[MAX_LOOPS], y[MAX_LOOPS], weight[MAX_LOOPS];
	for (int i = 0; i < MAX_LOOPS; i++) {
		const bool front = i < MAX_LOOPS / 2;
		const double angle = (front ? pi : 0) + ((i % (MAX_LOOPS / 2)) - 1.5) * .5 + hy_rng_between(g, -.15, .15);
		x[i] = p->body.x + (p->body.half_x + 15) * cos(angle);
		y[i] = p->body.y + (p->body.half_y + 15) * sin(angle);
		weight[i] = (front ? site->anterior : site->posterior) * hy_rng_between(g, .7, 1.3);
	}
	const double r2 = site->loop_mm * site->loop_mm;
	double at_heart = 0;
	for (int pass = 0; pass < 2; pass++)
		for (int j = 0; j < (pass ? s->n_fine : 1); j++)
			for (int i = 0; i < (pass ? s->n_fine : 1); i++) {
				const double px = pass ? position(s, i) - p->centre_x : 0, py = pass ? position(s, j) - p->centre_y : 0;
				double sum = 0;
				for (int k = 0; k < MAX_LOOPS; k++) {
					const double q = r2 / (r2 + (px - x[k]) * (px - x[k]) + (py - y[k]) * (py - y[k]));
					sum += weight[k] * weight[k] * q * q * q;
				}
				if (pass)
					w->coil[j * s->n_fine + i] = powf((float)(sum / at_heart), (float)(.5 * (1 - site->normalise)));
				else
					at_heart = sum;
			}
}

/* Flip angle and off-resonance at each place, as an index into the signal tables. */
static void make_fields(const hy_scanner *s, work *w, const hy_phantom_subject *p, hy_rng *g)
{
	const hy_site *site = &s->site;
	double c[8];
	for (int i = 0; i < 8; i++)
		c[i] = hy_rng_between(g, -1, 1);
	/* susceptibility: where lung, heart and diaphragm meet, and at the veins behind the heart */
	const double pole_x = 35 + 12 * c[6], pole_y = 30 + 12 * c[7];
	for (int j = 0; j < s->n_fine; j++)
		for (int i = 0; i < s->n_fine; i++) {
			const double x = position(s, i) - p->centre_x, y = position(s, j) - p->centre_y;
			const double dx = x - pole_x, dy = y - pole_y, d2 = dx * dx + dy * dy;
			const double bulge = exp(-(x * x + y * y) / (90 * 90)) - .5;
			const double b1 = 1 + site->b1_spread * (.5 * c[0] * x / 100 + .5 * c[1] * y / 100 - (.6 + .4 * c[2]) * bulge);
			const double off = site->inhomogeneity_hz *
			                   (c[3] * x / 80 + c[4] * y / 80 + c[5] * (x * x - y * y) / 1e4 + 1.8 * exp(-d2 / (28 * 28)));
			const double turn = off * site->tr_ms / 2000, part = turn - floor(turn);
			const int k = (int)((b1 - b1_low) / (b1_high - b1_low) * N_B1), l = (int)(part * N_OFF);
			w->place[j * s->n_fine + i] = (uint16_t)((k < 0       ? 0
			                                          : k >= N_B1 ? N_B1 - 1
			                                                      : k) *
			                                             N_OFF +
			                                         (l >= N_OFF ? N_OFF - 1 : l));
		}
}

/* Noise of unit variance at lattice points, linear between them. */
static void make_texture(const hy_scanner *s, work *w, float *out, double spacing_mm, hy_rng *g)
{
	const size_t n = lattice_size(s, spacing_mm);
	for (size_t i = 0; i < n * n; i++) {
		float a, b;
		normal_pair(g, &a, &b);
		w->lattice[i] = a;
		if (i + 1 < n * n)
			w->lattice[++i] = b;
	}
	const float step = (float)(s->step_mm / spacing_mm);
	for (int j = 0; j < s->n_fine; j++) {
		const float v = (float)j * step;
		const size_t row = (size_t)v;
		const float b = v - (float)row;
		for (int i = 0; i < s->n_fine; i++) {
			const float u = (float)i * step;
			const size_t column = (size_t)u;
			const float a = u - (float)column, *l = w->lattice + row * n + column;
			out[j * s->n_fine + i] = (1 - b) * ((1 - a) * l[0] + a * l[1]) + b * ((1 - a) * l[n] + a * l[n + 1]);
		}
	}
}

static void make_body(const hy_scanner *s, work *w, const hy_phantom_subject *p, float w_mm)
{
	for (int j = 0; j < s->n_fine; j++)
		for (int i = 0; i < s->n_fine; i++) {
			const int at = j * s->n_fine + i;
			w->body[at] =
			    (uint8_t)hy_body_tissue(&p->body, position(s, i) - (float)p->centre_x, position(s, j) - (float)p->centre_y,
			                            w_mm, w->coarse_noise[at], w->fine_noise[at]);
		}
}

/* The factor by which a tissue's signal varies within it. */
static float textured(int t, float noise)
{
	const float factor = 1 + (float)tissues[t].texture * noise;
	return factor > 0 ? factor : 0;
}

/* Signal of a slice before reception: tissues at several depths, weighted by the slice profile. */
static void make_signal(const hy_scanner *s, work *w, const hy_phantom_subject *p, const hy_heart_pose *pose, float w_mm,
                        const float scale[HY_N_TISSUES])
{
	/* a Gaussian profile of the nominal width; near the oblique valve plane two depths fall on
	 * the valve everywhere, or it would show as stripes */
	const double valve_mm = fabs(w_mm - pose->base_mm);
	const double span_mm = 1.5 * s->site.thickness_mm;
	int n_depths = 5;
	if (valve_mm < 15 + s->site.thickness_mm)
		n_depths = 1 + (int)lrint(fmin(MAX_DEPTHS - 1, span_mm / HY_VALVE_HALF_MM));
	hy_section sections[MAX_DEPTHS];
	float weight[MAX_DEPTHS], shift_x[MAX_DEPTHS], shift_y[MAX_DEPTHS], total = 0, reach = 0;
	for (int k = 0; k < n_depths; k++) {
		const float d = (float)span_mm * ((float)k / (float)(n_depths - 1) - .5f);
		hy_section_make(&p->heart, pose, w_mm + d, &sections[k]);
		const float share = d / (float)s->site.thickness_mm;
		total += weight[k] = expf(-2.7726f * share * share);
		reach = fmaxf(reach, sections[k].reach_mm + 10);
		/* each depth looks at another place of the fine pixel, against stairs */
		shift_x[k] = ((float)((k * 2 + 1) % n_depths) + .5f) / (float)n_depths - .5f;
		shift_y[k] = ((float)((k * 3 + 1) % n_depths) + .5f) / (float)n_depths - .5f;
	}
	for (int k = 0; k < n_depths; k++)
		weight[k] /= total;
	for (int j = 0; j < s->n_fine; j++)
		for (int i = 0; i < s->n_fine; i++) {
			const int at = j * s->n_fine + i;
			const float x = position(s, i) - (float)p->centre_x, y = position(s, j) - (float)p->centre_y;
			const uint16_t place = w->place[at];
			const float texture = w->fine_noise[at];
			const int around = w->body[at];
			const float body = s->signal[around][place] * scale[around] * textured(around, texture);
			float sum = body;
			if (x * x + y * y < reach * reach) {
				sum = 0;
				for (int k = 0; k < n_depths; k++) {
					const int t =
					    hy_section_tissue(&sections[k], x + shift_x[k] * (float)s->step_mm, y + shift_y[k] * (float)s->step_mm);
					sum += weight[k] * (t < 0 ? body : s->signal[t][place] * scale[t] * textured(t, texture));
				}
			}
			w->fine[at] = sum * w->coil[at];
		}
}

static float apodise(double filter, int k, double k_max)
{
	return (float)(1 - filter * (.5 - .5 * cos(pi * k / k_max)));
}

/* k-space to the acquired resolution, noise, zero filling to the matrix, magnitude. */
static void acquire(const hy_scanner *s, work *w, double sigma, hy_rng *g, float *out)
{
	const hy_site *site = &s->site;
	const int f = s->n_fine, n = site->matrix;
	const double limit = .5 * (n - 1);
	const double max_x = fmin(limit, .5 * site->fov_mm / site->readout_mm),
	             max_y = fmin(limit, .5 * site->fov_mm / site->phase_mm);
	const int kx_max = (int)max_x, ky_max = (int)max_y;
	fftwf_execute_dft_r2c(s->forward, w->fine, w->spectrum);
	memset(w->image, 0, (size_t)n * (size_t)n * sizeof *w->image);
	const double n_samples = (2.0 * kx_max + 1) * (2.0 * ky_max + 1);
	const float unit = (float)(1.0 / f / f), noise = (float)(sigma / sqrt(n_samples));
	float window_x[MAX_SIDE + 1];
	for (int kx = -kx_max; kx <= kx_max; kx++)
		window_x[kx + kx_max] = apodise(site->filter, kx, max_x);
	for (int ky = -ky_max; ky <= ky_max; ky++) {
		const float window_y = apodise(site->filter, ky, max_y);
		for (int kx = -kx_max; kx <= kx_max; kx++) {
			/* the spectrum of a real signal: the left half is the right one mirrored */
			const int row = ((kx < 0 ? -ky : ky) + f) % f;
			const float complex stored = w->spectrum[row * (f / 2 + 1) + (kx < 0 ? -kx : kx)];
			float a, b;
			normal_pair(g, &a, &b);
			const float complex v = (kx < 0 ? conjf(stored) : stored) * unit + noise * a + noise * b * I;
			w->image[((ky + n) % n) * n + (kx + n) % n] = v * window_y * window_x[kx + kx_max];
		}
	}
	fftwf_execute_dft(s->backward, w->image, w->image);
	for (int i = 0; i < n * n; i++)
		out[i] = sqrtf(crealf(w->image[i]) * crealf(w->image[i]) + cimagf(w->image[i]) * cimagf(w->image[i]));
}

/* The p-th percentile of n values in 0..top, to a 65536th of top. */
static float percentile(const float *v, size_t n, float top, double p)
{
	enum { N_BINS = 65536 };
	uint32_t count[N_BINS + 1] = {0};
	for (size_t i = 0; i < n; i++)
		count[(int)(v[i] / top * N_BINS)]++;
	const double wanted = p / 100 * (double)n;
	double seen = 0;
	int k = 0;
	for (; k < N_BINS && seen + count[k] < wanted; k++)
		seen += count[k];
	return top * (float)k / N_BINS;
}

/* Window, grey scale and whole numbers, one scale for the subject's images. */
static void store(const hy_site *site, const float *v, size_t n, double fill, int16_t *out)
{
	float top = 1e-12f;
	for (size_t i = 0; i < n; i++)
		top = fmaxf(top, v[i]);
	const float low = site->window_low > 0 ? percentile(v, n, top, site->window_low) : 0;
	const float high = fmaxf(low + 1e-6f * top, site->window_high < 100 ? percentile(v, n, top, site->window_high) : top);
	const float white = (float)((site->levels - 1) * fill), gamma = (float)site->gamma;
	for (size_t i = 0; i < n; i++) {
		const float u = fmaxf(0, fminf(1, (v[i] - low) / (high - low)));
		out[i] = (int16_t)lrintf(white * (gamma == 1 ? u : powf(u, gamma)));
	}
}

hardy_status hy_scanner_run(hy_scanner *s, int thread, const hy_phantom_subject *p, const hy_heart_pose *poses, int n_poses,
                            int16_t *out, hardy_error *err)
{
	const hy_site *site = &s->site;
	work *w = &s->works[thread];
	const size_t plane = (size_t)site->matrix * (size_t)site->matrix, n = plane * (size_t)p->n_slices * (size_t)n_poses;
	if (w->room < n) {
		float *larger = hy_realloc(w->magnitude, n, sizeof *larger);
		if (!larger)
			return hy_fail_memory(err, "the images of a phantom", n, sizeof *larger);
		w->magnitude = larger;
		w->room = n;
	}
	hy_rng g = hy_rng_make(p->seed, HY_RNG_PHANTOM, p->number, 1);
	make_coil(s, w, p, &g);
	make_fields(s, w, p, &g);
	float scale[HY_N_TISSUES];
	for (int t = 0; t < HY_N_TISSUES; t++)
		scale[t] = (float)(1 + .05 * fmax(-2, fmin(2, hy_rng_normal(&g))));
	const double fill = site->window_high < 100 ? 1 : hy_rng_between(&g, .15, .5);
	/* the flip angle and the resonance at the heart are nominal for this figure */
	const int nominal = (int)((1 - b1_low) / (b1_high - b1_low) * N_B1) * N_OFF;
	const double sigma = s->signal[HY_TISSUE_BLOOD_LEFT][nominal] / site->snr;
	for (int k = 0; k < p->n_slices; k++) {
		const float w_mm = (float)((p->first_slice + k + .5) * site->pitch_mm);
		hy_rng texture = hy_rng_make(p->seed, HY_RNG_PHANTOM, p->number, 1000 + (uint64_t)k);
		make_texture(s, w, w->coarse_noise, coarse_texture_mm, &texture);
		make_texture(s, w, w->fine_noise, fine_texture_mm, &texture);
		make_body(s, w, p, w_mm);
		for (int i = 0; i < n_poses; i++) {
			hy_rng noise = hy_rng_make(p->seed, HY_RNG_PHANTOM, p->number, 1000000 + (uint64_t)i * 1000 + (uint64_t)k);
			make_signal(s, w, p, &poses[i], w_mm, scale);
			acquire(s, w, sigma, &noise, w->magnitude + ((size_t)i * (size_t)p->n_slices + (size_t)k) * plane);
		}
	}
	store(site, w->magnitude, n, fill, out);
	return HARDY_OK;
}
