/* broadcast.h: what stands behind quern_broadcast_value(): where the bytes of broadcasts are, in this
 * process. */
#ifndef QUERN_JOB_BROADCAST_H
#define QUERN_JOB_BROADCAST_H

#include <stdint.h>

/* On an executor: each is a file in this folder, whose name is its number. Borrowed for good. */
void broadcasts_in(const char *folder);

/* It is not wanted any more: its memory goes, if this process has it. */
void broadcast_forget(uint32_t id);

#endif
