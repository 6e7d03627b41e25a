/* hdfs_access.c: what executors are told of HDFS. */
#include <stdlib.h>

#include "hdfs_client/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf packed = BUF_INIT(64 << 20);
	struct hdfs_access a, again;
	struct err err;

	if (hdfs_access_unpack(data, size, &a, &err) < 0)
		return 0;
	if (hdfs_access_pack(&a, &packed) < 0 ||
		hdfs_access_unpack(packed.data, packed.len, &again, &err) < 0 ||
		again.n_tokens != a.n_tokens || again.n_hosts != a.n_hosts ||
		again.n_services != a.n_services)
		abort();
	for (size_t i = 0; i < a.n_services; i++) {
		struct hdfs_url u;
		const char *text = "webhdfs:///x";

		if (hdfs_url_parse(text, &u, &err) < 0)
			abort();
		if (hdfs_access_resolve(&a, &u, &err) == 0 && u.n == 0)
			abort();
		hdfs_url_deinit(&u);
	}
	hdfs_access_deinit(&a);
	hdfs_access_deinit(&again);
	return 0;
}
