/* reports.h: what a command prints on its standard error, line by line: Hadoop's
 * `reporter:counter:GROUP,NAME,N` and `reporter:status:TEXT` are taken out, everything else goes on to ours.
 */
#ifndef QUERN_EXECUTOR_REPORTS_H
#define QUERN_EXECUTOR_REPORTS_H

#include <stdint.h>

#include "base/buf.h"

enum {
	REPORTS_LINE_MAX = 16 << 10, /* bytes; a longer line is passed on in pieces, and is no report */
	REPORTS_KEPT = 256           /* of a line that is kept to be shown, with a NUL */
};

/* Adds to a counter. Both names have a byte or more, and no NUL. */
typedef void reports_count_fn(void *arg, const char *group, const char *name, int64_t n);

struct reports {
	int fd; /* where the other lines go; borrowed */
	reports_count_fn *count;
	void *arg;
	struct buf line;           /* the one that is not complete */
	char last[REPORTS_KEPT];   /* the last line that has more than space, and is no report; "" before */
	char status[REPORTS_KEPT]; /* the text of the last reporter:status */
};

void reports_init(struct reports *r, int fd, reports_count_fn *count, void *arg);
void reports_take(struct reports *r, const char *data, size_t len);
/* There is no more: the last line may lack its newline. */
void reports_end(struct reports *r);
void reports_deinit(struct reports *r);

#endif
