/* text.h: keys and values as people read them. */
#ifndef QUERN_EXECUTOR_TEXT_H
#define QUERN_EXECUTOR_TEXT_H

#include <quern/quern.h>

#include "base/buf.h"
#include "job/plan.pb-c.h"

enum { TEXT_MISFIT = 1 /* what should be a number has no 8 bytes */ };
#define TEXT_MISFIT_WORDS "a field of %zu bytes is to be printed as a number, which has 8"

/* Appends a key or a value: bytes as they are, numbers in decimal. 0, TEXT_MISFIT, or -errno of the buffer.
 */
int text_put(struct buf *to, Quern__ValueType type, quern_slice s);

#endif
