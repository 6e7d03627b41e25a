/* remote.h: refusals of HDFS: what status and RemoteException of an answer mean. */
#ifndef QUERN_HDFS_CLIENT_REMOTE_H
#define QUERN_HDFS_CLIENT_REMOTE_H

#include <stddef.h>

#include "hdfs_client/retry.h"

struct hdfs_refusal {
	enum hdfs_outcome outcome; /* ANSWERED, STANDBY, NOT_NOW or LOST */
	int code;       /* negative errno as of hdfs.h; -EOPNOTSUPP: HDFS does not know the operation */
	char text[400]; /* what to say of it, without the name of the file */
};

/* An answer whose status is not that of success, and its body, which is not trusted. */
void hdfs_refusal_read(long status, const void *body, size_t len, struct hdfs_refusal *ret);

#endif
