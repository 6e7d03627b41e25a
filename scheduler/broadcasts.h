/* broadcasts.h: the job's broadcasts as the driver has them: memory that its process made and sealed, offered
 * to executors over HTTP. Which of them fetches from whom is the core's business. */
#ifndef QUERN_SCHEDULER_BROADCASTS_H
#define QUERN_SCHEDULER_BROADCASTS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/serve.h"
#include "job/session.pb-c.h"

/* Takes the broadcast that process `pid` offers, and offers it to executors. 0, or a negative errno with a
 * sentence: it is none (not sealed, not as long as it says), or there is no descriptor or memory for it. */
int broadcasts_take(struct offers *offers, pid_t pid, const Quern__SessionToDriver__Broadcast *broadcast,
	struct err *err);

/* Nobody wants it any more. */
void broadcasts_drop(struct offers *offers, uint32_t id);

#endif
