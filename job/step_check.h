/* step_check.h: whether a step of a plan has what its kind needs (plan.proto). */
#ifndef QUERN_JOB_STEP_CHECK_H
#define QUERN_JOB_STEP_CHECK_H

#include "base/err.h"
#include "job/plan.pb-c.h"

/* Of a step of a known kind; what is said about functions and persisted sets beyond their being there is
 * plan_check()'s business. 0, or -EBADMSG with a sentence that begins with what is wrong. */
int step_check(const Quern__Step *s, struct err *err);

#endif
