/* sort_step.h: the step that puts the records of a task in order. */
#ifndef QUERN_EXECUTOR_SORT_STEP_H
#define QUERN_EXECUTOR_SORT_STEP_H

#include "executor/stateful.h"

stateful_new_fn sort_step_new; /* of kind SORT */

#endif
