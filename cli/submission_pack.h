/* submission_pack.h: a job on its way to the driver that the cluster hosts, as bytes. */
#ifndef QUERN_CLI_SUBMISSION_PACK_H
#define QUERN_CLI_SUBMISSION_PACK_H

#include "base/buf.h"
#include "cli/detach.h"
#include "cli/submission.pb-c.h"

/* Appends it; it has secrets in it. -ENOMEM, -EMSGSIZE with a sentence. */
int submission_pack(const struct detach_config *c, struct buf *to, struct err *err);

/* And back; nothing is trusted: -EPROTO with a sentence, -ENOMEM. *ret is the caller's, for
 * submission_free_message(). */
int submission_unpack(const void *data, size_t len, Quern__Submission **ret, struct err *err);

/* Wipes what is secret, and frees. NULL is allowed. */
void submission_free_message(Quern__Submission *m);

/* Makes options of it. `o` is that of options_init(); `folder`: the sandbox, with the files that travelled.
 * -EINVAL: what one quern writes another does not know; -ENOENT and the like: a file is not there. With a
 * sentence. */
int submission_options(
	const Quern__Submission *m, const char *folder, struct run_options *o, struct err *err);

#endif
