#include "hdfs_client/conf.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"

enum {
	FILE_MAX = 4 << 20,
	PROPERTIES_MAX = 20000,
	VALUE_MAX = 64 << 10,
	SUBST_MAX = 20, /* as Hadoop: replacements of one value, so that none goes round in circles */
};

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ---- XML ---- */

enum field { FIELD_NONE, FIELD_NAME, FIELD_VALUE, FIELD_FINAL, FIELDS };

struct reading {
	struct hdfs_conf *c;
	XML_Parser parser;
	unsigned depth; /* 1: in <configuration>, 2: in <property>, 3: in one of its fields */
	bool in_property;
	enum field field;
	struct buf text[FIELDS]; /* of the property */
	int code;                /* < 0: it has failed */
	const char *why;
};

static void stop(struct reading *rd, int code, const char *why)
{
	if (rd->code == 0) {
		rd->code = code;
		rd->why = why;
	}
	(void)XML_StopParser(rd->parser, XML_FALSE);
}

/* The text of a field without the spaces around it; the caller's. NULL: none, or no memory. */
static char *take_text(struct buf *b)
{
	const char *at = (const char *)b->data;
	size_t len = b->len;

	while (len > 0 && isspace((unsigned char)at[0])) {
		at++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)at[len - 1]))
		len--;
	return strndup(at != NULL ? at : "", len);
}

static struct hdfs_property *find(const struct hdfs_conf *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->at[i].name, name) == 0)
			return &c->at[i];
	return NULL;
}

static int keep_property(struct reading *rd)
{
	auto_free char *name = take_text(&rd->text[FIELD_NAME]), *value = take_text(&rd->text[FIELD_VALUE]),
		       *final = take_text(&rd->text[FIELD_FINAL]);

	if (name == NULL || value == NULL || final == NULL)
		return -ENOMEM;
	struct hdfs_property *there = find(rd->c, name);
	bool is_final = strcasecmp(final, "true") == 0;
	if (name[0] == '\0' || (there != NULL && there->final))
		return 0;
	if (there != NULL) {
		free(there->value);
		there->value = value;
		there->final = is_final;
		value = NULL;
		return 0;
	}
	if (rd->c->n == PROPERTIES_MAX)
		return -EINVAL;
	int r = vec_push(rd->c, ((struct hdfs_property){ name, value, is_final }));
	if (r == 0)
		name = value = NULL;
	return r;
}

static enum field field_of(const char *name)
{
	return strcmp(name, "name") == 0    ? FIELD_NAME
	       : strcmp(name, "value") == 0 ? FIELD_VALUE
	       : strcmp(name, "final") == 0 ? FIELD_FINAL
					    : FIELD_NONE;
}

static void add_text(struct reading *rd, enum field f, const char *text, size_t len)
{
	int r = f != FIELD_NONE ? buf_add(&rd->text[f], text, len) : 0;

	if (r < 0)
		stop(rd, r == -EMSGSIZE ? -EINVAL : r, "a value is too long");
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *rd = arg;

	rd->depth++;
	if (strcmp(name, "xi:include") == 0)
		stop(rd, -EINVAL, "what is included (xi:include) is not read: put it into the file itself");
	else if (rd->depth == 1 && strcmp(name, "configuration") != 0)
		stop(rd, -EINVAL, "it is no configuration of Hadoop's");
	else if (rd->depth == 2 && strcmp(name, "property") == 0) {
		rd->in_property = true;
		for (int i = 0; i < FIELDS; i++)
			buf_clear(&rd->text[i]);
		for (size_t i = 0; attributes[i] != NULL; i += 2)
			add_text(rd, field_of(attributes[i]), attributes[i + 1], strlen(attributes[i + 1]));
	} else if (rd->depth == 3 && rd->in_property)
		rd->field = field_of(name);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reading *rd = arg;

	(void)name;
	if (rd->depth == 3)
		rd->field = FIELD_NONE;
	if (rd->depth == 2 && rd->in_property) {
		rd->in_property = false;
		int r = keep_property(rd);
		if (r < 0)
			stop(rd, r, r == -ENOMEM ? "out of memory" : "it has too many properties");
	}
	rd->depth--;
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
	struct reading *rd = arg;

	if (rd->depth == 3)
		add_text(rd, rd->field, text, (size_t)len);
}

/* Entities can be made to grow without end, and nobody needs them here. */
static void XMLCALL on_entity(void *arg, const XML_Char *name, int is_parameter, const XML_Char *value,
	int len, const XML_Char *base, const XML_Char *system, const XML_Char *public,
	const XML_Char *notation)
{
	(void)name;
	(void)is_parameter;
	(void)value;
	(void)len;
	(void)base;
	(void)system;
	(void)public;
	(void)notation;
	stop(arg, -EINVAL, "it declares entities, which are not read");
}

