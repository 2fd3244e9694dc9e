/*
 * report_figures.c: the pictures of `hardy figures` in a report.
 */
#include "base/memory.h"
#include "report/report.h"

#include <string.h>

/* Takes over the file's bytes. */
static hardy_status read_picture(const char *folder, const cJSON *item, hy_blob *out, hardy_error *err)
{
	char *data = NULL;
	const char *name = hy_results_text(item, "file", "");
	char *path = hy_path_join(folder, hy_path_name(name)); /* nothing outside of the folder */
	hardy_status status = path ? hy_file_read(path, &data, &out->size, err) : hy_fail_memory(err, name, 1, 1);
	if (!status && (out->size < 8 || memcmp(data, "\x89PNG\r\n\x1a\n", 8) != 0)) {
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: no PNG", path);
		hy_free(data);
		data = NULL;
	}
	out->data = (uint8_t *)data;
	hy_free(path);
	return status;
}

hardy_status hy_report_read_figures(hy_report *r, hardy_error *err)
{
	char *folder = r->o->figures ? hy_strdup(r->o->figures) : hy_path_join(r->results.folder, "figures");
	char *path = folder ? hy_path_join(folder, "figures.json") : NULL;
	hardy_status status = path ? HARDY_OK : hy_fail_memory(err, "figures", 1, 1);
	if (!status && (r->o->figures || hy_path_exists(path)))
		status = hy_json_read(path, &r->figures, err);
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(r->figures, "figures"), *item;
	const size_t n = (size_t)cJSON_GetArraySize(list);
	if (!status && n && !(r->pictures = hy_calloc(n, sizeof *r->pictures)))
		status = hy_fail_memory(err, "figures", n, sizeof *r->pictures);
	size_t i = 0;
	cJSON_ArrayForEach(item, list)
	{
		if (!status)
			status = read_picture(folder, item, &r->pictures[i++], err);
	}
	hy_free(folder);
	hy_free(path);
	return status;
}

void hy_report_clear_figures(hy_report *r)
{
	const int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(r->figures, "figures"));
	for (int i = 0; r->pictures && i < n; i++)
		hy_blob_clear(&r->pictures[i]);
	hy_free(r->pictures);
	cJSON_Delete(r->figures);
}

static bool has_figures(const hy_report *r)
{
	return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(r->figures, "figures")) > 0;
}

static void write_figures(hy_report *r)
{
	const cJSON *item;
	size_t i = 0;
	hy_html_printf(&r->f, "<p>Slice %lld of %s, seed %g.</p>\n", (long long)hy_json_whole(r->figures, "slice", 0),
	               hy_results_text(r->figures, "case", ""), hy_json_number(r->figures, "seed", 0));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(r->figures, "figures"))
	{
		const char *title = hy_results_text(item, "title", "");
		hy_html_printf(
		    &r->f,
		    "<figure><figcaption><strong>%s.</strong> %s</figcaption>\n<div class=\"picture\" tabindex=\"0\" role=\"region\" "
		    "aria-label=\"%s\"><img loading=\"lazy\" width=\"%lld\" height=\"%lld\" src=\"data:image/png;base64,",
		    title, hy_results_text(item, "caption", ""), title, (long long)hy_json_whole(item, "width", 1),
		    (long long)hy_json_whole(item, "height", 1));
		hy_html_base64(&r->f, r->pictures[i].data, r->pictures[i].size);
		hy_html_printf(&r->f, "\" alt=\"%s\"></div></figure>\n", title);
		i++;
	}
}

const hy_section hy_section_figures = {"pictures", "Hard examples", has_figures, write_figures};
