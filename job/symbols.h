/* symbols.h: what the job calls its functions, for people who read a plan: from the symbol table of its
 * shared object, static functions included. */
#ifndef QUERN_JOB_SYMBOLS_H
#define QUERN_JOB_SYMBOLS_H

#include <stdint.h>

#include "base/auto.h"
#include "job/plan.pb-c.h"

struct symbols;

/* Those of the object at `path`. One that was stripped has none. 0, -ENOMEM, or -ENOEXEC: it cannot be read.
 */
int symbols_load(const char *path, struct symbols **ret);

/* The function at this offset from the object's load base; NULL: it has no name. Borrowed. */
const char *symbols_find(const struct symbols *s, uint64_t offset);

/* Gives every Function within `message` its name, if it has one and none was given. 0 or -ENOMEM. */
int symbols_name(const struct symbols *s, ProtobufCMessage *message);

struct symbols *symbols_free(struct symbols *s);

AUTO_FREE(symbols, struct symbols, symbols_free)
#define auto_symbols AUTO_CLEANUP(auto_symbols_cleanup_)

#endif
