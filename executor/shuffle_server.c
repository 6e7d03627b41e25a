/* shuffle_server.c: serves segments of map output by sendfile, on evhttp. The files of the latest requests
 * stay open, for the reducers of a stage all come for the same ones. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proof.h"
#include "base/serve.h"
#include "executor/shuffle_file.h"
#include "executor/shuffle_request.h"
#include "executor/task.h"

enum { SERVER_FILES = 64 }; /* kept open */

struct served_file {
	struct shuffle_name name;
	struct shuffle_index index;
	int fd;        /* -1: a free place */
	uint64_t used; /* of the server's clock of requests */
};

struct shuffle_server {
	char *dir;
	char proof[PROOF_SIZE];
	uint64_t clock;
	struct served_file files[SERVER_FILES];
};

int shuffle_server_new(
	const char *shuffle_dir, const uint8_t *secret, const char *executor_id, struct shuffle_server **ret)
{
	struct shuffle_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < SERVER_FILES; i++)
		s->files[i].fd = -1;
	s->dir = strdup(shuffle_dir);
	proof_make(secret, executor_id, s->proof);
	if (s->dir == NULL || s->proof[0] == '\0') {
		int r = s->dir == NULL ? -ENOMEM : -EINVAL;

		(void)shuffle_server_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void file_close(struct served_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}

struct shuffle_server *shuffle_server_free(struct shuffle_server *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < SERVER_FILES; i++)
		file_close(&s->files[i]);
	free(s->dir);
	free(s);
	return NULL;
}

void shuffle_server_forget(struct shuffle_server *s, uint32_t shuffle)
{
	for (size_t i = 0; i < SERVER_FILES; i++)
		if (s->files[i].name.shuffle == shuffle)
			file_close(&s->files[i]);
}

/* Whether the file is still the one of its name. */
static bool file_stands(const struct served_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) == 0 && st.st_nlink > 0;
}

/* The file of `name`, or else the place that it should have: a free one, or that of the file whose last use
 * is longest ago. */
static struct served_file *file_place(struct shuffle_server *s, const struct shuffle_name *name)
{
	struct served_file *oldest = &s->files[0];

	for (size_t i = 0; i < SERVER_FILES; i++) {
		struct served_file *f = &s->files[i];

		if (f->fd < 0) {
			oldest = f;
		} else if (f->name.shuffle == name->shuffle && f->name.map == name->map &&
			   f->name.attempt == name->attempt) {
			return f;
		} else if (oldest->fd >= 0 && f->used < oldest->used) {
			oldest = f;
		}
	}
	file_close(oldest);
	return oldest;
}

static int file_open(struct shuffle_server *s, const struct shuffle_name *name, struct served_file **ret)
{
	struct served_file *f = file_place(s, name);

	if (f->fd >= 0 && !file_stands(f))
		file_close(f);
	if (f->fd < 0) {
		int r = shuffle_file_open(s->dir, name, &f->fd, &f->index);

		if (r < 0)
			return r;
		f->name = *name;
	}
	f->used = ++s->clock;
	*ret = f;
	return 0;
}

static void refuse(struct evhttp_request *request, int status, const char *reason)
{
	evhttp_send_reply(request, status, reason, NULL);
}

void shuffle_server_handle(struct evhttp_request *request, void *server)
{
	struct shuffle_server *s = server;
	struct shuffle_request wanted;
	struct served_file *file;
	struct shuffle_segment segment;
	const char *authorization =
		evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");

	if (!proof_holds(authorization, s->proof)) {
		refuse(request, 401, "Unauthorized");
		return;
	}
	if (evhttp_request_get_command(request) != EVHTTP_REQ_GET) {
		refuse(request, 405, "Method Not Allowed");
		return;
	}
	const char *target = evhttp_request_get_uri(request);
	if (target == NULL || shuffle_request_parse(target, &wanted) < 0) {
		refuse(request, HTTP_NOTFOUND, "Not Found");
		return;
	}
	int r = file_open(s, &wanted.name, &file);
	if (r == 0)
		r = shuffle_file_find(file->fd, &file->index, &wanted.name, wanted.partition, &segment);
	if (r == 0)
		r = serve_file(request, file->fd, segment.offset, segment.length);
	/* A file that is not what it should be is as good as lost: the client then says so to the driver. */
	if (r == -ENOENT || r == -EBADMSG)
		refuse(request, HTTP_NOTFOUND, "Not Found");
	else if (r < 0)
		refuse(request, HTTP_INTERNAL, "Internal Server Error");
}
