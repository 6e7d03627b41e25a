#include "cli/hdfs_options.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/option_row.h"
#include "cli/parse.h"
#include "hdfs_client/conf.h"

enum { SMALL_FILE_MAX = 4 << 20 };

enum { KEY_USER = 0x100, KEY_HOST_MAP, KEY_CA, KEY_NEGOTIATE, KEY_CONF, KEY_TOKENS, KEY_PATIENCE, KEY_END };

static const struct argp_option options[] = {
	{ .name = "hdfs-user",
		.key = KEY_USER,
		.arg = "NAME",
		.doc = "who one is in HDFS ($HADOOP_USER_NAME, else the login's name)" },
	{ .name = "hdfs-host-map",
		.key = KEY_HOST_MAP,
		.arg = "NAME=ADDRESS[:PORT],...",
		.doc = "where hosts that HDFS names really are" },
	{ .name = "hdfs-ca-file",
		.key = KEY_CA,
		.arg = "FILE",
		.doc = "certificates (PEM) to trust over TLS (those of the system)" },
	{ .name = "hdfs-negotiate",
		.key = KEY_NEGOTIATE,
		.doc = "authenticate by SPNEGO, with Kerberos tickets" },
	{ .name = "hdfs-conf",
		.key = KEY_CONF,
		.arg = "DIR",
		.doc = "folder of Hadoop's core-site.xml and hdfs-site.xml ($HADOOP_CONF_DIR)" },
	{ .name = "hdfs-token-file",
		.key = KEY_TOKENS,
		.arg = "FILE",
		.doc = "delegation tokens that one has: lines of NAMENODES TOKEN, for the owner's eyes "
		       "only" },
	{ .name = "hdfs-patience",
		.key = KEY_PATIENCE,
		.arg = "TIME",
		.doc = "wait so long for a NameNode that answers: failover, safe mode (2m)" },
	{ 0 },
};

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ---- Files ---- */

/* All of a file, with a NUL behind it, the caller's. `secret`: nobody else may read it. */
static int read_small(const char *file, bool secret, char **ret, struct err *err)
{
	struct stat st;
	FILE *f = fopen(file, "re");
	if (f == NULL)
		return err_errno(err, -errno, "'%s'", file);

	int r = fstat(fileno(f), &st) < 0 ? err_errno(err, -errno, "'%s'", file) : 0;
	if (r == 0 && secret && (st.st_mode & 077) != 0)
		r = err_set(err, -EACCES, "'%s' is a secret that others may read: chmod 600 it", file);
	char *text = r == 0 ? malloc(SMALL_FILE_MAX + 1) : NULL;
	if (r == 0 && text == NULL)
		r = out_of_memory(err);
	size_t len = r == 0 ? fread(text, 1, SMALL_FILE_MAX + 1, f) : 0;
	if (r == 0 && ferror(f))
		r = err_errno(err, -errno, "'%s'", file);
	else if (r == 0 && len > SMALL_FILE_MAX)
		r = err_set(err, -EINVAL, "'%s' is longer than %d MiB", file, SMALL_FILE_MAX >> 20);
	(void)fclose(f);
	if (r < 0) {
		if (text != NULL)
			explicit_bzero(text, len);
		free(text);
		return r;
	}
	text[len] = '\0';
	*ret = text;
	return 0;
}

/* Lines of an authority, as in URLs, or "-" for those without one, and a token. */
static int read_tokens(struct hdfs_access *a, const char *file, struct err *err)
{
	char *text = NULL, *save = NULL;
	int r = read_small(file, true, &text, err);
	if (r < 0)
		return err_prefix(err, r, "--hdfs-token-file");

	size_t len = strlen(text);
	for (char *line = strtok_r(text, "\r\n", &save); r == 0 && line != NULL;
		line = strtok_r(NULL, "\r\n", &save)) {
		char *name = line + strspn(line, " \t");
		char *token = name + strcspn(name, " \t");

		if (*name == '#' || *name == '\0')
			continue;
		if (*token != '\0')
			*token++ = '\0';
		token += strspn(token, " \t");
		token[strcspn(token, " \t")] = '\0';
		r = hdfs_access_add_token(a, strcmp(name, "-") == 0 ? "" : name, token, err);
	}
	explicit_bzero(text, len);
	free(text);
	return r < 0 ? err_prefix(err, r, "--hdfs-token-file '%s'", file) : 0;
}

