/* conf.h: Hadoop's own configuration, core-site.xml and hdfs-site.xml, as far as it says how HDFS is reached:
 *
 *   fs.defaultFS                                        the NameNodes of hdfs:///PATH
 *   dfs.nameservices, dfs.ha.namenodes.NS               names that stand for several NameNodes
 *   dfs.namenode.http-address[.NS[.ID]], https-address  where those are; without one: the host of rpc-address
 *   dfs.http.policy                                     which of the two
 *   hadoop.security.authentication                      kerberos: SPNEGO
 *
 * ${NAME} stands for another property, ${env.NAME} for a variable of the environment; what is <final> is not
 * changed by the file that is read after it. Anything else is passed over. */
#ifndef QUERN_HDFS_CLIENT_CONF_H
#define QUERN_HDFS_CLIENT_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "hdfs_client/access.h"

struct hdfs_property {
	char *name, *value;
	bool final;
};

/* {0} is empty. */
struct hdfs_conf {
	struct hdfs_property *at;
	size_t n, cap;
};

/* Reads the two files of a folder, of which one may be missing. -ENOENT: both are. -EINVAL: one is no
 * configuration. */
int hdfs_conf_read(struct hdfs_conf *c, const char *folder, struct err *err);

/* Reads one file's text; `name` is its name, for the sentence. Nothing is trusted. -EINVAL, -ENOMEM. */
int hdfs_conf_parse(struct hdfs_conf *c, const char *name, const void *xml, size_t len, struct err *err);

/* The value of a property, with ${} replaced. *ret is the caller's; NULL: it is not there, or empty. -ENOMEM,
 * -EINVAL: it becomes too long. */
int hdfs_conf_get(const struct hdfs_conf *c, const char *name, char **ret, struct err *err);

/* Adds the services that it tells of, and *ret_kerberos. -EINVAL: an address is none. */
int hdfs_conf_apply(const struct hdfs_conf *c, struct hdfs_access *a, bool *ret_kerberos, struct err *err);

void hdfs_conf_deinit(struct hdfs_conf *c);

#define auto_hdfs_conf AUTO_CLEANUP(hdfs_conf_deinit)

#endif
