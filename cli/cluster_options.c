#include "cli/cluster_options.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/option_row.h"
#include "cli/parse.h"
#include "scheduler/constraints.h"

static int set_master(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	struct master_url m;

	int r = master_parse(value, &m, err);
	if (r < 0)
		return r;
	master_deinit(&o->master);
	o->master = m;
	return 0;
}

static int set_master_timeout(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return parse_duration_ms(value, &o->master_timeout_ms, err);
}

static int set_revive(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	uint64_t ms;

	int r = parse_duration_ms(value, &ms, err);
	if (r < 0)
		return r;
	o->revive_interval_ms = ms == 0 ? UINT64_MAX : ms;
	return 0;
}

static int set_role(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->role, value, err);
}

static int set_principal(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->principal, value, err);
}

static int set_secret_file(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->secret_file, value, err);
}

static int set_constraints(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;
	struct constraints c;

	int r = constraints_parse(value, &c, err);
	if (r < 0)
		return r;
	constraints_deinit(&c);
	return option_text(&o->constraints, value, err);
}

static int set_driver_host(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->driver_host, value, err);
}

static int set_executor_uri(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->executor_uri, value, err);
}

static const struct option_row rows[] = {
	{ "master", "URL",
		"local[N], local[AxN] (A agents of N cores), local[*] (the default), or "
		"HOST:PORT[,HOST:PORT...]",
		set_master },
	{ "master-timeout", "TIME", "give up without a master for so long (30s)", set_master_timeout },
	{ "driver-host", "HOST", "name or address under which agents reach this machine", set_driver_host },
	{ "role", "ROLE", "Mesos role (*)", set_role },
	{ "constraints", "NAME[:VALUE,...];...",
		"agents must have these attributes, of these values; hostname, region and zone count as "
		"attributes (any)",
		set_constraints },
	{ "principal", "NAME", "Mesos principal", set_principal },
	{ "secret-file", "FILE", "file with the principal's secret", set_secret_file },
	{ "executor-uri", "URI", "where agents fetch the executor's bundle (default: from this process)",
		set_executor_uri },
	{ "revive-interval", "TIME", "fine: least time between two REVIVEs, 0 for none (20ms)", set_revive },
};

enum { KEY_FIRST = 0x300, ROWS = sizeof(rows) / sizeof(rows[0]) };

int cluster_options_init(struct cluster_options *o, struct err *err)
{
	*o = (struct cluster_options){ .revive_interval_ms = 20, .master_timeout_ms = 30000 };
	return master_parse("local[*]", &o->master, err);
}

int cluster_options_set(struct cluster_options *o, const char *name, const char *value, struct err *err)
{
	return option_rows_set(rows, ROWS, o, name, value, err);
}

const struct argp_option *cluster_options_list(void)
{
	static struct argp_option list[ROWS + 1];

	option_rows_list(rows, ROWS, KEY_FIRST, list);
	return list;
}

error_t cluster_options_take(int key, char *arg, struct argp_state *state)
{
	struct err err = { "" };

	if (key < KEY_FIRST || key >= KEY_FIRST + ROWS)
		return ARGP_ERR_UNKNOWN;
	if (option_row_set(&rows[key - KEY_FIRST], state->input, arg, &err) < 0)
		argp_failure(state, argp_err_exit_status, 0, "%s", err.text);
	return 0;
}

void cluster_options_deinit(struct cluster_options *o)
{
	master_deinit(&o->master);
	char *texts[] = { o->role, o->principal, o->secret_file, o->driver_host, o->executor_uri,
		o->constraints };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}
