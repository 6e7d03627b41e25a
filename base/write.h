/* write.h: all of some bytes into a descriptor that blocks, whatever interrupts it. */
#ifndef QUERN_BASE_WRITE_H
#define QUERN_BASE_WRITE_H

#include <stddef.h>
#include <stdint.h>

/* 0 or -errno; then some of it may have been written. */
int write_all(int fd, const void *data, size_t len);
int write_all_at(int fd, uint64_t offset, const void *data, size_t len);

#endif
