/* hdfs_conf.c: Hadoop's configuration. */
#include <stdlib.h>

#include "hdfs_client/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_hdfs_conf struct hdfs_conf c = { 0 };
	struct hdfs_access a = { 0 };
	struct hdfs_url u;
	struct err err;
	bool kerberos;

	(void)hdfs_conf_parse(&c, "core-site.xml", data, size / 2, &err);
	(void)hdfs_conf_parse(&c, "hdfs-site.xml", data + size / 2, size - size / 2, &err);
	(void)hdfs_conf_parse(&c, "hdfs-site.xml", data, size, &err);
	(void)hdfs_conf_apply(&c, &a, &kerberos, &err);
	if (hdfs_url_parse("hdfs:///x", &u, &err) < 0)
		abort();
	if (hdfs_access_resolve(&a, &u, &err) == 0 && u.n == 0)
		abort();
	hdfs_url_deinit(&u);
	hdfs_access_deinit(&a);
	return 0;
}