int hdfs_conf_parse(struct hdfs_conf *c, const char *name, const void *xml, size_t len, struct err *err)
{
	struct reading rd = { .c = c, .parser = XML_ParserCreate(NULL) };

	if (rd.parser == NULL)
		return out_of_memory(err);
	if (len > FILE_MAX) {
		XML_ParserFree(rd.parser);
		return err_set(err, -EINVAL, "'%s' is longer than %d MiB", name, FILE_MAX >> 20);
	}
	for (int i = 0; i < FIELDS; i++)
		rd.text[i] = BUF_INIT(VALUE_MAX);
	XML_SetUserData(rd.parser, &rd);
	XML_SetElementHandler(rd.parser, on_start, on_end);
	XML_SetCharacterDataHandler(rd.parser, on_text);
	XML_SetEntityDeclHandler(rd.parser, on_entity);
	int r = 0;
	if (XML_Parse(rd.parser, xml, (int)len, 1) != XML_STATUS_OK) {
		enum XML_Error what = XML_GetErrorCode(rd.parser);

		r = rd.code < 0 ? rd.code : what == XML_ERROR_NO_MEMORY ? -ENOMEM : -EINVAL;
		(void)err_set(err, r, "'%s', line %lu: %s", name, XML_GetCurrentLineNumber(rd.parser),
			rd.code < 0 ? rd.why : XML_ErrorString(what));
	}
	XML_ParserFree(rd.parser);
	for (int i = 0; i < FIELDS; i++)
		buf_deinit(&rd.text[i]);
	return r;
}

/* 1: it is not there. */
static int read_file(struct hdfs_conf *c, const char *folder, const char *name, struct err *err)
{
	auto_free char *path = NULL, *text = NULL;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return out_of_memory(err);
	}
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return errno == ENOENT ? 1 : err_errno(err, -errno, "'%s'", path);
	text = malloc(FILE_MAX + 1);
	size_t len = text != NULL ? fread(text, 1, FILE_MAX + 1, f) : 0;
	int failed = text != NULL && ferror(f) ? errno : 0;
	(void)fclose(f);
	if (text == NULL)
		return out_of_memory(err);
	return failed != 0 ? err_errno(err, -failed, "'%s'", path) : hdfs_conf_parse(c, path, text, len, err);
}

int hdfs_conf_read(struct hdfs_conf *c, const char *folder, struct err *err)
{
	int core = read_file(c, folder, "core-site.xml", err);

	if (core < 0)
		return core;
	int hdfs = read_file(c, folder, "hdfs-site.xml", err);
	if (hdfs < 0)
		return hdfs;
	return core + hdfs < 2
		       ? 0
		       : err_set(err, -ENOENT,
				 "'%s' has neither a core-site.xml nor a hdfs-site.xml of Hadoop's", folder);
}

/* ---- Values ---- */

/* What is to stand for "name", "env.NAME" or "env.NAME:-otherwise"; NULL: nothing does. *ret_otherwise:
 * length at which it ends. */
static const char *lookup(const struct hdfs_conf *c, const char *name)
{
	char variable[256];

	if (strncmp(name, "env.", 4) != 0) {
		const struct hdfs_property *p = find(c, name);

		return p != NULL ? p->value : NULL;
	}
	size_t len = strcspn(name + 4, ":-");
	const char *otherwise = name[4 + len] == ':' ? name + 4 + len + 1 : name + 4 + len;
	if (len >= sizeof(variable))
		return NULL;
	memcpy(variable, name + 4, len);
	variable[len] = '\0';
	const char *value = getenv(variable);
	return value != NULL ? value : *otherwise == '-' ? otherwise + 1 : NULL;
}

/* The first ${NAME} without another one in it, from `from` on: *ret_end is behind its brace. */
static char *find_variable(char *from, char **ret_end)
{
	char *begin = NULL;

	for (char *p = from; *p != '\0'; p++) {
		if (p[0] == '$' && p[1] == '{')
			begin = p;
		else if (*p == '}' && begin != NULL) {
			*ret_end = p + 1;
			return begin;
		}
	}
	return NULL;
}

/* One ${NAME} replaced by what it stands for. 1: there is none that stands for anything. */
static int replace_one(const struct hdfs_conf *c, char **text, struct err *err)
{
	char *end, *made;

	for (char *at = *text; (at = find_variable(at, &end)) != NULL; at = end) {
		auto_free char *name = strndup(at + 2, (size_t)(end - at) - 3);
		const char *value = name != NULL ? lookup(c, name) : NULL;

		if (name == NULL)
			return out_of_memory(err);
		if (value == NULL)
			continue;
		if (strlen(*text) + strlen(value) > VALUE_MAX)
			return err_set(err, -EINVAL, "${%.100s}: the value becomes too long", name);
		if (asprintf(&made, "%.*s%s%s", (int)(at - *text), *text, value, end) < 0)
			return out_of_memory(err);
		free(*text);
		*text = made;
		return 0;
	}
	return 1;
}

int hdfs_conf_get(const struct hdfs_conf *c, const char *name, char **ret, struct err *err)
{
	const struct hdfs_property *p = find(c, name);
	auto_free char *text = p != NULL && p->value[0] != '\0' ? strdup(p->value) : NULL;
	int r = 0;

	*ret = NULL;
	if (p == NULL || p->value[0] == '\0')
		return 0;
	if (text == NULL)
		return out_of_memory(err);
	for (int i = 0; r == 0 && i < SUBST_MAX; i++)
		r = replace_one(c, &text, err);
	if (r < 0)
		return r;
	if (text[0] != '\0') {
		*ret = text;
		text = NULL;
	}
	return 0;
}

void hdfs_conf_deinit(struct hdfs_conf *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->at[i].name);
		free(c->at[i].value);
	}
	vec_deinit(c);
}
