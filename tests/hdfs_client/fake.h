/* fake.h: an HDFS of one file, /f, whose NameNode and three DataNodes are threads of the test and fail as it
 * says. The DataNodes are dn1.quern.test and so on, at ports of 127.0.0.1. */
#ifndef QUERN_TESTS_HDFS_CLIENT_FAKE_H
#define QUERN_TESTS_HDFS_CLIENT_FAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hdfs_client/access.h"

enum { FAKE_DATANODES = 3, FAKE_CONNECTIONS = 256 };

enum fake_fault {
	FAKE_NONE,
	FAKE_REFUSE,   /* no connection */
	FAKE_BREAK,    /* closes after fake.after bytes of a body */
	FAKE_CUT,      /* announces and sends fake.after bytes */
	FAKE_TOO_MUCH, /* announces and sends one byte more */
	FAKE_SILENT,   /* upload: takes all and closes without an answer */
	FAKE_DEAF,     /* upload: takes all, does nothing and closes */
	FAKE_DENY,     /* 403, AccessControlException */
	FAKE_EXISTS,   /* upload: 403, FileAlreadyExistsException: somebody has made it meanwhile */
	FAKE_QUOTA,    /* upload: 403, DSQuotaExceededException, after fake.after bytes */
};

struct fake_server {
	struct fake *fake;
	int number; /* -1: the NameNode */
	int listener;
	uint16_t port;
	pthread_t thread;
	bool threaded;
};

struct fake {
	struct fake_server nn, dn[FAKE_DATANODES];
	pthread_t connections[FAKE_CONNECTIONS];
	pthread_mutex_t mutex; /* of all that follows */
	bool ending;
	int fds[FAKE_CONNECTIONS];
	unsigned n_connections;
	uint8_t *content;
	size_t len;
	unsigned long modified, block_size;
	bool there;  /* whether /f exists */
	bool folder; /* it is one */
	enum fake_fault fault[FAKE_DATANODES];
	size_t after;
	bool vanish;         /* /f, when the first fault takes place */
	size_t grow;         /* so many bytes, when the first fault takes place */
	unsigned long id;    /* fileId of /f; 0: not told, as by HttpFS */
	unsigned replace_at; /* /f becomes another file, as long and (if there is an id) as old, with this
			      * OPEN;  0: never */
	const char *name;    /* of the file, without the first slash; NULL: "f" */
	unsigned opens, puts, deletes; /* requests to the NameNode */
	unsigned exchanges[FAKE_DATANODES];
	char excluded[256]; /* of the last OPEN or CREATE */
};

/* Starts it with a file of `len` bytes, see fake_byte(). */
void fake_init(struct fake *f, size_t len);
void fake_deinit(struct fake *f);
uint8_t fake_byte(size_t offset);

/* How the DataNode behaves, from now on. */
void fake_set(struct fake *f, int datanode, enum fake_fault fault);

/* Its URL, "webhdfs://127.0.0.1:PORT"; and where its DataNodes are. */
void fake_url(const struct fake *f, char ret[64]);
void fake_access(const struct fake *f, struct hdfs_access *ret);

#endif
