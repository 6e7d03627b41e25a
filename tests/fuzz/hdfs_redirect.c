/* hdfs_redirect.c: redirects of a NameNode, and paths on their way into a URL. */
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/redirect.h"
#include "hdfs_client/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hdfs_redirect r;
	struct err err;
	struct buf escaped = BUF_INIT(HDFS_HTTP_URL_MAX);
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (int tls = 0; tls < 2; tls++) {
		if (hdfs_redirect_read(text, tls == 1, "/a b", "OPEN", &r, &err) < 0)
			continue;
		if (!hdfs_host_ok(r.host) || r.port == 0 || strstr(r.url, "/webhdfs/v1/a%20b?") == NULL ||
			strncmp(r.url, tls == 1 ? "https://" : "http://", tls == 1 ? 8 : 7) != 0 ||
			strpbrk(r.url, " \r\n#") != NULL)
			abort();
		hdfs_redirect_deinit(&r);
	}
	if (hdfs_path_ok(text) && hdfs_path_escape(&escaped, text) == 0) {
		if (escaped.data[0] != '/' || memchr(escaped.data, '?', escaped.len) != NULL)
			abort();
		if (escaped.len > 1 && escaped.data[escaped.len - 1] == '/')
			abort();
	}
	buf_deinit(&escaped);
	free(text);
	return 0;
}
