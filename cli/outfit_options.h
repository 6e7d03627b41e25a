/* outfit_options.h: how executors are started, as people write it on a command line. */
#ifndef QUERN_CLI_OUTFIT_OPTIONS_H
#define QUERN_CLI_OUTFIT_OPTIONS_H

#include "base/err.h"
#include "base/vec.h"
#include "scheduler/executor_outfit.h"

typedef VEC(char *) env_list;
typedef VEC(struct executor_volume) volume_list;

/* "NAME=VALUE", added to the list; one of that name that is there goes. -EINVAL: no such name may be set,
 * with a sentence. -ENOMEM. */
int env_add(env_list *list, const char *text, struct err *err);
void env_deinit(env_list *list);

/* "HOST:CONTAINER[:ro|:rw]", two absolute paths, added to the list. -EINVAL with a sentence. -ENOMEM. */
int volume_add(volume_list *list, const char *text, struct err *err);
void volumes_deinit(volume_list *list);

#endif
