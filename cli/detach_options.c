#include "cli/detach_options.h"

#include <errno.h>

#include "cli/option_row.h"
#include "cli/parse.h"

static int set_detach(void *options, const char *value, struct err *err)
{
	struct detach_options *o = options;

	return option_bool(&o->detach, value, err);
}

static int set_cores(void *options, const char *value, struct err *err)
{
	struct detach_options *o = options;
	uint32_t milli;

	int r = parse_cpus_milli(value, &milli, err);
	if (r < 0)
		return r;
	if (milli < 2 * HOST_CPUS_MILLI)
		return err_set(err, -EINVAL, "'%s': a driver needs 0.02 cores at least", value);
	o->cpus_milli = milli;
	return 0;
}

static int set_memory(void *options, const char *value, struct err *err)
{
	struct detach_options *o = options;
	uint32_t mb;

	int r = parse_memory_mb(value, &mb, err);
	if (r < 0)
		return r;
	if (mb < 2 * HOST_MEM_MB)
		return err_set(err, -EINVAL, "'%s': a driver needs 64 MB at least", value);
	o->mem_mb = mb;
	return 0;
}

static const struct option_row rows[] = {
	{ "detach", NULL, "the cluster hosts the driver: print the job's id and return; quern-ps(1) finds it",
		set_detach },
	{ "driver-cores", "N", "cores of the driver there (0.5)", set_cores },
	{ "driver-memory", "SIZE", "memory of the driver and of quern_main() there (512m)", set_memory },
};

enum { KEY_FIRST = 0x400, ROWS = sizeof(rows) / sizeof(rows[0]) };

void detach_options_init(struct detach_options *o)
{
	*o = (struct detach_options){ .cpus_milli = 500, .mem_mb = 512 };
}

int detach_options_set(struct detach_options *o, const char *name, const char *value, struct err *err)
{
	return option_rows_set(rows, ROWS, o, name, value, err);
}

const struct argp_option *detach_options_list(void)
{
	static struct argp_option list[ROWS + 1];

	option_rows_list(rows, ROWS, KEY_FIRST, list);
	return list;
}

error_t detach_options_take(int key, char *arg, struct argp_state *state)
{
	return option_rows_take(rows, ROWS, KEY_FIRST, key, arg, state);
}
