/* paths.h: where the parts of this installation are, relative to the program itself: the build tree
 * (BUILD/cli/quern, BUILD/include, BUILD/executor) or an installation (PREFIX/bin/quern, PREFIX/include,
 * PREFIX/libexec/quern). */
#ifndef QUERN_CLI_PATHS_H
#define QUERN_CLI_PATHS_H

#include "base/err.h"

struct paths {
	char *self;    /* this program */
	char *include; /* folder with quern/quern.h */
	char *bundle;  /* quern-executor.tar */
	char *driver;  /* quern-driver.tar.gz */
	char *stream;  /* quern-stream.so, the job of `quern stream` */
	char *bench;   /* folder of the benchmark suite */
};

/* -ENOENT with a sentence that names what is missing. What a driver is started from elsewhere is not missed,
 * nor is the benchmark suite: NULL. paths_deinit() in any case. */
int paths_find(struct paths *ret, struct err *err);
void paths_deinit(struct paths *p);

#endif
