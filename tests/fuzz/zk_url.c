/* A zk:// URL: what is shown of it has no password, and means the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/zk_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zk_url url, again;
	struct err err;

	char *text = malloc(size + 1);
	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (zk_url_parse(text, &url, &err) == 0) {
		assert(url.n_hosts > 0 && url.n_hosts <= ZK_HOSTS_MAX && url.path[0] == '/' &&
			url.path[1] != '\0');
		for (size_t i = 0; i < url.n_hosts; i++)
			assert(url.hosts[i].port > 0 && url.hosts[i].name[0] != '\0');
		if (url.credentials == NULL) {
			assert(zk_url_parse(url.shown, &again, &err) == 0);
			assert(again.n_hosts == url.n_hosts && strcmp(again.path, url.path) == 0);
			zk_url_deinit(&again);
		}
	}
	zk_url_deinit(&url);
	free(text);
	return 0;
}
