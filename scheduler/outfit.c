#include "scheduler/outfit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/link.h"
#include "job/files.h"

struct outfit {
	const struct driver_config *c;
	struct artifacts *artifacts;
	uint16_t port;
	const uint8_t *secret;
	struct buf data;          /* a packed ExecutorData */
	struct sched_file *files; /* that travel with the job */
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

/* A file that travels with the job: served under a number, named by its fetcher. */
static int ship(struct outfit *o, size_t i, struct err *err)
{
	const struct shipped *from = &o->c->process.files[i];
	struct sched_file *file = &o->files[i];
	char number[32], *name;

	(void)snprintf(number, sizeof(number), "file-%zu", i);
	int r = artifacts_add(o->artifacts, number, from->path, err);
	if (r < 0)
		return r;
	file->executable = from->executable;
	file->uri = artifacts_url(o->artifacts, o->c->host, number);
	if (asprintf(&name, "%s/%s", FILES_FOLDER, from->name) >= 0)
		file->name = name;
	return file->uri == NULL || file->name == NULL ? err_set(err, -ENOMEM, "%s", no_memory) : 0;
}

static int serve(struct outfit *o, struct err *err)
{
	size_t n = o->c->process.n_files;

	o->files = calloc(n + 1, sizeof(*o->files));
	if (o->files == NULL)
		return err_set(err, -ENOMEM, "%s", no_memory);
	int r = artifacts_add(o->artifacts, "job.so", o->c->process.so, err);
	if (r == 0 && o->c->executor_uri == NULL)
		r = artifacts_add(o->artifacts, "quern-executor.tar", o->c->bundle, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = ship(o, i, err);
	return r;
}

static int make_core(const struct outfit *o, struct sched **ret, struct err *err)
{
	struct sched_config config = o->c->sched;
	auto_free char *job = artifacts_url(o->artifacts, o->c->host, "job.so");
	auto_free char *bundle = o->c->executor_uri != NULL
					 ? strdup(o->c->executor_uri)
					 : artifacts_url(o->artifacts, o->c->host, "quern-executor.tar");

	if (job == NULL || bundle == NULL)
		return err_set(err, -ENOMEM, "%s", no_memory);
	const char *uris[] = { bundle, job, NULL };
	config.executor_command = "./quern-executor";
	config.executor_uris = uris;
	config.executor_data = o->data.data;
	config.executor_data_len = o->data.len;
	config.files = o->files;
	config.n_files = o->c->process.n_files;
	return sched_new(&config, ret, err);
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
		r = make_core(&o, ret, err);
	for (size_t i = 0; o.files != NULL && i < config->process.n_files; i++) {
		free((char *)(uintptr_t)o.files[i].uri);
		free((char *)(uintptr_t)o.files[i].name);
	}
	free(o.files);
	buf_deinit(&o.data);
	return r;
}
