#include "base/status.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void status_words(int status, char *ret, size_t size)
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status)), *words = sigdescr_np(WTERMSIG(status));

		if (name != NULL)
			(void)snprintf(ret, size, "was killed by SIG%s (%s)", name, words);
		else
			(void)snprintf(ret, size, "was killed by signal %d", WTERMSIG(status));
	} else {
		(void)snprintf(ret, size, "exited with status %d", WEXITSTATUS(status));
	}
}
