/* auto.h: cleanup by attribute. A header that declares x_free() also says AUTO_FREE(x, x_free), and users
 * write `auto_x struct x *p = NULL;`. x_free() takes NULL and half-built objects. */
#ifndef QUERN_BASE_AUTO_H
#define QUERN_BASE_AUTO_H

#include <stdlib.h>
#include <unistd.h>

#define AUTO_CLEANUP(function) __attribute__((cleanup(function)))

/* Declares the cleanup function of `auto_<name>` for the type `type *`, freed by `release`. */
#define AUTO_FREE(name, type, release)                                                                       \
	static inline void auto_##name##_cleanup_(type **p)                                                  \
	{                                                                                                    \
		release(*p);                                                                                 \
	}

static inline void auto_free_cleanup_(void *p)
{
	free(*(void **)p);
}

static inline void auto_close_cleanup_(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define auto_free  AUTO_CLEANUP(auto_free_cleanup_)  /* of a pointer from malloc */
#define auto_close AUTO_CLEANUP(auto_close_cleanup_) /* of a descriptor, -1 = none */

#endif
