/*
 * phantom.h: the synthetic short-axis data set: anatomy as continuous shapes, and the scanner that images it.
 *
 * Frames. Image plane: x to the right and y downwards, mm, origin at the heart's centre. w runs along the left ventricle's axis
 * from the valve plane at end diastole (w = 0) to the apex, mm. Angles about the axis: 0 points from the LV to the RV.
 */
#ifndef HY_DATASET_PHANTOM_H
#define HY_DATASET_PHANTOM_H

#include "base/rng.h"
#include "image/volume.h"

enum { HY_PHANTOM_ANGLES = 512 };

typedef enum hy_tissue {
	HY_TISSUE_AIR,
	HY_TISSUE_LUNG,
	HY_TISSUE_FAT,
	HY_TISSUE_MUSCLE,
	HY_TISSUE_MYOCARDIUM,
	HY_TISSUE_BLOOD_LEFT,  /* oxygenated: LV, left atrium, aorta */
	HY_TISSUE_BLOOD_RIGHT, /* venous: RV, right atrium, liver vessels */
	HY_TISSUE_VALVE,
	HY_TISSUE_LIVER,
	HY_TISSUE_SPLEEN,
	HY_TISSUE_STOMACH,
	HY_TISSUE_MARROW,
	HY_TISSUE_BONE,
	HY_TISSUE_FLUID, /* cerebrospinal */
	HY_N_TISSUES
} hy_tissue;

/* The five groups of the ACDC challenge. */
typedef enum hy_heart_group {
	HY_HEART_DCM,
	HY_HEART_HCM,
	HY_HEART_MINF,
	HY_HEART_NOR,
	HY_HEART_RV,
	HY_N_HEART_GROUPS
} hy_heart_group;
const char *hy_heart_group_name(hy_heart_group group);

/* What moves in the heart cycle. */
typedef struct hy_heart_pose {
	double base_mm;             /* w of the valve plane on the LV axis */
	double apex_endo_mm;        /* w where the cavity ends */
	double apex_epi_mm;         /* w where the wall ends */
	double radius_mm, wall_mm;  /* cavity radius and wall thickness at the base, angular mean */
	double rv_mm;               /* largest depth of the RV crescent */
	double flattening;          /* of the septum, share of the radius */
	double rv_base_mm;          /* the tricuspid part of the valve plane lies this much deeper */
	double reference_radius_mm; /* radius to which akinetic wall is held */
} hy_heart_pose;

/* One subject's heart. */
typedef struct hy_heart {
	hy_heart_group group;
	double tilt, tilt_angle;             /* tangent and direction of the valve plane's tilt against the slices */
	double oval, oval_angle, triangular; /* 2nd and 3rd harmonic of the cavity's outline */
	double septal_thickening;            /* extra thickness of the septum, share (asymmetric hypertrophy) */
	double rv_width, rv_skew;            /* half angle of the crescent; asymmetry */
	double rv_wall_mm, fat_mm;           /* free wall of the RV; epicardial fat */
	double scar_angle, scar_width, scar_from, scar_akinesia, scar_thinning; /* infarct; akinesia 0: none */
	double papillary_mm[2], papillary_angle[2];
	double rotation;         /* direction of the RV in the image, rad, from x towards y */
	double drift_x, drift_y; /* shift of the axis per mm of w */
	hy_heart_pose ed, es;
} hy_heart;

/* Volumes under the continuous shapes, mL; mass in g. */
typedef struct hy_heart_volumes {
	double lv_ml, rv_ml, myocardium_ml;
} hy_heart_volumes;

/*
 * Draws a heart of a group. pitch_mm is the distance of slices: the valve plane's shortening is rounded to half of it (see
 * docs/PHANTOM.md, "Labels").
 */
void hy_heart_draw(hy_heart *h, hy_heart_group group, double pitch_mm, hy_rng *g);
/* The pose at a point of the cycle, 0 end diastole, 1 end systole. */
hy_heart_pose hy_heart_pose_at(const hy_heart *h, double contraction);
/* Midpoint rule over w (step_mm) and angle; radially in closed form. */
hy_heart_volumes hy_heart_measure(const hy_heart *h, const hy_heart_pose *pose, double step_mm);
/* Range of w that holds LV, myocardium or RV. */
void hy_heart_extent(const hy_heart *h, const hy_heart_pose *pose, double *low_mm, double *high_mm);

#define HY_VALVE_HALF_MM 1.2 /* half the thickness of the valves */

/* The heart cut at one w: radii by angle about the LV axis. */
typedef struct hy_section {
	float endo[HY_PHANTOM_ANGLES + 1], epi[HY_PHANTOM_ANGLES + 1], rv[HY_PHANTOM_ANGLES + 1], outer[HY_PHANTOM_ANGLES + 1];
	float tilt[HY_PHANTOM_ANGLES + 1]; /* the valve plane rises by this per mm of radius */
	float above_mm;                    /* w minus the valve plane's w on the axis */
	float rv_base_mm;
	float centre_x, centre_y, turn /* of the RV, share of a full one */, rv_wall_mm, reach_mm;
	float papillary_x[2], papillary_y[2], papillary_mm[2]; /* relative to the centre; radius 0: none here */
} hy_section;

