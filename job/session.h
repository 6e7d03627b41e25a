/* session.h: the conversation between the driver and the process that runs quern_main().
 *
 * Wire: a socket pair (SOCK_STREAM). A frame is a 4-byte little-endian length, at least 1, and so many bytes:
 * a packed SessionToDriver or SessionToJob (session.proto).
 *
 * Order: Hello -> any number of actions, one at a time: Run -> Results -> Done. Every Run gets exactly one
 * Done, a cancelled one as well. With a COLLECT or COUNT sink every partition that the Run asks for gives one
 * Result, an empty one too, in any order, all of them before Done 0; partitions that there are not
 * (first_partition or its sum with partition_count too large) give none: so the job knows where the dataset
 * ends. Between two actions a Broadcast may come, which gets one Taken. An Unpersist or a Destroy may come
 * between and within actions. The session ends with the job's process, or when the driver closes it.
 *
 * The driver trusts nothing that it reads here: user code runs on the other side. */
#ifndef QUERN_JOB_SESSION_H
#define QUERN_JOB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "job/session.pb-c.h"

enum {
	SESSION_VERSION = 1,
	SESSION_TO_DRIVER_MAX = 16 << 20, /* bytes of a frame: of a Run, with its arguments */
	SESSION_TO_JOB_MAX =
		(64 << 20) + 1024, /* of a Result: a frame of the link (base/link.h) and a head */
};

/* ---- Frames, without I/O ---- */

/* Takes bytes in any split and gives messages; holds at most one frame. */
struct session_reader {
	const ProtobufCMessageDescriptor *type;
	size_t max;       /* bytes of a frame */
	struct buf frame; /* what is there of it, its length included */
	bool broken;
};

/* What the driver reads, and what the job reads. */
void session_reader_driver(struct session_reader *r);
void session_reader_job(struct session_reader *r);
void session_reader_deinit(struct session_reader *r);

/* Takes bytes from *data until a message is whole, and moves *data and *len behind them. 1: *ret is a message
 * (Quern__SessionToDriver or Quern__SessionToJob, with exactly one member set), which the caller frees with
 * protobuf_c_message_free_unpacked(); call again with what is left. 0: all was taken, and more is needed.
 * -EBADMSG (not a message; then always), -EMSGSIZE (too large; then always), -ENOMEM. */
int session_feed(
	struct session_reader *r, const uint8_t **data, size_t *len, ProtobufCMessage **ret, struct err *err);

/* Whether the session may end here: false within a frame. */
bool session_at_border(const struct session_reader *r);

/* The first message of a job: a Hello of this version, and of this object. -EPROTO with a sentence. */
int session_check_hello(
	const Quern__SessionToDriver *m, const uint8_t *build_id, size_t build_id_len, struct err *err);

/* Append one frame to `out`. 0, -ENOMEM, or -EMSGSIZE: more than `out` or the frame may hold. */
int session_put_hello(struct buf *out, const uint8_t *build_id, size_t build_id_len);
int session_put_run(struct buf *out, const Quern__Run *run);
int session_put_cancel(struct buf *out, uint32_t run);
int session_put_unpersist(struct buf *out, uint32_t cache);
int session_put_broadcast(struct buf *out, const Quern__SessionToDriver__Broadcast *broadcast);
int session_put_destroy(struct buf *out, uint32_t broadcast);
int session_put_result(struct buf *out, uint32_t run, uint32_t partition, const void *data, size_t len);
int session_put_taken(struct buf *out, uint32_t broadcast, const char *error); /* NULL: there is none */
int session_put_done(struct buf *out, uint32_t run, int code, const char *text, Quern__Count *const *totals,
	size_t n_totals);

/* ---- The job's side ---- */

/* Loads the job at `so_path`, says Hello on `fd` (a blocking socket, taken), calls quern_main(argc, argv) and
 * returns the exit status of the process: 0, what quern_main() returned where that is 1 to 255, or 1 after
 * one line on stderr. `argv[argc]` is NULL. */
int session_serve(int fd, const char *so_path, int argc, char **argv);

#endif
