/* name_nodes.h: NameNodes (and DataNodes) whose every answer the test decides, and a file system that uses
 * them. Include after cmocka.h. */
#ifndef QUERN_TESTS_HDFS_CLIENT_NAME_NODES_H
#define QUERN_TESTS_HDFS_CLIENT_NAME_NODES_H

#include <signal.h>

#include "hdfs_client/fs.h"
#include "tests/base/script_server.h"

/* One exchange: what the head of the request has in it, and what is answered. */
struct step {
	const char *has;
	const char *status; /* "200 OK"; NULL: the connection is closed, without an answer */
	const char *body;   /* JSON; or NULL */
	const char *head;   /* more header lines, each with \r\n; or NULL */
	const char *type;   /* NULL: JSON */
};

/* The steps of a node, which last as long as the block that they are in. */
#define SCRIPT(...)                                                                                          \
	(const struct step[])                                                                                \
	{                                                                                                    \
		__VA_ARGS__,                                                                                 \
		{                                                                                            \
			NULL                                                                                 \
		}                                                                                            \
	}

enum { NODES = 3, STEPS = 16 };

struct node {
	struct script_server server;
	const struct step *steps; /* up to one whose `has` is NULL */
	size_t at;
};

struct world {
	struct event_base *loop;
	struct node nodes[NODES]; /* the first `names` are NameNodes */
	unsigned names;
	struct hdfs_access access;
	struct hdfs_fs *fs;
};

/* What became of one operation. */
struct got {
	int dones, r;
	struct hdfs_answer answer;
	char error[1024];
};

static inline void node_answers(void *arg, struct script_request *r)
{
	struct node *n = arg;
	const struct step *step = &n->steps[n->at];
	char head[512];

	if (n->steps == NULL || step->has == NULL)
		fail_msg("a request that is not in the script: %s", r->head);
	if (strstr(r->head, step->has) == NULL)
		fail_msg("'%s' is not in: %s", step->has, r->head);
	n->at++;
	if (step->status == NULL) {
		script_reset(r->peer);
		return;
	}
	const char *body = step->body != NULL ? step->body : "";
	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
		step->status, step->type != NULL ? step->type : "application/json", strlen(body),
		step->head != NULL ? step->head : "");
	script_say(r->peer, head);
	script_say(r->peer, body);
}

/* A file system with that many NameNodes. */
static inline void world_begin(struct world *w, unsigned names)
{
	char text[256] = "webhdfs://";
	struct hdfs_url url;
	struct err err;

	(void)signal(SIGPIPE, SIG_IGN);
	w->names = names;
	w->loop = event_base_new();
	for (unsigned i = 0; i < NODES; i++) {
		script_listen(&w->nodes[i].server, w->loop);
		w->nodes[i].server.on_request = node_answers;
		w->nodes[i].server.arg = &w->nodes[i];
		if (i < names) {
			if (i > 0)
				(void)strcat(text, ",");
			(void)strcat(text, w->nodes[i].server.at);
		}
	}
	(void)strcat(text, "/");
	w->access.user = w->access.user != NULL ? w->access.user : (char *)"ann";
	assert_int_equal(hdfs_url_parse(text, &url, &err), 0);
	assert_int_equal(hdfs_fs_new(w->loop, &url, &w->access, &w->fs, &err), 0);
	hdfs_url_deinit(&url);
}

/* Each script has been played to its end. */
static inline void world_end(struct world *w)
{
	w->fs = hdfs_fs_free(w->fs);
	for (unsigned i = 0; i < NODES; i++) {
		if (w->nodes[i].steps != NULL && w->nodes[i].steps[w->nodes[i].at].has != NULL)
			fail_msg("node %u: never asked for '%s'", i, w->nodes[i].steps[w->nodes[i].at].has);
		script_end(&w->nodes[i].server);
	}
	event_base_free(w->loop);
}

static inline void got_it(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct got *g = arg;

	g->dones++;
	g->r = r;
	assert_int_equal(r == 0, answer != NULL);
	if (answer != NULL) {
		g->answer = *answer;
		*answer = (struct hdfs_answer){ .op = answer->op };
	} else {
		(void)snprintf(g->error, sizeof(g->error), "%s", err->text);
	}
}

static inline struct hdfs_call *ask_it(struct world *w, const struct hdfs_ask *ask, struct got *g)
{
	struct hdfs_call *call;
	struct err err;

	*g = (struct got){ 0 };
	assert_int_equal(hdfs_fs_ask(w->fs, ask, got_it, g, &call, &err), 0);
	assert_int_equal(g->dones, 0);
	return call;
}

/* The result of one operation, to its end. */
static inline int ask(struct world *w, const struct hdfs_ask *a, struct got *g)
{
	(void)ask_it(w, a, g);
	SCRIPT_WAIT(w->loop, g->dones > 0);
	assert_int_equal(g->dones, 1);
	return g->r;
}

#define REFUSAL(exception, message)                                                                          \
	"{\"RemoteException\":{\"exception\":\"" exception "\",\"javaClassName\":\"x." exception             \
	"\",\"message\":\"" message "\"}}"
#define STANDBY REFUSAL("StandbyException", "Operation category READ is not supported in state standby")
#define GONE    REFUSAL("FileNotFoundException", "File does not exist: /x")
#define STATUS_OF(name, type, id)                                                                            \
	"{\"accessTime\":1,\"blockSize\":128,\"childrenNum\":0,\"fileId\":" id                               \
	",\"group\":\"g\",\"length\":5,"                                                                     \
	"\"modificationTime\":2,\"owner\":\"o\",\"pathSuffix\":\"" name                                      \
	"\",\"permission\":\"1644\",\"replication\":3,\"storagePolicy\":0,\"type\":\"" type "\"}"
#define STATUS(name, type) STATUS_OF(name, type, "7")
#define IS_FILE            "{\"FileStatus\":" STATUS("", "FILE") "}"
#define NOT_THERE          "404 Not Found", GONE

/* What is said of a DataNode has its port in it. */
struct text {
	char to[512];
};

__attribute__((format(printf, 2, 3))) static inline const char *redirect(
	struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(t->to, sizeof(t->to), format, args);
	va_end(args);
	return t->to;
}

#define LOCATED                                                                                              \
	"{\"BlockLocations\":{\"BlockLocation\":[{\"hosts\":[\"dn1.quern.invalid\"],\"names\":"              \
	"[\"127.0.0.1:9866\"],\"offset\":0,\"length\":9}]}}"

#endif
