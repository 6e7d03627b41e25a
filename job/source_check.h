/* source_check.h: the part of plan_check() about sources that read no shuffle. */
#ifndef QUERN_JOB_SOURCE_CHECK_H
#define QUERN_JOB_SOURCE_CHECK_H

#include "base/err.h"
#include "job/plan.pb-c.h"

/* Whether the source is exactly one, and what it says of files and memory makes sense. 0, or -EBADMSG with
 * what is wrong. */
int source_check(const Quern__Source *s, struct err *err);

#endif
