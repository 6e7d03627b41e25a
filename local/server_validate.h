/* server_validate.h: whether a decoded call is well formed: the fields that its type asks for are there, and
 * say nothing that no receiver could act on. In the words of Apache Mesos:
 * validation::scheduler::call::validate() in src/master/validation.cpp, validateExecutorCall() in
 * src/common/validation.cpp. */
#ifndef QUERN_LOCAL_SERVER_VALIDATE_H
#define QUERN_LOCAL_SERVER_VALIDATE_H

#include <stdbool.h>

#include "base/err.h"
#include "mesos/agent.pb-c.h"
#include "mesos/executor.pb-c.h"
#include "mesos/master.pb-c.h"
#include "mesos/scheduler.pb-c.h"

/* 0, or -EINVAL with Mesos' sentence. */
int server_validate_scheduler(const Mesos__V1__Scheduler__Call *call, struct err *err);
int server_validate_executor(const Mesos__V1__Executor__Call *call, struct err *err);

/* Operators' calls, of a master and an agent. */
int server_validate_master(const Mesos__V1__Master__Call *call, struct err *err);
int server_validate_agent(const Mesos__V1__Agent__Call *call, struct err *err);

/* Whether the type of a valid call is one that the master core takes. Mesos has two more, for operations on
 * volumes. */
bool server_knows_scheduler(const Mesos__V1__Scheduler__Call *call);

#endif
