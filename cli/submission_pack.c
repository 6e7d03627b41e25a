#include "cli/submission_pack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "job/files.h"

/* What is not for the driver to be told: it is about here, or it travels in another way. */
static bool stays_here(const char *property)
{
	static const char *const here[] = { "quern.master", "quern.detach", "quern.driver.", "quern.files",
		"quern.secret.file", "quern.cflags", "quern.hdfs." };

	if (strcmp(property, "quern.master.timeout") == 0)
		return false;
	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		if (strncmp(property, here[i], strlen(here[i])) == 0)
			return true;
	return false;
}

/* --master as it was understood: it may have been the name of a file here. NULL: no memory. */
static char *master_text(const struct master_url *m)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	if (m->zk.path != NULL)
		(void)fprintf(f, "zk://%s%s", m->zk.credentials != NULL ? m->zk.credentials : "",
			m->zk.credentials != NULL ? "@" : "");
	for (size_t i = 0; i < m->zk.n_hosts; i++) {
		bool v6 = strchr(m->zk.hosts[i].name, ':') != NULL;

		(void)fprintf(f, "%s%s%s%s:%u", i > 0 ? "," : "", v6 ? "[" : "", m->zk.hosts[i].name,
			v6 ? "]" : "", (unsigned)m->zk.hosts[i].port);
	}
	for (size_t i = 0; m->endpoints[i] != NULL; i++)
		(void)fprintf(f, "%s%s", i > 0 ? "," : "", m->endpoints[i]);
	if (m->zk.path != NULL)
		(void)fputs(m->zk.path, f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- Packing ---- */

struct pieces {
	Quern__Submission__Setting *settings, **setting_list;
	Quern__Submission__File *files, **file_list;
};

static int list_pieces(const struct run_options *o, struct pieces *p, Quern__Submission *m)
{
	const struct settings *s = &o->settings;
	const struct files *f = &o->files;

	p->settings = calloc(s->list.n + 1, sizeof(*p->settings));
	p->setting_list = calloc(s->list.n + 1, sizeof(*p->setting_list));
	p->files = calloc(f->list.n + 1, sizeof(*p->files));
	p->file_list = calloc(f->list.n + 1, sizeof(*p->file_list));
	if (p->settings == NULL || p->setting_list == NULL || p->files == NULL || p->file_list == NULL)
		return -ENOMEM;
	m->settings = p->setting_list;
	m->files = p->file_list;
	for (size_t i = 0; i < s->list.n; i++) {
		Quern__Submission__Setting *one = &p->settings[m->n_settings];

		if (stays_here(s->list.at[i].property))
			continue;
		quern__submission__setting__init(one);
		one->property = s->list.at[i].property;
		one->value = s->list.at[i].value;
		m->settings[m->n_settings++] = one;
	}
	for (size_t i = 0; i < f->list.n; i++) {
		quern__submission__file__init(&p->files[i]);
		p->files[i].name = f->list.at[i].name;
		p->files[i].has_executable = 1;
		p->files[i].executable = f->list.at[i].executable;
		m->files[m->n_files++] = &p->files[i];
	}
	return 0;
}

static int pack(const struct detach_config *c, const struct buf *hdfs, struct buf *to)
{
	Quern__Submission m = QUERN__SUBMISSION__INIT;
	struct pieces p = { 0 };
	char *master = master_text(&c->options->cluster.master);

	if (master == NULL)
		return -ENOMEM;
	m.master = master;
	m.name = (char *)(uintptr_t)c->sched.name;
	m.user = (char *)(uintptr_t)c->sched.user;
	m.n_arguments = (size_t)c->argc;
	m.arguments = (char **)(uintptr_t)c->argv;
	m.hdfs = (ProtobufCBinaryData){ .data = hdfs->data, .len = hdfs->len };
	m.authorization = (char *)(uintptr_t)c->authorization;
	m.has_quiet = m.has_verbose = 1;
	m.quiet = c->options->quiet;
	m.verbose = c->options->verbose;
	int r = list_pieces(c->options, &p, &m);
	if (r == 0)
		r = buf_reserve(to, quern__submission__get_packed_size(&m));
	if (r == 0)
		to->len += quern__submission__pack(&m, to->data + to->len);
	explicit_bzero(master, strlen(master));
	free(master);
	free(p.settings);
	free(p.setting_list);
	free(p.files);
	free(p.file_list);
	return r;
}

int submission_pack(const struct detach_config *c, struct buf *to, struct err *err)
{
	auto_buf struct buf hdfs = BUF_INIT(SIZE_MAX);

	int r = hdfs_access_pack(&c->options->hdfs.access, &hdfs);
	if (r == 0)
		r = pack(c, &hdfs, to);
	if (hdfs.data != NULL)
		explicit_bzero(hdfs.data, hdfs.len);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

/* ---- And back ---- */

int submission_unpack(const void *data, size_t len, Quern__Submission **ret, struct err *err)
{
	Quern__Submission *m = quern__submission__unpack(NULL, len, data);

	if (m == NULL || m->n_arguments == 0) {
		submission_free_message(m);
		return err_set(err, -EPROTO, "what came with the driver is not a job");
	}
	*ret = m;
	return 0;
}

void submission_free_message(Quern__Submission *m)
{
	if (m == NULL)
		return;
	if (m->authorization != NULL)
		explicit_bzero(m->authorization, strlen(m->authorization));
	if (m->hdfs.data != NULL)
		explicit_bzero(m->hdfs.data, m->hdfs.len);
	explicit_bzero(m->master, strlen(m->master));
	quern__submission__free_unpacked(m, NULL);
}

static int take_settings(const Quern__Submission *m, struct run_options *o, struct err *err)
{
	int r = options_set(o, "quern.master", m->master, err);

	for (size_t i = 0; r == 0 && i < m->n_settings; i++)
		r = stays_here(m->settings[i]->property)
			    ? err_set(err, -EINVAL, "%s: not to be sent", m->settings[i]->property)
			    : options_set(o, m->settings[i]->property, m->settings[i]->value, err);
	if (r == 0 && o->cluster.master.local)
		r = err_set(err, -EINVAL, "a driver that is hosted without a master");
	return r;
}

static int take_files(const Quern__Submission *m, const char *folder, struct run_options *o, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->n_files; i++) {
		auto_free char *item = NULL;

		if (asprintf(&item, "%s/%s/%s#%s", folder, FILES_FOLDER, m->files[i]->name,
			    m->files[i]->name) < 0) {
			item = NULL;
			return err_set(err, -ENOMEM, "out of memory");
		}
		r = files_add(&o->files, item, err);
		if (r == 0)
			o->files.list.at[i].executable = m->files[i]->executable;
	}
	return r;
}

int submission_options(const Quern__Submission *m, const char *folder, struct run_options *o, struct err *err)
{
	int r = take_settings(m, o, err);

	if (r == 0)
		r = take_files(m, folder, o, err);
	if (r == 0)
		r = hdfs_access_unpack(m->hdfs.data, m->hdfs.len, &o->hdfs.access, err);
	if (r < 0)
		return r;
	o->quiet = m->quiet;
	o->verbose = m->verbose;
	free(o->name);
	o->name = strdup(m->name);
	return o->name == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}
