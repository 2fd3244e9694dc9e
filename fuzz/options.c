/*
 * options.c: any bytes as a YAML file of options: refused or read, and what is read sets fields of a training or is refused, never harmful.
 */
#include "fuzz.h"

#include "base/option.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hardy_error err;
	hardy_option_file *f = NULL;
	hardy_train_options o;
	const hardy_options *table = &hy_train_table;
	if (hy_option_file_parse(&f, (const char *)data, size, "input", &err)) {
		if (f)
			abort();
		return 0;
	}
	hardy_options_default(table, &o);
	for (size_t i = 0; i < hardy_option_file_n(f); i++) {
		const char *name, *text;
		char shown[256];
		hardy_option_file_entry(f, i, &name, &text);
		if (!*name || !*text)
			abort();
		const hardy_option *row = hardy_option_find(table, name);
		if (hardy_option_set(row, &o, text, &err))
			continue;
		hardy_option_text(row, &o, shown, sizeof shown); /* what was set is in range, and reads back */
		if (hy_option_check(row, &o, &err) ||
		    (*shown && row->type != HARDY_OPTION_TEXT && hardy_option_set(row, &o, shown, &err)))
			abort();
	}
	hardy_option_file_free(f);
	return 0;
}
