#include "executor/strays.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TREE_DESCRIPTORS = 16 };

/* The parent in /proc/PID/stat: the second field after the name, which ends with the last ")" (proc(5)). */
static pid_t parent_of(const char *pid)
{
	char path[64], line[512];

	(void)snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return -1;
	size_t n = fread(line, 1, sizeof(line) - 1, f);
	(void)fclose(f);
	line[n] = '\0';
	const char *end = strrchr(line, ')');
	return end != NULL && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : -1;
}

static bool is_in(pid_t pid, const pid_t *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == pid)
			return true;
	return false;
}

size_t strays_kill(const pid_t *keep, size_t n_keep)
{
	DIR *proc = opendir("/proc");
	const pid_t self = getpid();
	size_t n = 0;

	if (proc == NULL)
		return 0;
	for (const struct dirent *e; (e = readdir(proc)) != NULL;) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid <= 0 || parent_of(e->d_name) != self || is_in(pid, keep, n_keep))
			continue;
		if (kill(pid, SIGKILL) == 0)
			n++;
	}
	(void)closedir(proc);
	return n;
}

void strays_end(unsigned ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (unsigned i = 0; i <= ms; i++) {
		pid_t pid;

		if (i % 16 == 0) /* those that have fallen to us since */
			(void)strays_kill(NULL, 0);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			(void)strays_kill(NULL, 0);
		if (pid < 0 && errno == ECHILD)
			return;
		(void)nanosleep(&pause, NULL);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

void tree_remove(const char *path)
{
	(void)nftw(path, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
