#include "hdfs_client/retry.h"

#include "base/random.h"

void hdfs_retry_init(struct hdfs_retry *r, unsigned n, unsigned first, bool known, bool repeatable,
	uint64_t patience_ms, uint64_t seed, uint64_t now_ms)
{
	*r = (struct hdfs_retry){ .n = n,
		.at = first,
		.known = known,
		.repeatable = repeatable,
		.seed = seed,
		.began_ms = now_ms,
		.until_ms = now_ms + patience_ms };
}

static uint64_t end_of(const struct hdfs_retry *r)
{
	uint64_t strange = r->began_ms + HDFS_STRANGE_MS;

	return r->known || r->until_ms < strange ? r->until_ms : strange;
}

/* The next round's beginning: half to all of a time that doubles. */
static uint64_t wait_of(struct hdfs_retry *r)
{
	uint64_t most = HDFS_WAIT_FIRST_MS;

	for (unsigned i = 0; i < r->rounds && most < HDFS_WAIT_MOST_MS; i++)
		most *= 2;
	if (most > HDFS_WAIT_MOST_MS)
		most = HDFS_WAIT_MOST_MS;
	r->rounds++;
	return most / 2 + random_next(&r->seed) % (most / 2 + 1);
}

static enum hdfs_next next_one(struct hdfs_retry *r, bool wait, uint64_t now_ms, uint64_t *ret_wait_ms)
{
	uint64_t end = end_of(r);

	r->at = (r->at + 1) % r->n;
	*ret_wait_ms = 0;
	if (++r->tried < r->n && !wait)
		return HDFS_NEXT_ASK; /* however late it is: perhaps only this one hangs */
	r->tried = 0;
	if (now_ms >= end)
		return HDFS_NEXT_GIVE_UP;
	if (!r->hope && r->rounds + 1 >= HDFS_HOPELESS_ROUNDS)
		return HDFS_NEXT_GIVE_UP;
	*ret_wait_ms = wait_of(r);
	if (*ret_wait_ms > end - now_ms)
		*ret_wait_ms = end - now_ms; /* one last time, at the end */
	return HDFS_NEXT_ASK;
}

enum hdfs_next hdfs_retry_step(
	struct hdfs_retry *r, enum hdfs_outcome outcome, uint64_t now_ms, uint64_t *ret_wait_ms)
{
	r->known = r->known || outcome == HDFS_ANSWERED || outcome == HDFS_STANDBY || outcome == HDFS_NOT_NOW;
	if (outcome == HDFS_ANSWERED)
		return HDFS_NEXT_TAKE;
	if (outcome != HDFS_HOPELESS)
		r->hope = true;
	if (outcome == HDFS_LOST) {
		r->uncertain = true;
		if (!r->repeatable)
			return HDFS_NEXT_LOOK_UP;
	}
	return next_one(r, outcome == HDFS_NOT_NOW, now_ms, ret_wait_ms);
}

enum hdfs_next hdfs_retry_undone(struct hdfs_retry *r, uint64_t now_ms, uint64_t *ret_wait_ms)
{
	return next_one(r, false, now_ms, ret_wait_ms);
}

uint64_t hdfs_retry_patience_ms(const struct hdfs_retry *r)
{
	return end_of(r) - r->began_ms;
}
