/* leader.h: which master leads, asked once: for who has one thing to say. */
#ifndef QUERN_CLI_LEADER_H
#define QUERN_CLI_LEADER_H

#include "base/err.h"
#include "cli/master.h"

/* The masters to ask, host:port, NULL-terminated: those that --master names, or the one that ZooKeeper does.
 * It is waited for, but not for longer than `timeout_ms` (0: for ever). `ret` is overwritten; its texts are
 * the caller's, for leader_deinit(). -EHOSTUNREACH and the like with a sentence. */
struct leader {
	char *endpoints[MASTER_ENDPOINTS_MAX + 1];
};
int leader_find(const struct master_url *m, uint64_t timeout_ms, struct leader *ret, struct err *err);
void leader_deinit(struct leader *l);

#endif
