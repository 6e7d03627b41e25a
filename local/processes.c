#include "local/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_PIECE = 32 << 10, STAT_PIECE = 1024 };

/* A decimal number, and what is behind it; -1 if there is none. */
static long number(const char **at)
{
	long n = 0;
	const char *p = *at;

	while (*p == ' ')
		p++;
	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9' && n < INT32_MAX; p++)
		n = n * 10 + (*p - '0');
	*at = p;
	return n;
}

/* Reads parent and session of /proc/NAME/stat: "PID (NAME) STATE PPID PGRP SESSION ...", proc(5). */
static bool read_stat(int proc, const char *name, pid_t *ret_parent, pid_t *ret_session)
{
	char text[STAT_PIECE], path[32];
	size_t len = strlen(name);

	if (len + sizeof("/stat") > sizeof(path))
		return false;
	memcpy(path, name, len);
	memcpy(path + len, "/stat", sizeof("/stat"));
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* it went in the meantime */
	ssize_t n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *p = strrchr(text, ')'); /* the name may hold anything, ')' too */
	if (p == NULL || strlen(p) < 4)
		return false;
	p += 3; /* ") S" */
	long parent = number(&p), group = number(&p), session = number(&p);
	*ret_parent = (pid_t)parent;
	*ret_session = (pid_t)session;
	return parent >= 0 && group >= 0 && session >= 0;
}

int processes_children(pid_t parent, void (*each)(void *arg, pid_t pid, pid_t session), void *arg)
{
	_Alignas(struct dirent64) char names[NAMES_PIECE];
	int found = 0;
	ssize_t n;

	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return -errno;
	while ((n = getdents64(proc, names, sizeof(names))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(const void *)(names + at);
			const char *name = e->d_name;
			pid_t its_parent, session;

			at += e->d_reclen;
			long pid = number(&name);
			if (pid <= 0 || *name != '\0' || !read_stat(proc, e->d_name, &its_parent, &session) ||
				its_parent != parent)
				continue;
			found++;
			each(arg, (pid_t)pid, session);
		}
	}
	int r = n < 0 ? -errno : found;
	(void)close(proc);
	return r;
}
