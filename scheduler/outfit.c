#include "scheduler/outfit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/link.h"
#include "job/files.h"

enum { FIXED_URIS = 2 }; /* the bundle, the job */

struct outfit {
	const struct driver_config *c;
	struct artifacts *artifacts;
	uint16_t port;
	const uint8_t *secret;
	struct buf data; /* a packed ExecutorData */

	/* The ExecutorInfo, in pieces. What is fetched: the bundle, the job, the files that travel with it.
	 */
	Mesos__V1__CommandInfo__URI *uris, **uri_list;
	Mesos__V1__Environment__Variable *variables, **variable_list;
	Mesos__V1__Volume *volumes, **volume_list;
};

static const char no_memory[] = "out of memory";

static int pack_data(struct outfit *o, struct err *err)
{
	Quern__ExecutorData data = QUERN__EXECUTOR_DATA__INIT;
	const struct job_process_config *process = &o->c->process;

	data.driver_host = (char *)o->c->host;
	data.driver_port = o->port;
	data.has_serve_port = 1;
	data.serve_port = artifacts_port(o->artifacts);
	data.secret = (ProtobufCBinaryData){ .data = (uint8_t *)o->secret, .len = LINK_SECRET };
	data.job = (char *)"job.so";
	data.has_cache_memory = 1;
	data.cache_memory = (uint64_t)o->c->cache_mem_mb << 20;
	data.build_id =
		(ProtobufCBinaryData){ .data = (uint8_t *)process->build_id, .len = process->build_id_len };
	size_t len = quern__executor_data__get_packed_size(&data);
	int r = buf_reserve(&o->data, len);
	if (r < 0)
		return err_set(err, r, "%s", no_memory);
	o->data.len += quern__executor_data__pack(&data, o->data.data + o->data.len);
	return 0;
}

/* ---- What is fetched ---- */

/* The URI of an artifact of ours. NULL: no memory. */
static Mesos__V1__CommandInfo__URI *add_uri(struct outfit *o, size_t i, const char *artifact)
{
	Mesos__V1__CommandInfo__URI *uri = &o->uris[i];

	mesos__v1__command_info__uri__init(uri);
	o->uri_list[i] = uri;
	uri->value = artifact != NULL ? artifacts_url(o->artifacts, o->c->host, artifact)
				      : strdup(o->c->executors.uri);
	return uri->value != NULL ? uri : NULL;
}

/* A file that travels with the job: served under a number, named by its fetcher, and left as it is. */
static int ship(struct outfit *o, size_t i, struct err *err)
{
	const struct shipped *from = &o->c->process.files[i];
	char number[32];

	(void)snprintf(number, sizeof(number), "file-%zu", i);
	int r = artifacts_add(o->artifacts, number, from->path, err);
	if (r < 0)
		return r;
	Mesos__V1__CommandInfo__URI *uri = add_uri(o, FIXED_URIS + i, number);
	if (uri == NULL || asprintf(&uri->output_file, "%s/%s", FILES_FOLDER, from->name) < 0)
		return err_set(err, -ENOMEM, "%s", no_memory);
	uri->has_extract = 1;
	uri->extract = 0;
	uri->has_executable = 1;
	uri->executable = from->executable;
	return 0;
}

static int serve(struct outfit *o, struct err *err)
{
	const struct executor_outfit *x = &o->c->executors;
	size_t n = o->c->process.n_files;

	o->uris = calloc(n + FIXED_URIS, sizeof(*o->uris));
	o->uri_list = calloc(n + FIXED_URIS, sizeof(*o->uri_list));
	if (o->uris == NULL || o->uri_list == NULL)
		return err_set(err, -ENOMEM, "%s", no_memory);
	int r = artifacts_add(o->artifacts, "job.so", o->c->process.so, err);
	if (r == 0 && x->uri == NULL)
		r = artifacts_add(o->artifacts, "quern-executor.tar", x->bundle, err);
	if (r < 0)
		return r;
	Mesos__V1__CommandInfo__URI *bundle = add_uri(o, 0, x->uri == NULL ? "quern-executor.tar" : NULL);
	if (bundle == NULL || add_uri(o, 1, "job.so") == NULL)
		return err_set(err, -ENOMEM, "%s", no_memory);
	bundle->has_cache = 1;
	bundle->cache = x->cache;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = ship(o, i, err);
	return r;
}

/* ---- Where it runs ---- */

