/*
 * phantom.c: the phantom's data set: which subjects at which sites, and the files.
 */
#include "dataset/phantom.h"

#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "image/nifti.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum { MAX_SITES = 16, N_CINE = 30, PATH_ROOM = 4096 };

#define AT(member) offsetof(hardy_phantom_options, member)

static const hardy_option option_rows[] = {
    {"sites", HARDY_OPTION_TEXT, AT(sites), "N|NAMES", "How many sites, from the first, or their names, such as A,C.",
     .usual = "4", .use = HARDY_OPTION_NEEDED},
    {"subjects", HARDY_OPTION_WHOLE, AT(subjects), "N",
     "Subjects at each site; the groups DCM, HCM, MINF, NOR and RV take turns.", .usual = "14", .low = 1, .high = 99},
    {"seed", HARDY_OPTION_WHOLE, AT(seed), "S", "Same seed, same files.", .usual = "0", .low = 0, .high = 9007199254740992},
    {"size", HARDY_OPTION_WHOLE, AT(size), "N", "Pixels of an image's side, 64 to 512; 0 takes the site's own.", .usual = "0",
     .low = 0, .high = 512},
    {"frames", HARDY_OPTION_WHOLE, AT(frames), "N", "Frames of the cine to write as well, 4 to 60; 0 writes ED and ES only.",
     .usual = "0", .low = 0, .high = 60},
    {"threads", HARDY_OPTION_WHOLE, AT(threads), "N", "Threads; 0 takes all. The files do not depend on it.", .usual = "0",
     .low = 0, .high = 1024},
};

const hardy_options hy_phantom_table = {"phantom", HY_TABLE_ROWS(option_rows), sizeof(hardy_phantom_options), NULL};

void hardy_phantom_options_init(hardy_phantom_options *o)
{
	hardy_options_default(&hy_phantom_table, o);
}

bool hardy_phantom_site(size_t i, const char **name, const char **about)
{
	if (i >= hy_n_sites())
		return false;
	*name = hy_site_at(i)->name;
	*about = hy_site_at(i)->about;
	return true;
}

void hy_phantom_subject_draw(hy_phantom_subject *p, const hy_site *site, hy_heart_group group, uint64_t seed, uint64_t number)
{
	hy_rng g = hy_rng_make(seed, HY_RNG_PHANTOM, number, 0);
	*p = (hy_phantom_subject){.site = *site, .seed = seed, .number = number};
	hy_heart_draw(&p->heart, group, site->pitch_mm, &g);
	hy_body_draw(&p->body, &p->heart, &g);
	p->centre_x = hy_rng_between(&g, -4, 20);
	p->centre_y = hy_rng_between(&g, -18, 8);
	/* the stack is planned on the end-diastolic heart: slices meet at the valve plane, and none is missed */
	double low, high;
	hy_heart_extent(&p->heart, &p->heart.ed, &low, &high);
	p->first_slice = (int)floor(low / site->pitch_mm);
	p->n_slices = (int)ceil(high / site->pitch_mm) - p->first_slice;
}

/* Takes the n_points / HY_COVER_FULL pixels of the largest cover into the set; *left carries the rest of the points. */
static void take_covered(const uint8_t (*cover)[3], size_t n, int which, int64_t *left, uint8_t *set)
{
	int64_t count[HY_COVER_FULL + 1] = {0}, points = 0;
	for (size_t i = 0; i < n; i++) {
		count[cover[i][which]]++;
		points += cover[i][which];
	}
	/* an empty slice stays empty, and what is left over then waits */
	int64_t wanted = points ? (points + *left + HY_COVER_FULL / 2) / HY_COVER_FULL : 0;
	*left += points - wanted * HY_COVER_FULL;
	int limit = HY_COVER_FULL;
	while (limit > 0 && wanted > count[limit])
		wanted -= count[limit--];
	for (size_t i = 0; i < n; i++)
		set[i] = (uint8_t)(cover[i][which] > limit || (limit > 0 && cover[i][which] == limit && wanted-- > 0));
}

