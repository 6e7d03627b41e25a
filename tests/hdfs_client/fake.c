#include "tests/hdfs_client/fake.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection, with what was read of it and not used yet. */
struct peer {
	struct fake_server *server;
	struct fake *fake;
	unsigned number;
	int fd;
	char *in;
	size_t n, cap;
};

uint8_t fake_byte(size_t offset)
{
	return (uint8_t)(offset * 2654435761u >> 13);
}

/* ---- Bytes of a connection ---- */

static bool send_all(const struct peer *p, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool say(const struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool say(const struct peer *p, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	assert(n >= 0);
	bool sent = send_all(p, text, (size_t)n);
	free(text);
	return sent;
}

static bool say_json(const struct peer *p, int status, const char *json)
{
	return say(p, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		status, strlen(json), json);
}

static bool say_exception(const struct peer *p, int status, const char *name, const char *message)
{
	char json[512];

	(void)snprintf(json, sizeof(json),
		"{\"RemoteException\":{\"exception\":\"%s\",\"javaClassName\":\"org.apache.hadoop.%s\","
		"\"message\":"
		"\"%s\"}}",
		name, name, message);
	return say_json(p, status, json);
}

static bool read_more(struct peer *p)
{
	if (p->n + 1 >= p->cap) {
		p->cap = p->cap * 2 + 65536;
		p->in = realloc(p->in, p->cap);
		assert(p->in != NULL);
	}
	ssize_t n = recv(p->fd, p->in + p->n, p->cap - p->n - 1, 0);
	if (n <= 0)
		return false;
	p->n += (size_t)n;
	p->in[p->n] = '\0';
	return true;
}

static void use(struct peer *p, size_t n)
{
	p->n -= n;
	memmove(p->in, p->in + n, p->n + 1);
}

/* Up to `end`, without it; the caller frees it. NULL: the connection is over. */
static char *read_until(struct peer *p, const char *end)
{
	const char *at = NULL;

	while (p->n == 0 || (at = memmem(p->in, p->n, end, strlen(end))) == NULL)
		if (!read_more(p))
			return NULL;
	size_t len = (size_t)(at - p->in);
	char *ret = strndup(p->in, len);
	assert(ret != NULL);
	use(p, len + strlen(end));
	return ret;
}

/* The value of a parameter of the request, or "". */
static const char *parameter(const char *head, const char *name, char ret[256])
{
	size_t len = strlen(name), line = strcspn(head, "\r\n");

	ret[0] = '\0';
	for (const char *p = memchr(head, '?', line); p != NULL && p < head + line;
		p = strpbrk(p + 1, "&\r\n"))
		if (strncasecmp(p + 1, name, len) == 0 && p[len + 1] == '=')
			(void)snprintf(ret, 256, "%.*s", (int)strcspn(p + len + 2, "& \r\n"), p + len + 2);
	return ret;
}

/* ---- The NameNode ---- */

/* Whether a DataNode is in excludedatanodes: as Hadoop has it, by its address. */
static bool is_excluded(const char *excluded, int i)
{
	char address[32];

	(void)snprintf(address, sizeof(address), "10.0.0.%d", i + 1);
	return strstr(excluded, address) != NULL;
}

static bool redirect(const struct peer *p, const char *head, const char *op)
{
	char excluded[256], offset[256], length[256];
	int i = 0;

	(void)parameter(head, "excludedatanodes", excluded);
	pthread_mutex_lock(&p->fake->mutex);
	(void)snprintf(p->fake->excluded, sizeof(p->fake->excluded), "%s", excluded);
	*(strcmp(op, "OPEN") == 0 ? &p->fake->opens : &p->fake->puts) += 1;
	if (strcmp(op, "OPEN") == 0 && p->fake->opens == p->fake->replace_at) {
		*(p->fake->id > 0 ? &p->fake->id : &p->fake->modified) += 1;
	}
	unsigned puts = p->fake->puts;
	pthread_mutex_unlock(&p->fake->mutex);
	if (strcmp(op, "CREATE") == 0) /* Hadoop takes any; here it is each in turn */
		i = (int)((puts - 1) % FAKE_DATANODES);
	else
		while (i < FAKE_DATANODES && is_excluded(excluded, i))
			i++;
	if (i == FAKE_DATANODES)
		return say_exception(p, 403, "IOException", "No active nodes contain this block");
	char where[640];
	(void)snprintf(where, sizeof(where),
		"{\"Location\":\"http://dn%d.quern.test:%u/webhdfs/v1/f?op=%s&offset=%s&length=%s\"}", i + 1,
		p->fake->dn[i].port, op, parameter(head, "offset", offset),
		parameter(head, "length", length));
	return say_json(p, 200, where);
}

static bool say_status(const struct peer *p, const char *head)
{
	static const char before[] = "GET /webhdfs/v1/";
	const char *name = p->fake->name != NULL ? p->fake->name : "f", *path = head + strlen(before);
	bool file = strncmp(head, before, strlen(before)) == 0 && strncmp(path, name, strlen(name)) == 0 &&
		    path[strlen(name)] == '?';
	char json[512];

	pthread_mutex_lock(&p->fake->mutex);
	bool there = p->fake->there, folder = p->fake->folder;
	unsigned long modified = p->fake->modified, block_size = p->fake->block_size, id = p->fake->id;
	size_t len = p->fake->len;
	pthread_mutex_unlock(&p->fake->mutex);
	if (file && !there)
		return say_exception(p, 404, "FileNotFoundException", "File does not exist: /f");
	(void)snprintf(json, sizeof(json),
		"{\"FileStatus\":{\"accessTime\":1,\"blockSize\":%lu,\"childrenNum\":0,\"fileId\":%lu,"
		"\"group\":\"g\","
		"\"length\":%zu,\"modificationTime\":%lu,\"owner\":\"o\",\"pathSuffix\":\"\",\"permission\":"
		"\"644\","
		"\"replication\":3,\"storagePolicy\":0,\"type\":\"%s\"}}",
		block_size, id, file ? len : 0, modified, file && !folder ? "FILE" : "DIRECTORY");
	return say_json(p, 200, json);
}

static bool say_locations(const struct peer *p)
{
	return say_json(p, 200,
		"{\"BlockLocations\":{\"BlockLocation\":[{\"offset\":0,\"length\":1048576,\"corrupt\":false,"
		"\"cachedHosts\":[],\"storageTypes\":[],\"topologyPaths\":[],"
		"\"hosts\":[\"dn1.quern.test\",\"dn2.quern.test\",\"dn3.quern.test\"],"
		"\"names\":[\"10.0.0.1:9866\",\"10.0.0.2:9866\",\"10.0.0.3:9866\"]}]}}");
}

static bool serve_namenode(struct peer *p, const char *head)
{
	char op[256];

	(void)parameter(head, "op", op);
	if (strcmp(op, "GETFILESTATUS") == 0)
		return say_status(p, head);
	if (strcmp(op, "OPEN") == 0 || strcmp(op, "CREATE") == 0 || strcmp(op, "APPEND") == 0)
		return redirect(p, head, op);
	if (strcmp(op, "GETFILEBLOCKLOCATIONS") == 0 || strcmp(op, "GET_BLOCK_LOCATIONS") == 0)
		return say_locations(p);
	if (strcmp(op, "DELETE") == 0) {
		pthread_mutex_lock(&p->fake->mutex);
		p->fake->deletes++;
		pthread_mutex_unlock(&p->fake->mutex);
	}
	if (strcmp(op, "MKDIRS") == 0 || strcmp(op, "DELETE") == 0)
		return say_json(p, 200, "{\"boolean\":true}");
	return say_exception(p, 400, "UnsupportedOperationException", op);
}

/* ---- DataNodes ---- */

/* What the fault does besides. */
static enum fake_fault fault_of(const struct peer *p, size_t *ret_after)
{
	struct fake *f = p->fake;

	pthread_mutex_lock(&f->mutex);
	enum fake_fault fault = f->fault[p->server->number];
	f->exchanges[p->server->number]++;
	*ret_after = f->after;
	if (fault != FAKE_NONE && f->vanish)
		f->there = false;
	if (fault != FAKE_NONE)
		f->len += f->grow;
	pthread_mutex_unlock(&f->mutex);
	return fault;
}

static bool serve_open(const struct peer *p, const char *head)
{
	char offset_text[256], length_text[256];
	size_t offset = strtoul(parameter(head, "offset", offset_text), NULL, 10), after;
	size_t length = strtoul(parameter(head, "length", length_text), NULL, 10);
	enum fake_fault fault = fault_of(p, &after);

	if (fault == FAKE_DENY)
		return say_exception(p, 403, "AccessControlException", "Permission denied");
	length += fault == FAKE_TOO_MUCH;
	size_t send_n = (fault == FAKE_BREAK || fault == FAKE_CUT) && after < length ? after : length;
	uint8_t *bytes = malloc(length + 1);
	assert(bytes != NULL);
	for (size_t i = 0; i < send_n; i++)
		bytes[i] = fake_byte(offset + i);
	(void)(say(p, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		       fault == FAKE_CUT ? send_n : length) &&
		send_all(p, bytes, send_n));
	free(bytes);
	return false;
}

/* A chunk of a body; appended to the file, if it is to be kept. Its length, 0 at the end, SIZE_MAX: the
 * connection is over. */
static size_t take_chunk(struct peer *p, bool keep)
{
	char *line = read_until(p, "\r\n");

	if (line == NULL)
		return SIZE_MAX;
	size_t len = strtoul(line, NULL, 16);
	free(line);
	while (p->n < len + 2)
		if (!read_more(p))
			return SIZE_MAX;
	pthread_mutex_lock(&p->fake->mutex);
	struct fake *f = p->fake;
	f->content = realloc(f->content, f->len + len + 1);
	assert(f->content != NULL);
	if (keep) {
		memcpy(f->content + f->len, p->in, len);
		f->len += len;
	}
	pthread_mutex_unlock(&f->mutex);
	use(p, len + 2);
	return len;
}

/* Nothing more is said, and whatever comes is read: of a connection that is closed with something unread the
 * answer may be lost. */
static void part(struct peer *p)
{
	char rest[4096];

	(void)shutdown(p->fd, SHUT_WR);
	while (recv(p->fd, rest, sizeof(rest), 0) > 0)
		;
}

static bool serve_put(struct peer *p, const char *head, bool append)
{
	size_t after, n, sum = 0;
	enum fake_fault fault = fault_of(p, &after);

	if (fault == FAKE_EXISTS) {
		pthread_mutex_lock(&p->fake->mutex);
		p->fake->there = true;
		pthread_mutex_unlock(&p->fake->mutex);
		(void)say_exception(p, 403, "FileAlreadyExistsException", "/f already exists");
		part(p);
		return false;
	}
	if (strcasestr(head, "Transfer-Encoding: chunked") == NULL)
		return say_exception(p, 400, "IllegalArgumentException", "not in chunks");
	pthread_mutex_lock(&p->fake->mutex);
	if (!append && fault != FAKE_DEAF)
		p->fake->len = 0;
	p->fake->there = true;
	p->fake->modified += fault != FAKE_DEAF;
	pthread_mutex_unlock(&p->fake->mutex);
	while ((n = take_chunk(p, fault != FAKE_DEAF)) > 0) {
		sum += n;
		if (n == SIZE_MAX || (fault == FAKE_BREAK && sum >= after))
			return false;
		if (fault == FAKE_QUOTA && sum >= after) {
			(void)say_exception(
				p, 403, "DSQuotaExceededException", "The quota of /f is exceeded");
			part(p);
			return false;
		}
	}
	if (fault == FAKE_SILENT || fault == FAKE_DEAF)
		return false;
	(void)say(p, "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		append ? "200 OK" : "201 Created");
	return false;
}

static bool serve_datanode(struct peer *p, const char *head)
{
	char op[256];

	(void)parameter(head, "op", op);
	if (strcmp(op, "OPEN") == 0)
		return serve_open(p, head);
	return serve_put(p, head, strcmp(op, "APPEND") == 0);
}

/* ---- Threads ---- */

static void *serve(void *arg)
{
	struct peer *p = arg;
	bool more = true;

	while (more) {
		char *head = read_until(p, "\r\n\r\n");
		if (head == NULL)
			break;
		more = p->server->number < 0 ? serve_namenode(p, head) : serve_datanode(p, head);
		free(head);
	}
	pthread_mutex_lock(&p->fake->mutex);
	(void)close(p->fd);
	p->fake->fds[p->number] = -1;
	pthread_mutex_unlock(&p->fake->mutex);
	free(p->in);
	free(p);
	return NULL;
}

static void begin(struct fake_server *s, int fd)
{
	struct fake *f = s->fake;
	struct peer *p = calloc(1, sizeof(*p));

	assert(p != NULL);
	*p = (struct peer){ .server = s, .fake = f, .fd = fd };
	pthread_mutex_lock(&f->mutex);
	assert(f->n_connections < FAKE_CONNECTIONS);
	p->number = f->n_connections++;
	f->fds[p->number] = fd;
	if (f->ending)
		(void)shutdown(fd, SHUT_RDWR);
	int k = pthread_create(&f->connections[p->number], NULL, serve, p);
	assert(k == 0);
	pthread_mutex_unlock(&f->mutex);
}

static void *accept_all(void *arg)
{
	struct fake_server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0)
		begin(s, fd);
	return NULL;
}

static void listen_at(struct fake_server *s, uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)
	};
	socklen_t len = sizeof(at);
	int one = 1;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(s->listener >= 0);
	(void)setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	int k = bind(s->listener, (struct sockaddr *)&at, sizeof(at));
	assert(k == 0 && listen(s->listener, 64) == 0);
	k = getsockname(s->listener, (struct sockaddr *)&at, &len);
	assert(k == 0);
	s->port = ntohs(at.sin_port);
	k = pthread_create(&s->thread, NULL, accept_all, s);
	assert(k == 0);
	s->threaded = true;
}

