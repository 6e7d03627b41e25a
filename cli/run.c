/* run.c: `quern run`: a job from its source to its exit status. */
#include "cli/run.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/address.h"
#include "cli/commands.h"
#include "cli/credential.h"
#include "cli/detach.h"
#include "cli/embedded.h"
#include "cli/hosting.h"
#include "cli/leader.h"
#include "cli/option_row.h"
#include "cli/options.h"
#include "cli/paths.h"
#include "job/compile.h"
#include "job/object.h"
#include "scheduler/driver.h"
#include "scheduler/explain_job.h"

enum {
	SHARED_CLUSTER_CORES = 16, /* taken at most when nobody says more: there are others on a cluster */
	FAILOVER_NEVER_S = 604800, /* a week: for a driver that never gives up */
	EXECUTOR_DISK_MB = 10240,
	CACHE_MB = 256, /* for a job that persists sets */
	LOCALITY_WAIT_MS = 3000,
	LOCALITY_WAIT_FINE_MS = 1000, /* in fine mode what waits may get no slot */
	REVIVE_BURST = 50,            /* REVIVEs that may come at their least interval */
	EXCLUDE_AFTER = 4,            /* failures on an agent ... */
	EXCLUDE_MS = 60000,           /* ... and it is left out for so long */
};

/* Everything of one command; freed in one place. */
struct command {
	struct run_options *o; /* borrowed */
	int argc;              /* of the job */
	char **argv;
	struct paths paths;
	struct embedded embedded;
	bool embedded_runs;
	char *so, *authorization, *user;
	struct job_labels labels;
	char host[ADDRESS_SIZE], hostname[HOST_NAME_MAX + 1];
	const char *endpoints[MASTER_ENDPOINTS_MAX + 1];
	uint8_t build_id[CODE_BUILD_ID_MAX];
	size_t build_id_len;
};

/* What was not said on the command line. A job that cannot persist anything reserves no memory for it. */
static int settle_options(struct command *c, struct err *err)
{
	struct run_options *o = c->o;
	struct object look;

	int r = object_look(c->so, &look, err);
	if (r < 0)
		return r;
	if (o->cache_mem_mb == UINT32_MAX)
		o->cache_mem_mb = look.persists ? CACHE_MB : 0;
	if (o->locality_wait_ms == UINT64_MAX)
		o->locality_wait_ms = o->mode->as_needed ? LOCALITY_WAIT_FINE_MS : LOCALITY_WAIT_MS;
	return 0;
}

/* Of an executor itself, what it keeps included. */
static uint32_t executor_mem_mb(const struct run_options *o)
{
	return o->executor_mem_mb > UINT32_MAX - o->cache_mem_mb ? UINT32_MAX
								 : o->executor_mem_mb + o->cache_mem_mb;
}

/* Nobody has the login's Kerberos ticket but who logged in. What a configuration says may not be meant for
 * this job. */
static int check_hdfs_detached(const struct run_options *o, struct err *err)
{
	static const char text[] =
		"the driver of a job that is detached has no Kerberos ticket: give it delegation "
		"tokens, by --hdfs-token-file";

	if (!o->hdfs.access.negotiate || o->hdfs.access.n_tokens > 0)
		return 0;
	if (o->hdfs.negotiate_said)
		return err_set(err, -EINVAL, "--hdfs-negotiate: %s", text);
	if (!o->quiet)
		(void)fprintf(stderr, "quern: warning: HDFS wants Kerberos, and %s\n", text);
	return 0;
}

/* What can fail before there is a cluster. */
static int prepare(struct command *c, struct err *err)
{
	int r = paths_find(&c->paths, err);

	if (r == 0)
		r = compile_job(c->o->hosting != NULL ? c->o->hosting->so : c->argv[0], c->paths.include,
			c->o->cflags, &c->so, err);
	if (r == 0)
		r = compile_build_id(c->so, c->build_id, &c->build_id_len, err);
	if (r == 0)
		r = settle_options(c, err);
	if (r == 0)
		r = hdfs_options_settle(&c->o->hdfs, err);
	if (r == 0 && c->o->detached.detach)
		r = check_hdfs_detached(c->o, err);
	if (r == 0 && c->o->hosting != NULL && c->o->hosting->authorization != NULL)
		r = option_text(&c->authorization, c->o->hosting->authorization, err);
	else if (r == 0 && c->o->cluster.secret_file != NULL)
		r = credential_header(
			c->o->cluster.principal, c->o->cluster.secret_file, &c->authorization, err);
	return r;
}