hardy_status hy_phantom_labels(const hy_phantom_subject *p, const hy_heart_pose *pose, uint8_t *labels, hardy_error *err)
{
	const int side = p->site.matrix;
	const size_t n = (size_t)side * (size_t)side;
	const double pixel = p->site.fov_mm / side;
	uint8_t(*cover)[3] = hy_alloc(n, sizeof *cover), *sets = hy_alloc(n, 3);
	hardy_status status = HARDY_OK;
	if (!cover || !sets) {
		status = hy_fail_memory(err, "the labels of a phantom", n, 6);
		goto out;
	}
	int64_t left[3] = {0};
	for (int k = 0; k < p->n_slices; k++, labels += n) {
		hy_section s;
		hy_section_make(&p->heart, pose, (p->first_slice + k + .5) * p->site.pitch_mm, &s);
		for (int j = 0; j < side; j++)
			for (int i = 0; i < side; i++)
				hy_section_cover(&s, (float)((i + .5) * pixel - .5 * p->site.fov_mm - p->centre_x),
				                 (float)((j + .5) * pixel - .5 * p->site.fov_mm - p->centre_y), (float)pixel,
				                 cover[j * side + i]);
		for (int which = 0; which < 3; which++)
			take_covered((const uint8_t(*)[3])cover, n, which, &left[which], sets + (size_t)which * n);
		for (size_t i = 0; i < n; i++)
			labels[i] = sets[i] ? 3 : sets[n + i] ? 2 : sets[2 * n + i] ? 1 : 0;
	}
out:
	hy_free(cover);
	hy_free(sets);
	return status;
}

/* What is made of a run: sites, subjects, and the truth of each. */
typedef struct job {
	const hardy_phantom_options *o;
	size_t index[MAX_SITES], n_sites; /* rows of the table */
	int n_threads;
	struct truth {
		hy_heart_volumes ed, es;
	} * truths; /* n_sites x subjects */
	const hardy_log *log;
} job;

/* Numbers differ between sites, so that predictions of several sites may share a folder. */
static int patient_number(const job *j, size_t site, size_t subject)
{
	return (int)(j->index[site] * 100 + subject + 1);
}

static hy_heart_group group_of(size_t subject)
{
	return (hy_heart_group)(subject % HY_N_HEART_GROUPS);
}

static hardy_status parse_sites(job *j, const char *text, hardy_error *err)
{
	if (!text || !*text)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "sites: empty, want a number or names with commas between, such as A,C");
	if (isdigit((unsigned char)*text)) {
		char *end;
		errno = 0;
		const unsigned long n = strtoul(text, &end, 10);
		if (*end || errno || n < 1 || n > hy_n_sites())
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "sites: \"%s\", want a number from 1 to %zu or names", text,
			               hy_n_sites());
		for (j->n_sites = 0; j->n_sites < n; j->n_sites++)
			j->index[j->n_sites] = j->n_sites;
		return HARDY_OK;
	}
	for (const char *p = text;;) {
		const size_t n = strcspn(p, ",");
		size_t found = 0;
		while (found < hy_n_sites() && (strlen(hy_site_at(found)->name) != n || strncmp(hy_site_at(found)->name, p, n) != 0))
			found++;
		if (found == hy_n_sites())
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "sites: \"%.*s\" is unknown, want %s to %s", (int)n, p,
			               hy_site_at(0)->name, hy_site_at(found - 1)->name);
		for (size_t i = 0; i < j->n_sites; i++)
			if (j->index[i] == found)
				return hy_fail(err, HARDY_ERROR_ARGUMENT, "sites: \"%s\" is named twice", hy_site_at(found)->name);
		j->index[j->n_sites++] = found;
		if (!p[n])
			return HARDY_OK;
		p += n + 1;
	}
}

/* 0 is the site's own, or none. */
static hardy_status check_least(const char *name, int64_t value, int64_t least, hardy_error *err)
{
	if (!value || value >= least)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %lld, want 0, or %lld or more", name, (long long)value, (long long)least);
}

static hardy_status check_options(job *j, const hardy_phantom_options *o, hardy_error *err)
{
	hardy_status status = hardy_options_check(&hy_phantom_table, o, err);
	if (!status)
		status = parse_sites(j, o->sites, err);
	if (!status)
		status = check_least("size", o->size, 64, err);
	if (!status)
		status = check_least("frames", o->frames, 4, err);
	j->o = o;
	j->n_threads = o->threads ? (int)o->threads : hy_threads();
	if (j->n_threads > o->subjects)
		j->n_threads = (int)o->subjects;
	return status;
}

/* Frame of end systole, counted from 0, of n frames. */
static int systole(int n)
{
	return (int)lrint(.36 * n);
}

/* Contraction at frame i of n: falls and rises like a cosine, with a pause before the next beat. */
static double contraction(int i, int n)
{
	const double pi = 3.14159265358979323846, es = systole(n);
	if (i <= es)
		return .5 - .5 * cos(pi * i / es);
	return .5 + .5 * cos(pi * fmin(1, (i - es) / (.75 * (n - es))));
}

