/* vec.h: a typed growable array. `struct { T *at; size_t n, cap; }` is all that the macros need. */
#ifndef QUERN_BASE_VEC_H
#define QUERN_BASE_VEC_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define VEC(type)                                                                                            \
	struct {                                                                                             \
		type *at;                                                                                    \
		size_t n, cap;                                                                               \
	}

/* Makes room for one more element of `size` bytes. 0 or -ENOMEM. Behind vec_push(). */
int vec_grow_(void **at, size_t n, size_t *cap, size_t size);

/* Appends a copy of `value`. 0 or -ENOMEM, and then nothing changed. */
#define vec_push(v, value)                                                                                   \
	({                                                                                                   \
		int r_ = vec_grow_((void **)&(v)->at, (v)->n, &(v)->cap, sizeof(*(v)->at));                  \
		if (r_ == 0)                                                                                 \
			(v)->at[(v)->n++] = (value);                                                         \
		r_;                                                                                          \
	})

/* Removes element i, keeping the order of the others. */
#define vec_remove(v, i)                                                                                     \
	do {                                                                                                 \
		size_t i_ = (i);                                                                             \
		memmove(&(v)->at[i_], &(v)->at[i_ + 1], ((v)->n - i_ - 1) * sizeof(*(v)->at));               \
		(v)->n--;                                                                                    \
	} while (0)

/* Frees the array, not what its elements own, and leaves it empty. */
#define vec_deinit(v)                                                                                        \
	do {                                                                                                 \
		free((v)->at);                                                                               \
		(v)->at = NULL;                                                                              \
		(v)->n = (v)->cap = 0;                                                                       \
	} while (0)

#endif
