/* code.h: the job's shared object: loading it, and functions to and from what travels. */
#ifndef QUERN_JOB_CODE_H
#define QUERN_JOB_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <quern/quern.h>

#include "base/err.h"
#include "job/plan.pb-c.h"

enum { CODE_BUILD_ID_MAX = 64 };

struct code; /* a loaded job */

/* dlopen()s `path`; runs its constructors. With `build_id` (of `build_id_len` bytes) the object must have
 * that one. -ENOEXEC with a sentence: not a shared object, unresolved symbols, no build id, another build id.
 */
int code_load(
	const char *path, const uint8_t *build_id, size_t build_id_len, struct code **ret, struct err *err);
struct code *code_free(struct code *code); /* does not dlclose: functions may be referred to */

size_t code_build_id(const struct code *code, const uint8_t **ret);

/* quern_main, or NULL when the job has none. */
int (*code_main(const struct code *code))(quern_job *, int, char **);

typedef void code_fn(void); /* any function; the caller casts to what the step's kind says */

/* How `fn` travels: fills `builtin` or `offset` of *f (not arg). -EINVAL: it is neither the job's nor a
 * reduction of quern's own. */
int code_describe(const struct code *code, code_fn *fn, Quern__Function *f, struct err *err);

/* And back. -EINVAL: no builtin of that name, offset outside the object's text. */
int code_resolve(const struct code *code, const Quern__Function *f, code_fn **ret, struct err *err);

/* The known reductions, for those who do them without calls. */
enum reduction {
	REDUCE_CALL,
	REDUCE_SUM_U64,
	REDUCE_MIN_U64,
	REDUCE_MAX_U64,
	REDUCE_SUM_I64,
	REDUCE_MIN_I64,
	REDUCE_MAX_I64,
	REDUCE_SUM_DOUBLE,
	REDUCE_MIN_DOUBLE,
	REDUCE_MAX_DOUBLE
};
enum reduction code_reduction(const Quern__Function *f);

/* What a function of quern's own may be used as. */
enum code_role { ROLE_NONE, ROLE_REDUCE, ROLE_FOLD, ROLE_MAP };

/* ROLE_NONE: there is no function of that name. */
enum code_role code_role(const char *builtin);

#endif
