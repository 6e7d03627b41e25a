/* master_resources.h: between the master's resources and messages.
 *
 * Inside the master resources carry no allocation role (the offer, task or executor that holds them knows it)
 * and reservations in one form, the list `reservations`. At its border there are two forms: frameworks with
 * the capability RESERVATION_REFINEMENT see that one, others the older `role` and `reservation`; either is
 * understood (src/common/resources_utils.cpp of Apache Mesos, upgradeResource and downgradeResource). */
#ifndef QUERN_LOCAL_MASTER_RESOURCES_H
#define QUERN_LOCAL_MASTER_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "mesos/resources.h"

/* Reads resources of a message, whatever they are allocated to. 0, -EINVAL with a sentence, or -ENOMEM. */
int master_resources_read(
	Mesos__V1__Resource *const *pieces, size_t n, struct resources **ret, struct err *err);

/* A list of messages for packing. */
struct resource_list {
	Mesos__V1__Resource **at;
	size_t n;
	Mesos__V1__Resource *own; /* what `at` points to; borrows from `from` and from the caller */
	Mesos__V1__Resource **from;
	size_t n_from;
	Mesos__V1__Resource__ReservationInfo *reservations;
	Mesos__V1__Resource__AllocationInfo allocation;
};

/* Writes them as offered to, or used by, someone of `role` (NULL: allocated to nobody). The list must not
 * move in memory. */
int master_resources_write(
	const struct resources *r, const char *role, bool refined, struct resource_list *ret);
/* The pieces of a message once more, each allocated to `role` if it does not say what it is allocated to. */
int master_resources_inject(
	Mesos__V1__Resource *const *pieces, size_t n, const char *role, struct resource_list *ret);
void master_resource_list_deinit(struct resource_list *list);

/* Appends resources in Mesos' words (operator<< in src/common/resources.cpp). */
int master_resources_print(const struct resources *r, const char *role, struct buf *out);

/* What of it a framework may be offered in `role`: nothing that others reserved, nothing that it does not
 * understand. */
struct resource_taste {
	const char *role;
	bool revocable, shared, refined;
};
int master_resources_pick(
	const struct resources *r, const struct resource_taste *taste, struct resources **ret);

/* Whether any piece is more than plain, unreserved and not revocable: then it matters who is asking. */
int master_resources_plain(const struct resources *r, bool *ret);

#endif
