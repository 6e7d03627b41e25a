/* leader.h: what masters write into ZooKeeper: who leads, and where it is. Nothing of it is trusted.
 *
 * Each master makes a node `json.info_NNNNNNNNNN` below the cluster's path; ZooKeeper counts. The one with
 * the lowest number leads (src/zookeeper/detector.cpp of Mesos); in it is its MasterInfo as JSON. */
#ifndef QUERN_MESOS_LEADER_H
#define QUERN_MESOS_LEADER_H

#include <stddef.h>

#include "base/err.h"

enum { LEADER_JSON_MAX = 1 << 16, LEADER_NAME_MAX = 32, LEADER_ENDPOINT_MAX = 272 };

/* The index of the leader's name, or -1: none of them is a master's. */
long leader_pick(const char *const *names, size_t n);

/* "host:port" of a MasterInfo: its address.ip, for address.hostname may be a name that only the cluster
 * knows; that is taken if there is no other. -EBADMSG with a sentence, -ENOMEM. */
int leader_endpoint(const void *json, size_t len, char ret[LEADER_ENDPOINT_MAX], struct err *err);

#endif
