/* hdfs_url.c: URLs of files in HDFS. */
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hdfs_url u;
	struct err err;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (hdfs_url_parse(text, &u, &err) == 0 &&
		((u.n == 0) != (u.authority[0] == '\0') || u.path[0] != '/' ||
			(u.n > 0 && u.namenodes[0].port == 0)))
		abort();
	hdfs_url_deinit(&u);
	free(text);
	return 0;
}