/* Work space of a subject's images. */
typedef struct product {
	int16_t *images; /* poses x slices x rows x columns */
	uint8_t *labels; /* ED, ES */
	hy_heart_pose poses[64];
	int n_poses, ed, es;    /* among the poses */
	int n_frames, es_frame; /* of the cine, from 1 */
	double height_cm, weight_kg;
} product;

static hardy_status write_info(const char *folder, const hy_phantom_subject *p, const product *q, hardy_error *err)
{
	char path[PATH_ROOM];
	snprintf(path, sizeof path, "%s/Info.cfg", folder);
	hy_outfile f;
	const hardy_status status = hy_outfile_open(&f, path, NULL, err);
	if (status)
		return status;
	hy_outfile_printf(&f, "ED: 1\nES: %d\nGroup: %s\nHeight: %.1f\nNbFrame: %d\nWeight: %.1f\n", q->es_frame,
	                  hy_heart_group_name(p->heart.group), q->height_cm, q->n_frames, q->weight_kg);
	return hy_outfile_commit(&f, err);
}

static hardy_status write_subject(const char *site_folder, int patient, const hy_phantom_subject *p, const product *q,
                                  hardy_error *err)
{
	char folder[PATH_ROOM - 64], path[PATH_ROOM];
	snprintf(folder, sizeof folder, "%s/patient%03d", site_folder, patient);
	hardy_status status = hy_make_folders(folder, err);
	if (!status)
		status = write_info(folder, p, q, err);
	hy_volume like = {.nt = 1};
	const double pixel = p->site.fov_mm / p->site.matrix;
	hy_grid_set_simple(&like.grid, p->site.matrix, p->site.matrix, p->n_slices, pixel, pixel, p->site.pitch_mm);
	like.grid.affine[0][0] = -pixel; /* as the challenge's files are */
	like.grid.affine[1][1] = -pixel;
	const size_t n = (size_t)hy_grid_voxels(&like.grid);
	for (int phase = 0; phase < 2 && !status; phase++) {
		const int frame = phase ? q->es_frame : 1, pose = phase ? q->es : q->ed;
		snprintf(path, sizeof path, "%s/patient%03d_frame%02d.nii.gz", folder, patient, frame);
		status = hy_nifti_write_int16(path, &like, q->images + (size_t)pose * n, 1, NULL, err);
		if (status)
			break;
		snprintf(path, sizeof path, "%s/patient%03d_frame%02d_gt.nii.gz", folder, patient, frame);
		status = hy_nifti_write_labels(path, &like, q->labels + (size_t)phase * n, 1, NULL, err);
	}
	if (!status && q->n_poses > 2) {
		snprintf(path, sizeof path, "%s/patient%03d_4d.nii.gz", folder, patient);
		status = hy_nifti_write_int16(path, &like, q->images, q->n_poses, NULL, err);
	}
	return status;
}

static hardy_status make_subject(const job *j, hy_scanner *scanner, int thread, const hy_site *site, size_t site_number,
                                 size_t subject, const char *folder, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	product q = {.n_frames = N_CINE, .n_poses = 2, .es = 1};
	hy_phantom_subject p;
	const int patient = patient_number(j, site_number, subject);
	hy_phantom_subject_draw(&p, site, group_of(subject), j->o->seed, (uint64_t)patient);
	q.poses[0] = p.heart.ed;
	q.poses[1] = p.heart.es;
	if (j->o->frames) {
		q.n_frames = q.n_poses = (int)j->o->frames;
		q.es = systole(q.n_poses);
		for (int i = 0; i < q.n_poses; i++)
			q.poses[i] = hy_heart_pose_at(&p.heart, contraction(i, q.n_poses));
	}
	q.es_frame = systole(q.n_frames) + 1;
	hy_rng g = hy_rng_make(j->o->seed, HY_RNG_PHANTOM, (uint64_t)patient, 2);
	q.height_cm = 170 + 9 * fmax(-2, fmin(2, hy_rng_normal(&g)));
	q.weight_kg = (q.height_cm - 100) * hy_rng_between(&g, .85, 1.25);

	const size_t n = (size_t)p.n_slices * (size_t)site->matrix * (size_t)site->matrix;
	q.images = hy_alloc(n * (size_t)q.n_poses, sizeof *q.images);
	q.labels = hy_alloc(n * 2, 1);
	if (!q.images || !q.labels) {
		status = hy_fail_memory(err, "the images of a phantom", n * (size_t)q.n_poses, sizeof *q.images);
		goto out;
	}
	status = hy_scanner_run(scanner, thread, &p, q.poses, q.n_poses, q.images, err);
	if (status)
		goto out;
	status = hy_phantom_labels(&p, &p.heart.ed, q.labels, err);
	if (!status)
		status = hy_phantom_labels(&p, &p.heart.es, q.labels + n, err);
	if (status)
		goto out;
	struct truth *t = &j->truths[site_number * (size_t)j->o->subjects + subject];
	t->ed = hy_heart_measure(&p.heart, &p.heart.ed, .25);
	t->es = hy_heart_measure(&p.heart, &p.heart.es, .25);
#pragma omp critical(hy_phantom_files)
	status = write_subject(folder, patient, &p, &q, err);
out:
	hy_free(q.images);
	hy_free(q.labels);
	return status;
}

