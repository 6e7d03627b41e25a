/* detector_none.c: detector.h of a build without libzookeeper. */
#include <errno.h>

#include "mesos/detector.h"

bool detector_here(void)
{
	return false;
}

int detector_new(struct event_base *loop, const struct zk_url *url, const struct detector_ops *ops, void *arg,
	struct detector **ret, struct err *err)
{
	(void)loop;
	(void)ops;
	(void)arg;
	(void)ret;
	return err_set(err, -ENOTSUP, "%s: this quern was built without ZooKeeper", url->shown);
}

struct detector *detector_free(struct detector *detector)
{
	return detector;
}
