#include "hdfs_client/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 3986, 2.3: never to be escaped. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

static int escape(struct buf *to, const char *text, size_t len)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i++)
		r = is_plain(text[i]) ? buf_add(to, &text[i], 1)
				      : buf_add_fmt(to, "%%%02X", (unsigned)(unsigned char)text[i]);
	return r;
}

bool hdfs_path_ok(const char *path)
{
	if (path[0] != '/' || strlen(path) > HDFS_PATH_MAX)
		return false;
	for (const char *at = path; *at != '\0';) {
		size_t len = strcspn(++at, "/");
		if ((len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += len;
	}
	return true;
}

int hdfs_path_escape(struct buf *to, const char *path)
{
	int r = 0;
	bool any = false;

	while (r == 0 && *path != '\0') {
		size_t len = strcspn(path, "/");
		if (len > 0) {
			r = buf_add(to, "/", 1);
			if (r == 0)
				r = escape(to, path, len);
			any = true;
		}
		path += len;
		path += *path == '/';
	}
	return r == 0 && !any ? buf_add(to, "/", 1) : r;
}

static void keep(struct hdfs_request *q, int r)
{
	if (q->error == 0)
		q->error = r;
}

static void begin(struct hdfs_request *q, bool tls, const char *host, uint16_t port)
{
	bool brackets = strchr(host, ':') != NULL;

	*q = (struct hdfs_request){ .url = BUF_INIT(HDFS_HTTP_URL_MAX) };
	keep(q, buf_add_fmt(&q->url, "%s://%s%s%s:%u", tls ? "https" : "http", brackets ? "[" : "", host,
			brackets ? "]" : "", (unsigned)port));
}

void hdfs_request_begin(
	struct hdfs_request *q, bool tls, const char *host, uint16_t port, const char *path, const char *op)
{
	begin(q, tls, host, port);
	keep(q, buf_add_str(&q->url, HDFS_HTTP_ROOT));
	keep(q, hdfs_path_escape(&q->url, path));
	hdfs_request_text(q, "op", op);
}

void hdfs_request_nodes(struct hdfs_request *q, bool tls, const char *host, uint16_t port)
{
	begin(q, tls, host, port);
	keep(q, buf_add_str(&q->url, "/jmx"));
	hdfs_request_text(q, "qry", "Hadoop:service=NameNode,name=NameNodeInfo");
}

void hdfs_request_text(struct hdfs_request *q, const char *name, const char *value)
{
	keep(q, buf_add_fmt(&q->url, "%c%s=", q->asked ? '&' : '?', name));
	keep(q, escape(&q->url, value, strlen(value)));
	q->asked = true;
}

void hdfs_request_number(struct hdfs_request *q, const char *name, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	hdfs_request_text(q, name, text);
}

void hdfs_request_flag(struct hdfs_request *q, const char *name, bool value)
{
	hdfs_request_text(q, name, value ? "true" : "false");
}

void hdfs_request_octal(struct hdfs_request *q, const char *name, unsigned value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%o", value);
	hdfs_request_text(q, name, text);
}

int hdfs_request_end(struct hdfs_request *q)
{
	keep(q, buf_add(&q->url, "", 1));
	return q->error;
}

void hdfs_request_deinit(struct hdfs_request *q)
{
	if (q->url.data != NULL)
		explicit_bzero(q->url.data, q->url.cap);
	buf_deinit(&q->url);
}