static hardy_status make_site(const job *j, size_t site_number, const char *root, hardy_error *err)
{
	hy_site site = *hy_site_at(j->index[site_number]);
	if (j->o->size)
		site.matrix = (int)j->o->size;
	char folder[PATH_ROOM - 128];
	snprintf(folder, sizeof folder, "%s/site%s", root, site.name);
	hy_scanner *scanner = NULL;
	hardy_status status = hy_scanner_new(&scanner, &site, j->n_threads, err);
	if (status)
		return status;
	int64_t n_done = 0;
#pragma omp parallel for schedule(dynamic, 1) num_threads(j->n_threads)
	for (int64_t i = 0; i < j->o->subjects; i++) {
		hardy_status seen;
#pragma omp atomic read
		seen = status;
		if (seen)
			continue;
		hardy_error own = {0};
#ifdef _OPENMP
		const int thread = omp_get_thread_num();
#else
		const int thread = 0;
#endif
		const hardy_status result = make_subject(j, scanner, thread, &site, site_number, (size_t)i, folder, &own);
#pragma omp critical(hy_phantom_done)
		{
			if (result && !status) {
				if (err)
					*err = own;
#pragma omp atomic write
				status = result;
			}
			if (!result)
				hy_log(j->log, HARDY_LOG_PROGRESS, "site %s: %lld of %s", site.name, (long long)++n_done,
				       HY_COUNT(j->o->subjects, "subject"));
		}
	}
	hy_scanner_free(scanner);
	return status;
}

static double ejection(double edv, double esv)
{
	return 100 * (edv - esv) / edv;
}

static hardy_status write_truth(const job *j, const char *root, hardy_error *err)
{
	char path[PATH_ROOM];
	snprintf(path, sizeof path, "%s/truth.csv", root);
	hy_outfile f;
	const hardy_status status = hy_outfile_open(&f, path, NULL, err);
	if (status)
		return status;
	hy_outfile_printf(&f, "site,subject,group,lv_edv_ml,lv_esv_ml,lv_ef_percent,rv_edv_ml,rv_esv_ml,rv_ef_percent,"
	                      "myocardium_ed_ml,myocardium_es_ml\n");
	for (size_t s = 0; s < j->n_sites; s++)
		for (size_t i = 0; i < (size_t)j->o->subjects; i++) {
			const struct truth *t = &j->truths[s * (size_t)j->o->subjects + i];
			hy_outfile_printf(&f, "%s,patient%03d,%s,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f,%.3f\n", hy_site_at(j->index[s])->name,
			                  patient_number(j, s, i), hy_heart_group_name(group_of(i)), t->ed.lv_ml, t->es.lv_ml,
			                  ejection(t->ed.lv_ml, t->es.lv_ml), t->ed.rv_ml, t->es.rv_ml, ejection(t->ed.rv_ml, t->es.rv_ml),
			                  t->ed.myocardium_ml, t->es.myocardium_ml);
		}
	return hy_outfile_commit(&f, err);
}

