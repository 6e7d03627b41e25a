/* hdfs_glob.c: a pattern, a line feed, a name: taken apart, and each of its components matched. A pattern
 * without anything in it that stands for something else matches what it is, and only that. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A backslash within a character of several bytes makes bytes of it, and without the backslash it is one
 * again. */
static bool splits_characters(const char *pattern, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (pattern[i] == '\\' && ((unsigned char)pattern[i + 1] & 0xc0) == 0x80)
			return true;
	return false;
}

static void match(const char *pattern, size_t len, const char *name)
{
	auto_hdfs_name_glob struct hdfs_name_glob *g = NULL;
	struct err err;

	if (hdfs_name_glob_new(pattern, len, &g, &err) < 0)
		return;
	bool matched = hdfs_name_glob_match(g, name);
	assert(matched == hdfs_name_glob_match(g, name));
	if (hdfs_glob_is(pattern, len) || splits_characters(pattern, len))
		return;
	auto_free char *literal = hdfs_glob_literal(pattern, len);
	if (literal != NULL) {
		assert(hdfs_name_glob_match(g, literal));
		assert(matched == (strcmp(literal, name) == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_hdfs_globs struct hdfs_globs globs = { 0 };
	auto_free char *pattern = malloc(size + 1);
	struct err err;

	if (pattern == NULL)
		return 0;
	if (size > 0)
		memcpy(pattern, data, size);
	pattern[size] = '\0';
	char *name = strchr(pattern, '\n');
	if (name == NULL)
		return 0;
	*name++ = '\0';
	if (hdfs_glob_split(pattern, &globs, &err) < 0)
		return 0;
	for (size_t i = 0; i < globs.n; i++)
		for (const char *p = globs.at[i]; *p != '\0'; p += *p == '/') {
			size_t len = strcspn(p, "/");
			match(p, len, name);
			p += len;
		}
	return 0;
}