static void stop_listening(struct fake_server *s)
{
	if (!s->threaded)
		return;
	(void)shutdown(s->listener, SHUT_RDWR);
	(void)pthread_join(s->thread, NULL);
	(void)close(s->listener);
	s->threaded = false;
}

void fake_init(struct fake *f, size_t len)
{
	*f = (struct fake){ .len = len,
		.there = true,
		.modified = 1,
		.id = 2,
		.block_size = 128 << 10,
		.mutex = PTHREAD_MUTEX_INITIALIZER };
	f->nn = (struct fake_server){ .fake = f, .number = -1 };
	listen_at(&f->nn, 0);
	for (int i = 0; i < FAKE_DATANODES; i++) {
		f->dn[i] = (struct fake_server){ .fake = f, .number = i };
		listen_at(&f->dn[i], 0);
	}
}

void fake_deinit(struct fake *f)
{
	stop_listening(&f->nn);
	for (int i = 0; i < FAKE_DATANODES; i++)
		stop_listening(&f->dn[i]);
	pthread_mutex_lock(&f->mutex);
	f->ending = true;
	for (unsigned i = 0; i < f->n_connections; i++)
		if (f->fds[i] >= 0)
			(void)shutdown(f->fds[i], SHUT_RDWR);
	pthread_mutex_unlock(&f->mutex);
	for (unsigned i = 0; i < f->n_connections; i++)
		(void)pthread_join(f->connections[i], NULL);
	free(f->content);
}

void fake_set(struct fake *f, int datanode, enum fake_fault fault)
{
	pthread_mutex_lock(&f->mutex);
	f->fault[datanode] = fault;
	pthread_mutex_unlock(&f->mutex);
	if (fault == FAKE_REFUSE)
		stop_listening(&f->dn[datanode]);
	else if (!f->dn[datanode].threaded)
		listen_at(&f->dn[datanode], f->dn[datanode].port);
}

void fake_url(const struct fake *f, char ret[64])
{
	(void)snprintf(ret, 64, "webhdfs://127.0.0.1:%u", (unsigned)f->nn.port);
}

void fake_access(const struct fake *f, struct hdfs_access *ret)
{
	*ret = (struct hdfs_access){ 0 };
	for (int i = 0; i < FAKE_DATANODES; i++) {
		char name[32], address[32];

		(void)snprintf(name, sizeof(name), "dn%d.quern.test", i + 1);
		(void)snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)f->dn[i].port);
		int k = hdfs_access_add_host(ret, name, address, NULL);
		assert(k == 0);
	}
}
