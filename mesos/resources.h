/* resources.h: arithmetic on Mesos resources. A piece is told apart by name, role, reservations, allocation,
 * being revocable or shared; pieces that differ in any of these never mix (include/mesos/v1/resources.hpp of
 * Apache Mesos). Scalars are fixed point with three digits, as in Mesos (src/common/values.cpp): 0.1 + 0.2 is
 * 0.3. */
#ifndef QUERN_MESOS_RESOURCES_H
#define QUERN_MESOS_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "mesos/mesos.pb-c.h"

struct resources; /* a set of pieces; owns everything in it */

int resources_new(struct resources **ret);
struct resources *resources_free(struct resources *r);
int resources_dup(const struct resources *r, struct resources **ret);

/* From messages (copied), validated: -EINVAL with a sentence on negative or non-finite scalars, bad ranges,
 * no name. */
int resources_from_pb(Mesos__V1__Resource *const *pieces, size_t n, struct resources **ret, struct err *err);
/* To messages: an array of `*ret_n` owned by the caller, for resources_pb_free(). */
int resources_to_pb(const struct resources *r, Mesos__V1__Resource ***ret, size_t *ret_n);
void resources_pb_free(Mesos__V1__Resource **pieces, size_t n);

/* "cpus:4;mem:4096;disk:10000;ports:[31000-32000,33000-33000];zones:{a,b}", "cpus(role):2": Mesos'
 * --resources text, but for "cpus{REV}:2", revocable, which Mesos only prints. Blanks around names and values
 * do not matter; what is named twice is added. 0, -ENOMEM, -EINVAL with a sentence. */
int resources_parse(const char *text, struct resources **ret, struct err *err);
/* Appends that text; for people and traces. */
struct buf;
int resources_print(const struct resources *r, struct buf *out);

int resources_add(struct resources *into, const struct resources *what);
/* What is not there is an error: -ERANGE, and nothing changes. */
int resources_subtract(struct resources *from, const struct resources *what);
bool resources_contains(const struct resources *r, const struct resources *what);
bool resources_empty(const struct resources *r);

/* Sum of a scalar over all pieces, in thousandths ("cpus" 1.5 = 1500). */
int64_t resources_milli(const struct resources *r, const char *name);

/* Takes `milli` of scalar `name` out of `from` and puts those pieces into `into`; reserved pieces first.
 * -ERANGE if there is not so much; nothing changes then. */
int resources_take(struct resources *from, const char *name, int64_t milli, struct resources *into);

/* Whether a value of "ports" is a port of TCP: 1 to 65535. */
bool resources_has_port(const struct resources *r);
/* Takes one of the values of "ports" that are ports of TCP, and puts it into `into`: the nth of them (counted
 * round and round), of reserved pieces if they have any. -ERANGE: there is none; nothing changes then. */
int resources_take_port(struct resources *from, uint64_t nth, struct resources *into, uint16_t *ret);

/* Whether some of it may be taken away again by the agent (RevocableInfo). */
bool resources_revocable(const struct resources *r, const char *name);
/* Of what has that name, leaves only what is revocable, or is not. */
void resources_keep(struct resources *r, const char *name, bool revocable);

/* Sets (role) or clears (NULL) allocation_info on every piece. */
int resources_allocate(struct resources *r, const char *role);

#endif
