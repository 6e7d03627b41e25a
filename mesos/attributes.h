/* attributes.h: attributes of agents, from Mesos' --attributes text: "rack:a;generation:7;vlan:[1-5,8-9]": a
 * number is a scalar, brackets are ranges, everything else is text (src/common/attributes.cpp of Apache
 * Mesos). */
#ifndef QUERN_MESOS_ATTRIBUTES_H
#define QUERN_MESOS_ATTRIBUTES_H

#include <stddef.h>

#include "base/err.h"
#include "mesos/mesos.pb-c.h"

/* NULL and "" are none. *ret, of *ret_n, is the caller's, for attributes_free(). 0, -ENOMEM, -EINVAL with a
 * sentence.
 */
int attributes_parse(const char *text, Mesos__V1__Attribute ***ret, size_t *ret_n, struct err *err);
void attributes_free(Mesos__V1__Attribute **list, size_t n);

#endif