void hy_section_make(const hy_heart *h, const hy_heart_pose *pose, double w_mm, hy_section *s);
/* Tissue at a point of the image plane; -1 outside heart and epicardial fat. */
int hy_section_tissue(const hy_section *s, float x, float y);
/* Label in the values of the ACDC challenge: 0 background, 1 RV, 2 myocardium, 3 LV (papillary muscles included). */
int hy_section_label(const hy_section *s, float x, float y);
/* How many of HY_COVER_FULL points of a square pixel lie in the LV; in LV or myocardium; in LV, myocardium or RV. */
enum { HY_COVER_SIDE = 8, HY_COVER_FULL = HY_COVER_SIDE * HY_COVER_SIDE };
void hy_section_cover(const hy_section *s, float x, float y, float pixel_mm, uint8_t cover[3]);

/* Everything around the heart. */
typedef struct hy_body {
	double x, y, half_x, half_y, egg, cos_turn, sin_turn;
	double fat_mm, fat_side, muscle_mm, ribs, rib_phase;
	double diaphragm_mm, diaphragm_slope, diaphragm_bend, diaphragm_x;
	double liver_x, liver_lean, aorta_x, aorta_y, aorta_mm, spine_x, spine_y, spine_mm;
	double stomach_x, stomach_y, stomach_a, stomach_b, spleen_x, spleen_y, spleen_a, spleen_b;
	double mediastinum_x, mediastinum_y;
} hy_body;

void hy_body_draw(hy_body *b, const hy_heart *h, hy_rng *g);
/* coarse and fine are noise values (standard normal) at the point: vessels in lung and liver, bowel. */
hy_tissue hy_body_tissue(const hy_body *b, float x, float y, float w, float coarse, float fine);

/* A site: its scanner, protocol and habits. */
typedef struct hy_site {
	const char *name, *about;
	double field_t;                 /* 1.5 or 3 */
	double flip_deg, tr_ms;         /* TE is half of TR */
	double fov_mm;                  /* square */
	int matrix;                     /* pixels as stored */
	double readout_mm, phase_mm;    /* acquired resolution; finer pixels are zero filling */
	double pitch_mm, thickness_mm;  /* of slices */
	double snr;                     /* blood over noise at the heart's centre */
	double filter;                  /* apodisation of k-space: 0 none, 1 Hann */
	double anterior, posterior;     /* weight of the receive loops in front and behind */
	double loop_mm;                 /* radius of a loop */
	double normalise;               /* share of the receive bias that the scanner removes, on a log scale */
	double inhomogeneity_hz;        /* spread of the static field */
	double b1_spread;               /* spread of the flip angle over the body */
	double inflow;                  /* share of blood that is fresh in the slice */
	double fat_left;                /* share of fat's magnetisation left by fat saturation; 1 none applied */
	double window_low, window_high; /* percentiles of the slice mapped to the stored range; 0 and 100: all, linear */
	double gamma;                   /* of the stored grey values */
	int levels;                     /* number of grey values */
} hy_site;

size_t hy_n_sites(void);
const hy_site *hy_site_at(size_t i);

/*
 * Signal of balanced steady-state free precession at TE = TR / 2 with alternating pulses, per unit of proton density; real,
 * negative where fat or off-resonance opposes the phase. t1, t2, tr in ms, flip in rad, off_hz off-resonance.
 */
double hy_bssfp_signal(double t1_ms, double t2_ms, double tr_ms, double flip, double off_hz);

/* One subject at one site. */
typedef struct hy_phantom_subject {
	hy_heart heart;
	hy_body body;
	hy_site site;
	double centre_x, centre_y; /* of the heart in the field of view, mm from its centre */
	int first_slice, n_slices; /* slice k is centred at w = (first_slice + k + 1/2) pitch */
	uint64_t seed, number;     /* random stream */
} hy_phantom_subject;

void hy_phantom_subject_draw(hy_phantom_subject *p, const hy_site *site, hy_heart_group group, uint64_t seed, uint64_t number);
/*
 * Labels of all slices: nz x matrix x matrix. In each slice the pixels with the largest cover are taken, as many as the
 * area holds (what is left over goes to the next slice): the threshold is close to one half and volumes are kept.
 */
hardy_status hy_phantom_labels(const hy_phantom_subject *p, const hy_heart_pose *pose, uint8_t *out, hardy_error *err);

/* The scanner: tables and work space of one thread at one site; plans of the Fourier transforms are shared. */
typedef struct hy_scanner hy_scanner;
hardy_status hy_scanner_new(hy_scanner **out, const hy_site *site, int n_threads, hardy_error *err);
void hy_scanner_free(hy_scanner *s);
/*
 * Images of n_poses poses: n_poses x nz x matrix x matrix stored grey values. thread < n_threads picks the work space; the
 * result depends on site, p and poses alone.
 */
hardy_status hy_scanner_run(hy_scanner *s, int thread, const hy_phantom_subject *p, const hy_heart_pose *poses, int n_poses,
                            int16_t *out, hardy_error *err);

#endif
