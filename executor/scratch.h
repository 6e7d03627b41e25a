/* scratch.h: a file in a task's scratch folder, for what does not fit its memory: written at its end, read
 * anywhere. It has no name, so it is gone with the process. */
#ifndef QUERN_EXECUTOR_SCRATCH_H
#define QUERN_EXECUTOR_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "executor/flow.h"

struct scratch {
	const char *dir; /* borrowed */
	int fd;          /* -1 until something is written */
	uint64_t end;    /* bytes so far, those that were given back included */
};

void scratch_init(struct scratch *s, const char *dir);
void scratch_deinit(struct scratch *s);

/* Makes the file if there is none yet. 0 or -errno. */
int scratch_open(struct scratch *s);

/* Writes at `offset`, which is below s->end. 0 or -errno: -ENOSPC on a full disk. */
int scratch_write_at(struct scratch *s, uint64_t offset, const void *data, size_t len);

/* Appends. 0 or -errno. */
int scratch_write(struct scratch *s, const void *data, size_t len);

/* Gives the disk back what these bytes take, where the file system can: nobody reads them again. */
void scratch_forget(struct scratch *s, uint64_t offset, uint64_t len);

/* Fails the flow for a negative result of the functions above, or of reading. */
void scratch_failed(const struct scratch *s, struct flow *flow, int code);

#endif
