/* console.h: calls of Mesos' v1 operator API, to a master or an agent: asked and answered, one after the
 * other. */
#ifndef QUERN_CLI_CONSOLE_H
#define QUERN_CLI_CONSOLE_H

#include <protobuf-c/protobuf-c.h>

#include "base/err.h"
#include "cli/cluster_options.h"

struct console;

/* Who asks: principal and secret are those of the options, which are borrowed; so is where the masters are.
 * -ENOMEM, or what is wrong with the secret's file, with a sentence. */
int console_new(const struct cluster_options *o, struct console **ret, struct err *err);
struct console *console_free(struct console *o);

/* Asks the master that leads. *ret (NULL: no answer is wanted) is a message of type `type`, for
 * protobuf_c_message_free_unpacked(). Nothing of it is trusted but that it is one. -EHOSTUNREACH: no master
 * answers; -EACCES: it refuses us; -EINVAL: it refuses the call, in its own words; -EBADMSG: it answers
 * something else. With a sentence. */
int console_ask_master(struct console *o, const ProtobufCMessage *call,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct err *err);

/* The same of the agent at "host:port"; and -ENOENT: there is no such thing. */
int console_ask_agent(struct console *o, const char *endpoint, const ProtobufCMessage *call,
	const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret, struct err *err);

#endif
