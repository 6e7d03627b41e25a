#include "cli/cluster_options.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/option_row.h"
#include "cli/parse.h"
#include "mesos/roles.h"
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

static int set_failover_timeout(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return parse_duration_ms(value, &o->failover_timeout_ms, err);
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

	char **roles;

	int r = roles_parse(value, &roles, err);
	if (r < 0)
		return r;
	roles_free(o->roles);
	o->roles = roles;
	return 0;
}

static int set_revocable(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_bool(&o->revocable, value, err);
}

static int set_ports_from_offer(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_bool(&o->ports_from_offer, value, err);
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

static int set_executor_command(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->executor_command, value, err);
}

static int set_executor_env(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return env_add(&o->executor_env, value, err);
}

static int set_fetcher_cache(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_bool(&o->fetcher_cache, value, err);
}

static int set_container_image(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_text(&o->container_image, value, err);
}

static int set_container_volume(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return volume_add(&o->volumes, value, err);
}

static int set_checkpoint(void *options, const char *value, struct err *err)
{
	struct cluster_options *o = options;

	return option_bool(&o->checkpoint, value, err);
}

static const struct option_row rows[] = {
	{ "master", "URL",
		"local[N], local[AxN] (A agents of N cores), local[*] (the default), or "
		"HOST:PORT[,HOST:PORT...], or zk://HOST:PORT[,HOST:PORT...]/PATH, or file:///FILE with one "
		"of these in it",
		set_master },
	{ "master-timeout", "TIME", "give up without a master for so long (30s)", set_master_timeout },
	{ "failover-timeout", "TIME",
		"how long a master keeps the job's tasks when this process is gone (as --master-timeout)",
		set_failover_timeout },
	{ "driver-host", "HOST", "name or address under which agents reach this machine", set_driver_host },
	{ "role", "ROLE[,ROLE...]", "Mesos roles, the preferred ones first (*)", set_role },
	{ "revocable", NULL, "run on revocable resources as well, which agents may take back",
		set_revocable },
	{ "ports-from-offer", NULL, "executors serve at ports that agents offer, not at any that is free",
		set_ports_from_offer },
	{ "constraints", "NAME[:VALUE,...];...",
		"agents must have these attributes, of these values; hostname, region and zone count as "
		"attributes (any)",
		set_constraints },
	{ "principal", "NAME", "Mesos principal", set_principal },
	{ "secret-file", "FILE", "file with the principal's secret", set_secret_file },
	{ "executor-uri", "URI", "where agents fetch the executor's bundle (default: from this process)",
		set_executor_uri },
	{ "fetcher-cache", NULL, "agents' fetchers keep what is at --executor-uri", set_fetcher_cache },
	{ "executor-command", "COMMAND",
		"how to start an executor, for /bin/sh in its sandbox (./quern-executor)",
		set_executor_command },
	{ "executor-env", "NAME=VALUE", "a variable of executors and tasks; may be given several times",
		set_executor_env },
	{ "container-image", "IMAGE",
		"Docker image that executors run in, by Mesos' own containerizer (none)",
		set_container_image },
	{ "container-volume", "HOST:PATH[:ro]",
		"folder of the agent's machine in that container; may be given several times",
		set_container_volume },
	{ "checkpoint", "BOOL", "tasks go on while their agent is restarted (true)", set_checkpoint },
	{ "revive-interval", "TIME", "fine, adaptive: least time between two REVIVEs, 0 for none (20ms)",
		set_revive },
};

enum { KEY_FIRST = 0x300, ROWS = sizeof(rows) / sizeof(rows[0]) };

int cluster_options_init(struct cluster_options *o, struct err *err)
{
	*o = (struct cluster_options){ .revive_interval_ms = 20,
		.master_timeout_ms = 30000,
		.failover_timeout_ms = UINT64_MAX,
		.checkpoint = true };
	return master_parse("local[*]", &o->master, err);
}

int cluster_options_check(const struct cluster_options *o, struct err *err)
{
	if (o->container_image != NULL && o->master.local)
		return err_set(err, -EINVAL,
			"--container-image needs a Mesos cluster: the embedded one has no containers");
	if (o->volumes.n > 0 && o->container_image == NULL)
		return err_set(err, -EINVAL, "--container-volume needs --container-image");
	if (o->fetcher_cache && o->executor_uri == NULL)
		return err_set(err, -EINVAL,
			"--fetcher-cache needs --executor-uri: what this process serves is there for one "
			"job");
	return 0;
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
	return option_rows_take(rows, ROWS, KEY_FIRST, key, arg, state);
}

void cluster_options_deinit(struct cluster_options *o)
{
	master_deinit(&o->master);
	env_deinit(&o->executor_env);
	volumes_deinit(&o->volumes);
	roles_free(o->roles);
	char *texts[] = { o->principal, o->secret_file, o->driver_host, o->executor_uri, o->executor_command,
		o->container_image, o->constraints };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
}
