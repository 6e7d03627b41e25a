/* hdfs_options.h: the options about HDFS, of every command that may use it: an argp child, and the same as
 * properties (--hdfs-user is quern.hdfs.user). Secrets are in files, never in options. */
#ifndef QUERN_CLI_HDFS_OPTIONS_H
#define QUERN_CLI_HDFS_OPTIONS_H

#include <argp.h>

#include "base/err.h"
#include "hdfs_client/access.h"

/* All zeros: nothing was said. */
struct hdfs_options {
	struct hdfs_access access; /* whole after hdfs_options_settle() */
	bool negotiate_said;
	char *conf, *token_file;
};

/* Its input is a struct hdfs_options. On a mistake it prints and exits (argp_err_exit_status). */
extern const struct argp hdfs_options_argp;

/* An option by its name, "hdfs-user". -ENOENT: there is none of that name, and no sentence. -EINVAL, -ENOMEM,
 * or what reading a file gave, with a sentence. */
int hdfs_options_set(struct hdfs_options *o, const char *name, const char *value, struct err *err);

/* Once all options are there: completes `access` with Hadoop's configuration (--hdfs-conf, HADOOP_CONF_DIR),
 * with tokens (--hdfs-token-file), and with who one is: --hdfs-user, else HADOOP_USER_NAME, else the login.
 * What is wrong with the folder that HADOOP_CONF_DIR names is a warning on stderr, as the job may not need
 * it; everything else is an error. */
int hdfs_options_settle(struct hdfs_options *o, struct err *err);

void hdfs_options_deinit(struct hdfs_options *o); /* wipes secrets */

#endif