uint32_t run_slots(const struct run_options *o)
{
	uint64_t milli = o->total_cores_milli;

	if (milli == 0)
		milli = o->cluster.master.local
				? (uint64_t)o->cluster.master.agents * o->cluster.master.cores * 1000
				: SHARED_CLUSTER_CORES * 1000;
	uint64_t n = milli / o->task_cpus_milli;
	return n < 1 ? 1 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* What never leaves a machine is not worth compressing: that costs more than to write and read it
 * (bench/RESULTS.md, D1 to D3). */
static uint32_t shuffle_compression(const struct run_options *o)
{
	if (o->shuffle_compression != UINT32_MAX)
		return o->shuffle_compression;
	return o->cluster.master.local ? 0 : 1;
}

/* An agent of local[AxN] has room for N cores' tasks and, beside them, for the executor itself. */
static int start_embedded(struct command *c, struct err *err)
{
	const struct run_options *o = c->o;
	uint64_t tasks = (uint64_t)o->cluster.master.cores * 1000 / o->task_cpus_milli + 1;
	auto_free char *resources = NULL;

	if (asprintf(&resources, "cpus:%.3f;mem:%llu;disk:%d;ports:[31000-32000]",
		    o->cluster.master.cores + o->executor_cpus_milli / 1000.0,
		    (unsigned long long)(tasks * o->task_mem_mb + executor_mem_mb(o)),
		    EXECUTOR_DISK_MB) < 0) {
		resources = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	const struct cluster_config config = { .agents = o->cluster.master.agents, .resources = resources };
	int r = embedded_start(&config, &c->embedded, err);
	if (r < 0)
		return r;
	c->embedded_runs = true;
	c->endpoints[0] = c->embedded.endpoint;
	return 0;
}

/* Where the masters are is not known yet; ZooKeeper is taken to be on the same side of us. */
static int towards_zookeeper(struct command *c, struct err *err)
{
	const struct zk_url *zk = &c->o->cluster.master.zk;
	int r = -EHOSTUNREACH;

	for (size_t i = 0; r < 0 && i < zk->n_hosts; i++) {
		auto_free char *endpoint = NULL;

		if (asprintf(&endpoint, "%s:%u", zk->hosts[i].name, (unsigned)zk->hosts[i].port) < 0) {
			endpoint = NULL;
			return err_set(err, -ENOMEM, "out of memory");
		}
		r = address_towards(endpoint, c->host, err);
	}
	return r;
}

static int find_cluster(struct command *c, struct err *err)
{
	const struct run_options *o = c->o;
	int r = 0;

	if (o->cluster.master.local)
		return start_embedded(c, err);
	for (size_t i = 0; i < MASTER_ENDPOINTS_MAX; i++)
		c->endpoints[i] = o->cluster.master.endpoints[i];
	if (o->cluster.driver_host == NULL)
		r = -EHOSTUNREACH;
	for (size_t i = 0; r < 0 && c->endpoints[i] != NULL; i++)
		r = address_towards(c->endpoints[i], c->host, err);
	return r < 0 ? towards_zookeeper(c, err) : r;
}

/* A driver that comes back to the same master within its patience finds its tasks. */
static double failover_timeout_s(const struct cluster_options *o)
{
	if (o->failover_timeout_ms != UINT64_MAX)
		return (double)o->failover_timeout_ms / 1000;
	return o->master_timeout_ms == 0 ? FAILOVER_NEVER_S : (double)o->master_timeout_ms / 1000;
}

static struct sched_config sched_config(const struct command *c)
{
	const struct run_options *o = c->o;
	const struct hosting *h = o->hosting;
	struct sched_config s = { .name = o->name,
		.user = c->user,
		.roles = (const char *const *)o->cluster.roles,
		.revocable = o->cluster.revocable,
		.ports_from_offer = o->cluster.ports_from_offer,
		.constraints = o->cluster.constraints,
		.principal = o->cluster.principal,
		.hostname = c->hostname,
		.failover_timeout_s = failover_timeout_s(&o->cluster),
		.checkpoint = o->cluster.checkpoint,
		.labels = &c->labels.labels,
		.framework_id = h != NULL ? h->framework_id : NULL,
		.own_task = h != NULL ? DETACH_TASK : NULL,
		.mode = o->mode,
		.limit_by_default = o->total_cores_milli == 0 && !o->cluster.master.local,
		.mode_config = { .max_slots = run_slots(o),
			.min_ratio_percent = o->min_registered_percent,
			.max_registered_wait_ms = o->max_registered_wait_ms,
			.lease_idle_ms = o->lease_idle_ms,
			.lease_max_ms = o->lease_max_ms },
		.task_cpus_milli = o->task_cpus_milli,
		.task_mem_mb = o->task_mem_mb,
		.executor_cpus_milli = o->executor_cpus_milli,
		.executor_mem_mb = executor_mem_mb(o),
		.task_max_failures = o->task_max_failures,
		.task_timeout_ms = o->task_timeout_ms,
		.max_bad_records = o->max_bad_records,
		.locality_wait_ms = o->locality_wait_ms,
		.revive_interval_ms = o->cluster.revive_interval_ms,
		.revive_burst = REVIVE_BURST,
		.exclude_after = EXCLUDE_AFTER,
		.exclude_ms = EXCLUDE_MS };

	return s;
}

static struct action_config action_config(const struct run_options *o)
{
	return (struct action_config){ .cores = run_slots(o),
		.partitions = o->parallelism,
		.compression = shuffle_compression(o),
		.task_memory = (uint64_t)o->task_mem_mb << 20,
		.recursive = o->recursive,
		.only_look = o->explain,
		.no_folder = o->hosting != NULL };
}

static struct job_process_config process_config(const struct command *c)
{
	return (struct job_process_config){ .self = c->paths.self,
		.so = c->so,
		.build_id = c->build_id,
		.build_id_len = c->build_id_len,
		.files = c->o->files.list.at,
		.n_files = c->o->files.list.n,
		.argv = c->argv,
		.argc = c->argc };
}

static int explain(const struct command *c)
{
	const struct explain_config x = {
		.process = process_config(c), .hdfs = &c->o->hdfs.access, .action = action_config(c->o)
	};

	return explain_job(&x);
}

static int drive(const struct command *c, uint64_t seed)
{
	const struct run_options *o = c->o;
	struct driver_config d = { .endpoints = c->endpoints,
		.zk = o->cluster.master.zk.path != NULL ? &o->cluster.master.zk : NULL,
		.master = o->cluster.master.shown != NULL ? o->cluster.master.shown : c->endpoints[0],
		.authorization = c->authorization,
		.bind_address = o->cluster.master.local          ? "127.0.0.1"
				: o->cluster.driver_host != NULL ? "0.0.0.0"
								 : c->host,
		.host = o->cluster.master.local          ? "127.0.0.1"
			: o->cluster.driver_host != NULL ? o->cluster.driver_host
							 : c->host,
		.executors = { .bundle = c->paths.bundle,
			.uri = o->cluster.executor_uri,
			.cache = o->cluster.fetcher_cache,
			.command = o->cluster.executor_command,
			.env = o->cluster.executor_env.at,
			.n_env = o->cluster.executor_env.n,
			.image = o->cluster.container_image,
			.volumes = o->cluster.volumes.at,
			.n_volumes = o->cluster.volumes.n },
		.hdfs = &o->hdfs.access,
		.process = process_config(c),
		.action = action_config(o),
		.cache_mem_mb = o->cache_mem_mb,
		.give_up_ms = o->cluster.master_timeout_ms,
		.event_log = o->event_log,
		.version = QUERN_VERSION,
		.quiet = o->quiet,
		.verbose = o->verbose,
		.sched = sched_config(c) };

	d.sched.seed = seed;
	if (o->hosting != NULL) {
		d.only_end = o->hosting->lost;
		if (d.only_end) /* the log of the driver that has died stays as it is */
			d.event_log = NULL;
		d.ends = o->hosting->ends;
		d.ends_arg = o->hosting->ends_arg;
	}
	return driver_run(&d);
}

/* The master is looked for once: a submission that loses it is over. */
static int detach(const struct command *c)
{
	const struct run_options *o = c->o;
	struct leader leader;
	struct err err = { "" };

	if (leader_find(&o->cluster.master, o->cluster.master_timeout_ms, &leader, &err) < 0) {
		(void)fprintf(stderr, "quern: %s\n", err.text);
		return DRIVER_NO_CLUSTER;
	}
	const struct detach_config d = { .options = o,
		.endpoints = (const char *const *)leader.endpoints,
		.authorization = c->authorization,
		.bind_address = o->cluster.driver_host != NULL ? "0.0.0.0" : c->host,
		.host = o->cluster.driver_host != NULL ? o->cluster.driver_host : c->host,
		.bundle = c->paths.driver,
		.so = c->so,
		.argv = c->argv,
		.argc = c->argc,
		.sched = sched_config(c) };

	int status = detach_job(&d);
	leader_deinit(&leader);
	return status;
}

static int identify(struct command *c, struct err *err)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *job = c->argv[0], *slash = strrchr(job, '/');

	c->user = strdup(c->o->hosting != NULL ? c->o->hosting->user : pw != NULL ? pw->pw_name : "root");
	if (c->o->name == NULL)
		c->o->name = strdup(slash != NULL ? slash + 1 : job);
	if (c->user == NULL || c->o->name == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (gethostname(c->hostname, sizeof(c->hostname)) < 0)
		return err_errno(err, -errno, "the name of this machine");
	c->hostname[sizeof(c->hostname) - 1] = '\0';
	job_labels_init(&c->labels, c->o->mode->name, c->o->hosting);
	return 0;
}

static int run(struct command *c)
{
	struct err err = { "" };
	uint64_t seed;
	int status = DRIVER_JOB_FAILED;

	int r = identify(c, &err);
	if (r == 0 && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		r = err_set(&err, -EIO, "no random numbers to be had");
	if (r == 0)
		r = prepare(c, &err);
	if (r == 0 && c->o->explain)
		return explain(c);
	if (r == 0) {
		status = DRIVER_NO_CLUSTER;
		r = find_cluster(c, &err);
	}
	if (r < 0) {
		(void)fprintf(stderr, "quern: %s\n", err.text);
		return status;
	}
	return c->o->detached.detach ? detach(c) : drive(c, seed);
}

int run_job(struct run_options *o, int argc, char **argv)
{
	struct command c = { .o = o, .argc = argc, .argv = argv };

	int status = run(&c);
	if (c.embedded_runs)
		embedded_stop(&c.embedded);
	paths_deinit(&c.paths);
	free(c.so);
	free(c.authorization);
	free(c.user);
	return status;
}

/* `input`: where the index of the job goes. What follows it is the job's. */
static error_t take(int key, char *arg, struct argp_state *state)
{
	int *first = state->input;

	(void)arg;
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "no job: name a .c file or a shared object");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	*first = state->next - 1;
	state->next = state->argc;
	return 0;
}

int command_run(int argc, char **argv)
{
	int first = argc;
	const struct options_command command = {
		.take = take,
		.input = &first,
		.args = "JOB [ARG...]",
		.doc = "Runs a job on a Mesos cluster, or on an embedded one that it starts and takes down.\v"
		       "JOB is a .c file (compiled, and kept by content in the cache) or a shared object. "
		       "ARGs are for the job's quern_main().\n\n"
		       "Exit status: 0 done, 1 the job failed, 2 the command line is wrong, 3 no cluster, "
		       "130 "
		       "interrupted.",
		.flags = ARGP_IN_ORDER,
	};
	struct run_options o;

	options_parse(argc, argv, &command, &o);
	int status = run_job(&o, argc - first, argv + first);
	options_deinit(&o);
	return status;
}