static hardy_status write_about(const job *j, const char *root, hardy_error *err)
{
	char path[PATH_ROOM];
	snprintf(path, sizeof path, "%s/phantom.json", root);
	hy_outfile f;
	const hardy_status status = hy_outfile_open(&f, path, NULL, err);
	if (status)
		return status;
	hy_outfile_printf(&f, "{\n  \"made_by\": \"hardy phantom %s\",\n  \"seed\": %llu,\n  \"subjects\": %lld,\n  \"sites\": [",
	                  HARDY_VERSION, (unsigned long long)j->o->seed, (long long)j->o->subjects);
	for (size_t i = 0; i < j->n_sites; i++) {
		const hy_site *s = hy_site_at(j->index[i]);
		hy_outfile_printf(&f,
		                  "%s\n    {\"name\": \"%s\", \"about\": \"%s\", \"field_t\": %g, \"flip_deg\": %g, \"tr_ms\": %g, "
		                  "\"fov_mm\": %g, \"matrix\": %d, \"readout_mm\": %g, \"phase_mm\": %g, \"pitch_mm\": %g, "
		                  "\"thickness_mm\": %g, \"snr\": %g}",
		                  i ? "," : "", s->name, s->about, s->field_t, s->flip_deg, s->tr_ms, s->fov_mm,
		                  j->o->size ? (int)j->o->size : s->matrix, s->readout_mm, s->phase_mm, s->pitch_mm, s->thickness_mm,
		                  s->snr);
	}
	hy_outfile_printf(&f, "\n  ]\n}\n");
	return hy_outfile_commit(&f, err);
}

/* Removes a folder that this run made, whatever is in it. */
static void remove_tree(const char *path)
{
	hy_names names;
	if (!hy_list_folder(path, &names, NULL)) {
		for (size_t i = 0; i < names.n; i++) {
			char *inner = hy_path_join(path, names.name[i]);
			struct stat st;
			if (inner && !lstat(inner, &st)) {
				if (S_ISDIR(st.st_mode))
					remove_tree(inner);
				else
					unlink(inner);
			}
			hy_free(inner);
		}
		hy_names_free(&names);
	}
	rmdir(path);
}

/* The destination must be new or empty: nothing of the user's is ever mixed with or replaced. */
static hardy_status check_folder(const char *folder, hardy_error *err)
{
	if (!hy_path_exists(folder))
		return HARDY_OK;
	if (!hy_path_is_folder(folder))
		return hy_fail(err, HARDY_ERROR_IO, "%s: exists and is not a folder, want a new or empty folder", folder);
	hy_names names;
	const hardy_status status = hy_list_folder(folder, &names, err);
	if (status)
		return status;
	const size_t n = names.n;
	hy_names_free(&names);
	return n ? hy_fail(err, HARDY_ERROR_IO, "%s: holds %s, want a new or empty folder", folder, HY_COUNT(n, "entry"))
	         : HARDY_OK;
}

static hardy_status make_all(const job *j, const char *root, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t s = 0; s < j->n_sites && !status; s++)
		status = make_site(j, s, root, err);
	if (!status)
		status = write_truth(j, root, err);
	if (!status)
		status = write_about(j, root, err);
	return status;
}

hardy_status hardy_phantom_make(const char *folder, const hardy_phantom_options *o, const hardy_log *log, hardy_error *err)
{
	job j = {.log = log};
	char part[PATH_ROOM - 256], *target = NULL, *parent = NULL;
	bool made = false;
	if (!folder || !*folder)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "folder: empty, want the path of a new folder");
	hardy_status status = check_options(&j, o, err);
	if (status)
		return status;
	target = hy_strdup(folder);
	parent = hy_strdup(folder);
	j.truths = hy_calloc(j.n_sites * (size_t)o->subjects, sizeof *j.truths);
	if (!target || !parent || !j.truths) {
		status = hy_fail_memory(err, "a phantom", j.n_sites * (size_t)o->subjects, sizeof *j.truths);
		goto out;
	}
	for (size_t n = strlen(target); n > 1 && target[n - 1] == '/'; n--)
		target[n - 1] = parent[n - 1] = 0;
	if ((size_t)snprintf(part, sizeof part, "%s.part-%ld", target, (long)getpid()) >= sizeof part) {
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "folder: a path of %zu characters, want fewer than %zu", strlen(folder),
		                 sizeof part - 32);
		goto out;
	}
	status = check_folder(target, err);
	if (status)
		goto out;
	char *slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = 0;
		status = hy_make_folders(parent, err);
		if (status)
			goto out;
	}
	if (mkdir(part, 0777)) {
		status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: folder cannot be made", part);
		goto out;
	}
	made = true;
	status = make_all(&j, part, err);
	if (status)
		goto out;
	if (rename(part, target)) {
		status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be put in place", target);
		goto out;
	}
	made = false;
out:
	if (made)
		remove_tree(part);
	hy_free(target);
	hy_free(parent);
	hy_free(j.truths);
	return status;
}
