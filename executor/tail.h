/* tail.h: the last lines of what somebody printed. */
#ifndef QUERN_EXECUTOR_TAIL_H
#define QUERN_EXECUTOR_TAIL_H

#include <stddef.h>

enum { TAIL_BYTES = 4096, TAIL_LINES = 10 };

/* All zero: nothing was printed. */
struct tail {
	char ring[TAIL_BYTES];
	size_t at;   /* where the next byte goes */
	size_t held; /* bytes in the ring */
};

void tail_add(struct tail *t, const char *data, size_t len);
void tail_reset(struct tail *t);

/* The last TAIL_LINES lines, as far as they are held, without the final newline: "" when nothing was printed.
 * Whole UTF-8: what is not, and control characters but tab, are "?". The caller's to free(). NULL: no memory.
 */
char *tail_text(const struct tail *t);

#endif
