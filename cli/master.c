#include "cli/master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "mesos/detector.h"

enum { MESOS_MASTER_PORT = 5050 }; /* --port of mesos-master */

static uint32_t cores_here(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (uint32_t)n;
}

static int parse_local(const char *text, struct master_url *ret, struct err *err)
{
	unsigned agents = 1, cores = 0;
	int end = -1;

	if (strcmp(text, "local") == 0) {
		cores = 1;
		end = (int)strlen(text);
	} else if (strcmp(text, "local[*]") == 0) {
		cores = cores_here();
		end = (int)strlen(text);
	} else if (sscanf(text, "local[%6ux%6u]%n", &agents, &cores, &end) != 2 || end < 0) {
		end = -1;
		agents = 1;
		(void)sscanf(text, "local[%6u]%n", &cores, &end);
	}
	if (end < 0 || text[end] != '\0' || agents < 1 || agents > MASTER_AGENTS_MAX || cores < 1 ||
		cores > MASTER_CORES_MAX)
		return err_set(err, -EINVAL,
			"--master '%s': write local[N], local[AxN] (A agents of N cores) or local[*]", text);
	ret->local = true;
	ret->agents = agents;
	ret->cores = cores;
	return 0;
}

/* "host:port", "host", "[v6]:port" with a port that is one. */
static int check_endpoint(const char *text, char **ret, struct err *err)
{
	const char *bracket = strrchr(text, ']');
	const char *colon = strrchr(bracket != NULL ? bracket : text, ':');
	size_t host = colon != NULL ? (size_t)(colon - text) : strlen(text);
	unsigned port = MESOS_MASTER_PORT;
	int end = -1;

	if (colon != NULL &&
		(sscanf(colon, ":%5u%n", &port, &end) != 1 || colon[end] != '\0' || port < 1 || port > 65535))
		host = 0;
	if (host == 0 || strcspn(text, "/ @?#\\") < strlen(text) ||
		(bracket == NULL && memchr(text, ':', host) != NULL))
		return err_set(err, -EINVAL, "'%s' is no HOST:PORT", text);
	if (asprintf(ret, "%.*s:%u", (int)host, text, port) < 0) {
		*ret = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int parse_hosts(const char *text, struct master_url *ret, struct err *err)
{
	auto_free char *copy = strdup(text);
	size_t n = 0;

	if (copy == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *rest = copy, *one; (one = strsep(&rest, ",")) != NULL; n++) {
		if (n == MASTER_ENDPOINTS_MAX)
			return err_set(err, -EINVAL, "--master: more than %d masters", MASTER_ENDPOINTS_MAX);
		int r = check_endpoint(one, &ret->endpoints[n], err);
		if (r < 0)
			return err_prefix(err, r, "--master");
	}
	return 0;
}

static int parse_zk(const char *text, struct master_url *ret, struct err *err)
{
	int r = zk_url_parse(text, &ret->zk, err);

	if (r == 0 && !detector_here())
		r = err_set(err, -EINVAL,
			"%s: this quern was built without ZooKeeper: name the masters, "
			"HOST:PORT[,HOST:PORT...]",
			ret->zk.shown);
	if (r == 0 && (ret->shown = strdup(ret->zk.shown)) == NULL)
		r = err_set(err, -ENOMEM, "out of memory");
	return r < 0 ? err_prefix(err, r, "--master") : 0;
}

static int parse_cluster(const char *text, struct master_url *ret, struct err *err)
{
	if (strncmp(text, "mesos://", 8) == 0)
		text += 8;
	if (zk_url_is(text))
		return parse_zk(text, ret, err);
	int r = parse_hosts(text, ret, err);
	if (r == 0 && (ret->shown = strdup(text)) == NULL)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

/* A file keeps a password from the command line; Mesos' own programs read one as well, often /etc/mesos/zk.
 */
static int parse_file(const char *path, struct master_url *ret, struct err *err)
{
	char line[ZK_URL_MAX + 1] = "";

	FILE *f = fopen(path, "re");
	if (f == NULL)
		return err_errno(err, -errno, "--master: '%s'", path);
	bool read = fgets(line, sizeof(line), f) != NULL;
	(void)fclose(f);
	line[strcspn(line, "\r\n")] = '\0';
	int r = read && line[0] != '\0' ? parse_cluster(line, ret, err)
					: err_set(err, -EINVAL, "--master: '%s' has no first line", path);
	explicit_bzero(line, sizeof(line));
	return r;
}

int master_parse(const char *text, struct master_url *ret, struct err *err)
{
	int r;

	*ret = (struct master_url){ 0 };
	if (strncmp(text, "local", 5) == 0 && (text[5] == '\0' || text[5] == '['))
		r = parse_local(text, ret, err);
	else if (strncmp(text, "file://", 7) == 0)
		r = parse_file(text + 7, ret, err);
	else
		r = parse_cluster(text, ret, err);
	if (r < 0)
		master_deinit(ret);
	return r;
}

void master_deinit(struct master_url *m)
{
	for (size_t i = 0; i <= MASTER_ENDPOINTS_MAX; i++) {
		free(m->endpoints[i]);
		m->endpoints[i] = NULL;
	}
	zk_url_deinit(&m->zk);
	free(m->shown);
	m->shown = NULL;
}
