/* shipped.h: a file that travels with the job to every executor (--files). */
#ifndef QUERN_SCHEDULER_SHIPPED_H
#define QUERN_SCHEDULER_SHIPPED_H

#include <stdbool.h>

struct shipped {
	char *path; /* absolute, on the driver's machine */
	char *name; /* there: a file's name, without slashes */
	bool executable;
};

#endif
