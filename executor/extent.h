/* extent.h: opening the file of an extent, and what it is not when that fails. */
#ifndef QUERN_EXECUTOR_EXTENT_H
#define QUERN_EXECUTOR_EXTENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "executor/flow.h"
#include "job/link.pb-c.h"

/* A descriptor of a regular file in which the extent is, *ret_size bytes long; or -1: the flow has failed. */
int extent_open(const Quern__Extent *x, uint64_t *ret_size, struct flow *flow);

/* As many bytes from `offset` on as there are, at most `len`. How many, or -1: the flow has failed. */
ssize_t extent_read(int fd, const Quern__Extent *x, void *to, size_t len, uint64_t offset, struct flow *flow);

#endif
