/* roles.h: names of Mesos roles: "*", "analytics", "eng/web". */
#ifndef QUERN_MESOS_ROLES_H
#define QUERN_MESOS_ROLES_H

#include <stddef.h>

#include "base/err.h"

/* Whether a role may be called that, by the rules and in the words of Mesos (src/common/roles.cpp). 0, or
 * -EINVAL with a sentence. */
int roles_check(const char *name, struct err *err);

/* "ROLE[,ROLE...]", none of them twice: a list that ends with NULL, the caller's, for roles_free(). 0,
 * -ENOMEM, -EINVAL with a sentence. */
int roles_parse(const char *text, char ***ret, struct err *err);
/* A copy of such a list. NULL: no memory. */
char **roles_dup(const char *const *list);
void roles_free(char **list);
size_t roles_count(const char *const *list);

#endif