static int set_environment(struct outfit *o, struct err *err)
{
	const struct executor_outfit *x = &o->c->executors;

	o->variables = calloc(x->n_env + 1, sizeof(*o->variables));
	o->variable_list = calloc(x->n_env + 1, sizeof(*o->variable_list));
	if (o->variables == NULL || o->variable_list == NULL)
		return err_set(err, -ENOMEM, "%s", no_memory);
	for (size_t i = 0; i < x->n_env; i++) {
		Mesos__V1__Environment__Variable *v = &o->variables[i];
		const char *equals = strchr(x->env[i], '=');

		mesos__v1__environment__variable__init(v);
		o->variable_list[i] = v;
		v->name = strndup(x->env[i], (size_t)(equals - x->env[i]));
		v->value = (char *)(uintptr_t)equals + 1;
		if (v->name == NULL)
			return err_set(err, -ENOMEM, "%s", no_memory);
	}
	return 0;
}

static int set_volumes(struct outfit *o, struct err *err)
{
	const struct executor_outfit *x = &o->c->executors;

	o->volumes = calloc(x->n_volumes + 1, sizeof(*o->volumes));
	o->volume_list = calloc(x->n_volumes + 1, sizeof(*o->volume_list));
	if (o->volumes == NULL || o->volume_list == NULL)
		return err_set(err, -ENOMEM, "%s", no_memory);
	for (size_t i = 0; i < x->n_volumes; i++) {
		Mesos__V1__Volume *v = &o->volumes[i];

		mesos__v1__volume__init(v);
		o->volume_list[i] = v;
		v->mode = x->volumes[i].read_only ? MESOS__V1__VOLUME__MODE__RO : MESOS__V1__VOLUME__MODE__RW;
		v->container_path = x->volumes[i].container_path;
		v->host_path = x->volumes[i].host_path;
	}
	return 0;
}

static int make_core(const struct outfit *o, struct sched **ret, struct err *err)
{
	const struct executor_outfit *x = &o->c->executors;
	struct sched_config config = o->c->sched;
	Mesos__V1__ExecutorInfo info = MESOS__V1__EXECUTOR_INFO__INIT;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	Mesos__V1__Environment environment = MESOS__V1__ENVIRONMENT__INIT;
	Mesos__V1__ContainerInfo container = MESOS__V1__CONTAINER_INFO__INIT;
	Mesos__V1__ContainerInfo__MesosInfo mesos = MESOS__V1__CONTAINER_INFO__MESOS_INFO__INIT;
	Mesos__V1__Image image = MESOS__V1__IMAGE__INIT;
	Mesos__V1__Image__Docker docker = MESOS__V1__IMAGE__DOCKER__INIT;

	command.n_uris = FIXED_URIS + o->c->process.n_files;
	command.uris = o->uri_list;
	command.value = (char *)(uintptr_t)(x->command != NULL ? x->command : "./quern-executor");
	environment.n_variables = x->n_env;
	environment.variables = o->variable_list;
	command.environment = x->n_env > 0 ? &environment : NULL;
	info.has_type = 1;
	info.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	info.command = &command;
	info.has_data = 1;
	info.data = (ProtobufCBinaryData){ .data = o->data.data, .len = o->data.len };
	if (x->image != NULL) {
		docker.name = (char *)(uintptr_t)x->image;
		image.type = MESOS__V1__IMAGE__TYPE__DOCKER;
		image.docker = &docker;
		mesos.image = &image;
		container.type = MESOS__V1__CONTAINER_INFO__TYPE__MESOS;
		container.mesos = &mesos;
		container.n_volumes = x->n_volumes;
		container.volumes = o->volume_list;
		info.container = &container;
	}
	config.executor = &info;
	return sched_new(&config, ret, err);
}

static void deinit(struct outfit *o)
{
	for (size_t i = 0; o->uris != NULL && i < FIXED_URIS + o->c->process.n_files; i++) {
		free(o->uris[i].value);
		free(o->uris[i].output_file);
	}
	for (size_t i = 0; o->variables != NULL && i < o->c->executors.n_env; i++)
		free(o->variables[i].name);
	void *arrays[] = { o->uris, (void *)o->uri_list, o->variables, (void *)o->variable_list, o->volumes,
		(void *)o->volume_list };
	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		free(arrays[i]);
	buf_deinit(&o->data);
}

int outfit_sched(const struct driver_config *config, struct artifacts *artifacts, uint16_t port,
	const uint8_t *secret, struct sched **ret, struct err *err)
{
	struct outfit o = { .c = config,
		.artifacts = artifacts,
		.port = port,
		.secret = secret,
		.data = BUF_INIT(64 << 10) };

	int r = pack_data(&o, err);
	if (r == 0)
		r = serve(&o, err);
	if (r == 0)
		r = set_environment(&o, err);
	if (r == 0)
		r = set_volumes(&o, err);
	if (r == 0)
		r = make_core(&o, ret, err);
	deinit(&o);
	return r;
}