static int read_ca(struct hdfs_access *a, const char *file, struct err *err)
{
	auto_free char *text = NULL;

	int r = read_small(file, false, &text, err);
	if (r < 0)
		return r;
	r = hdfs_access_set_ca(a, text, err);
	return r < 0 ? err_prefix(err, r, "'%s'", file) : 0;
}

/* ---- One option ---- */

static int add_hosts(struct hdfs_access *a, const char *value, struct err *err)
{
	auto_free char *list = strdup(value);
	char *save = NULL;
	int r = 0;

	if (list == NULL)
		return out_of_memory(err);
	for (char *pair = strtok_r(list, ",", &save); r == 0 && pair != NULL;
		pair = strtok_r(NULL, ",", &save)) {
		char *address = strchr(pair, '=');

		if (address == NULL)
			return err_set(err, -EINVAL, "'%s': write NAME=ADDRESS or NAME=ADDRESS:PORT", pair);
		*address++ = '\0';
		r = hdfs_access_add_host(a, pair, address, err);
	}
	return r;
}

static int set_negotiate(struct hdfs_options *o, const char *value, struct err *err)
{
	o->negotiate_said = true;
	return option_bool(&o->access.negotiate, value, err);
}

static int set(struct hdfs_options *o, int key, const char *value, struct err *err)
{
	switch (key) {
	case KEY_USER:
		return hdfs_access_set_user(&o->access, value, err);
	case KEY_HOST_MAP:
		return add_hosts(&o->access, value, err);
	case KEY_CA:
		return read_ca(&o->access, value, err);
	case KEY_NEGOTIATE:
		return set_negotiate(o, value, err);
	case KEY_CONF:
		return option_text(&o->conf, value, err);
	case KEY_TOKENS:
		return option_text(&o->token_file, value, err);
	default:
		return parse_duration_ms(value, &o->access.patience_ms, err);
	}
}

int hdfs_options_set(struct hdfs_options *o, const char *name, const char *value, struct err *err)
{
	for (size_t i = 0; options[i].name != NULL; i++)
		if (strcmp(options[i].name, name) == 0)
			return set(o, options[i].key, value, err);
	return -ENOENT;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct err err = { "" };

	if (key < KEY_USER || key >= KEY_END)
		return ARGP_ERR_UNKNOWN;
	if (set(state->input, key, arg, &err) < 0)
		argp_failure(
			state, argp_err_exit_status, 0, "--%s: %s", options[key - KEY_USER].name, err.text);
	return 0;
}

const struct argp hdfs_options_argp = { .options = options, .parser = take };

/* ---- All of them ---- */

static int read_conf(struct hdfs_options *o, const char *folder, struct err *err)
{
	auto_hdfs_conf struct hdfs_conf conf = { 0 };
	bool kerberos = false;

	int r = hdfs_conf_read(&conf, folder, err);
	if (r == 0)
		r = hdfs_conf_apply(&conf, &o->access, &kerberos, err);
	if (r == 0 && kerberos && !o->negotiate_said)
		o->access.negotiate = true;
	return r;
}

static int settle_user(struct hdfs_access *a, struct err *err)
{
	const char *name = getenv("HADOOP_USER_NAME");

	if (a->user != NULL)
		return 0;
	if (name != NULL && name[0] != '\0') {
		int r = hdfs_access_set_user(a, name, err);

		return r < 0 ? err_prefix(err, r, "HADOOP_USER_NAME") : 0;
	}
	const struct passwd *pw = getpwuid(geteuid());
	return hdfs_access_set_user(a, pw != NULL ? pw->pw_name : "nobody", err);
}

int hdfs_options_settle(struct hdfs_options *o, struct err *err)
{
	const char *folder = getenv("HADOOP_CONF_DIR");
	int r = 0;

	if (o->conf != NULL) {
		r = read_conf(o, o->conf, err);
		if (r < 0)
			return err_prefix(err, r, "--hdfs-conf");
	} else if (folder != NULL && folder[0] != '\0') {
		r = read_conf(o, folder, err);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			(void)fprintf(stderr, "quern: warning: HADOOP_CONF_DIR: %s\n", err->text);
	}
	r = o->token_file != NULL ? read_tokens(&o->access, o->token_file, err) : 0;
	return r < 0 ? r : settle_user(&o->access, err);
}

void hdfs_options_deinit(struct hdfs_options *o)
{
	hdfs_access_deinit(&o->access);
	free(o->conf);
	free(o->token_file);
	*o = (struct hdfs_options){ 0 };
}
