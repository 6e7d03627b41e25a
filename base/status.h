/* status.h: what wait(2) says of a child, for people. */
#ifndef QUERN_BASE_STATUS_H
#define QUERN_BASE_STATUS_H

#include <stddef.h>

/* "was killed by SIGSEGV (Segmentation fault)", "exited with status 3". 128 bytes are enough. */
void status_words(int status, char *ret, size_t size);

#endif
