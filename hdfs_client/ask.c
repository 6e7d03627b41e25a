/* ask.c: what a call was asked, which it keeps. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/fs_parts.h"

static void wipe_text(const char **text)
{
	char *own = (char *)*text;

	if (own != NULL)
		explicit_bzero(own, strlen(own));
	free(own);
	*text = NULL;
}

static void free_list(const char *const **list, size_t n)
{
	char **own = (char **)*list;

	for (size_t i = 0; own != NULL && i < n; i++)
		free(own[i]);
	free(own);
	*list = NULL;
}

void hdfs_ask_deinit(struct hdfs_ask *a)
{
	wipe_text(&a->path);
	wipe_text(&a->to);
	wipe_text(&a->renewer);
	wipe_text(&a->token);
	free_list(&a->sources, a->n_sources);
	free_list(&a->exclude, a->n_exclude);
}

static int copy_text(const char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from != NULL && *to == NULL ? -ENOMEM : 0;
}

static int copy_list(const char *const **to, const char *const *from, size_t n)
{
	const char **own = calloc(n > 0 ? n : 1, sizeof(*own));
	int r = own == NULL ? -ENOMEM : 0;

	*to = own;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = copy_text(&own[i], from[i]);
	return r;
}

int hdfs_ask_copy(struct hdfs_ask *to, const struct hdfs_ask *from)
{
	const char *path = from->path != NULL ? from->path : "/"; /* of operations without one */

	*to = *from;
	to->path = to->to = to->renewer = to->token = NULL;
	to->sources = to->exclude = NULL;
	if (copy_text(&to->path, path) < 0 || copy_text(&to->to, from->to) < 0 ||
		copy_text(&to->renewer, from->renewer) < 0 || copy_text(&to->token, from->token) < 0 ||
		copy_list(&to->sources, from->sources, from->n_sources) < 0 ||
		copy_list(&to->exclude, from->exclude, from->n_exclude) < 0)
		return -ENOMEM;
	return 0;
}
