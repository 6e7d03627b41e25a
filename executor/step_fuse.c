/* step_fuse.c: the step that makes one key of key and value (FUSE), so that whole records are compared where
 * keys are. The length of the key plus one as a varint, 0 for none; the key; the value. */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "executor/stateful.h"
#include "job/records.h"

struct fuse_step {
	struct stateful base;
	struct quern_out *next;
	struct flow *flow;
	struct buf key;
};

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct fuse_step *f = (struct fuse_step *)out;
	uint8_t head[VARINT_MAX];
	size_t n = varint_put(head, key.ptr == NULL ? 0 : (uint64_t)key.len + 1);

	buf_clear(&f->key);
	if (buf_add(&f->key, head, n) < 0 || buf_add(&f->key, key.ptr, key.len) < 0 ||
		buf_add(&f->key, value.ptr, value.len) < 0)
		flow_fail(f->flow, -ENOMEM, false, "out of memory for a record of %zu bytes",
			key.len + value.len);
	else
		f->next->emit(f->next, quern_bytes(f->key.data, f->key.len), quern_bytes(NULL, 0));
}

static struct stateful *fuse_free(struct stateful *s)
{
	struct fuse_step *f = (struct fuse_step *)s;

	buf_deinit(&f->key);
	free(f);
	return NULL;
}

int step_fuse_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	struct fuse_step *f = calloc(1, sizeof(*f));

	(void)step;
	if (f == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	f->base = (struct stateful){ .in = { take }, .free = fuse_free };
	f->next = next;
	f->flow = env->flow;
	f->key = BUF_INIT(SIZE_MAX / 2);
	*ret = &f->base;
	return 0;
}
