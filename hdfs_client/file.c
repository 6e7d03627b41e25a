/* A file that is read by who waits. The caller says which pieces are wanted (window.h) and copies out of
 * them; the loop fills them (read.h). A piece's memory belongs to the loop until it is over, but for the
 * bytes below `filled`, which change no more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/pool.h"
#include "hdfs_client/read.h"
#include "hdfs_client/window.h"

/* What belongs to the piece with the same number. */
struct part {
	struct hdfs_file *f;
	struct hdfs_piece *piece;
	struct hdfs_job start;
	uint8_t *data;
	size_t cap;
	struct hdfs_range *range; /* of the loop; NULL: not under way */
	/* Once the piece is over. */
	int result;
	struct err err;
};

struct hdfs_file {
	struct hdfs *fs;
	char *path, *name;
	uint64_t size;
	uint64_t id, modified_ms;  /* as of struct hdfs_status */
	uint64_t look;             /* who reads to here, or beyond, is told whether it is still that file */
	struct hdfs_window window; /* under the mutex: pieces are filled */
	struct part parts[HDFS_PIECES];
	struct hdfs_job cancel;
	bool cancelled; /* under the mutex: `cancel` has run */
};

/* ---- On the loop ---- */

static void on_more(void *arg, size_t n)
{
	struct part *p = arg;
	struct hdfs_thread *t = p->f->fs->thread;

	hdfs_thread_lock(t);
	p->piece->filled += n;
	hdfs_thread_wake(t);
	hdfs_thread_unlock(t);
}

static void on_done(void *arg, int result, const struct err *err)
{
	struct part *p = arg;

	p->range = NULL;
	p->result = result;
	if (result < 0)
		p->err = *err;
	hdfs_thread_finish(p->f->fs->thread, &p->piece->over);
}

static void start_range(void *arg)
{
	struct part *p = arg;
	struct hdfs_file *f = p->f;
	struct err err;
	int k = hdfs_ready(f->fs, &err);
	const struct hdfs_range_options o = { .loop = hdfs_thread_loop(f->fs->thread),
		.path = f->path,
		.name = f->name,
		.size = f->size,
		.offset = p->piece->offset,
		.len = p->piece->len,
		.to = p->data,
		.patience_ms = hdfs_access_of(f->fs)->patience_ms,
		.avoid = &f->fs->avoid,
		.more = on_more,
		.done = on_done,
		.arg = p };

	if (k == 0)
		k = hdfs_range_start(f->fs->fs, &o, &p->range, &err);
	if (k < 0)
		on_done(p, k, &err);
}

static void cancel_ranges(void *arg)
{
	struct hdfs_file *f = arg;

	for (size_t i = 0; i < HDFS_PIECES; i++)
		if (f->parts[i].range != NULL)
			hdfs_range_cancel(f->parts[i].range);
	hdfs_thread_finish(f->fs->thread, &f->cancelled);
}

/* ---- The caller ---- */

/* Ends what is under way, so that all pieces are the caller's. */
static void cancel_all(struct hdfs_file *f)
{
	struct hdfs_thread *t = f->fs->thread;

	f->cancelled = false;
	hdfs_thread_call(t, &f->cancel, &f->cancelled);
	hdfs_thread_lock(t);
	for (size_t i = 0; i < HDFS_PIECES; i++)
		while (f->window.pieces[i].len > 0 && !f->window.pieces[i].over)
			hdfs_thread_wait(t);
	hdfs_thread_unlock(t);
}

static int make_room(struct part *p, size_t len)
{
	if (p->cap >= len)
		return 0;
	free(p->data);
	p->data = malloc(len);
	p->cap = p->data != NULL ? len : 0;
	return p->data != NULL ? 0 : -ENOMEM;
}

/* Makes the window begin at `offset`, if it can; otherwise all that is in it goes. */
static void go_to(struct hdfs_file *f, uint64_t offset)
{
	struct hdfs_thread *t = f->fs->thread;
	bool elsewhere;

	hdfs_thread_lock(t);
	while (!(elsewhere = hdfs_window_misses(&f->window, offset)) && hdfs_window_ends(&f->window, offset))
		hdfs_thread_wait(t);
	hdfs_thread_unlock(t);
	if (elsewhere) {
		cancel_all(f);
		hdfs_window_reset(&f->window);
	}
}

/* Starts what the window wants. The piece that `offset` is in. */
static struct part *ask_for_pieces(struct hdfs_file *f, uint64_t offset)
{
	struct hdfs_thread *t = f->fs->thread;
	struct hdfs_piece *first, *next;

	hdfs_thread_lock(t);
	first = hdfs_window_at(&f->window, offset);
	while ((next = hdfs_window_next(&f->window, offset)) != NULL) {
		struct part *p = &f->parts[next - f->window.pieces];

		first = first != NULL ? first : next;
		hdfs_thread_unlock(t);
		bool room = make_room(p, next->len) == 0;
		if (room)
			hdfs_thread_post(t, &p->start);
		hdfs_thread_lock(t);
		if (!room) {
			p->result = err_set(&p->err, -ENOMEM, "%s: out of memory", f->name);
			next->over = true;
		}
	}
	hdfs_thread_unlock(t);
	return &f->parts[first - f->window.pieces];
}

/* Waits for bytes at `offset`, which is in the piece. How many there are; 0: none will come. */
static size_t wait_for_bytes(struct hdfs_file *f, const struct hdfs_piece *p, uint64_t offset)
{
	struct hdfs_thread *t = f->fs->thread;
	size_t skip = (size_t)(offset - p->offset);

	hdfs_thread_lock(t);
	if (p->filled <= skip && !p->over)
		hdfs_window_waits(&f->window);
	while (p->filled <= skip && !p->over)
		hdfs_thread_wait(t);
	size_t n = p->filled > skip ? p->filled - skip : 0;
	hdfs_thread_unlock(t);
	return n;
}

/* Each range opens whatever has the name at that time. That the name still stands for the same file once the
 * last range was opened says so of all of them. */
static int look_again(struct hdfs_file *f, const struct hdfs_piece *p, struct err *err)
{
	struct hdfs_status s;
	int k = hdfs_stat(f->fs, f->path, &s, err);

	if (k == -ENOENT)
		return err_set(err, -ESTALE, "%s: it was deleted while it was read", f->name);
	if (k < 0)
		return k;
	bool same = f->id != 0 ? s.id == f->id : s.modified_ms == f->modified_ms && s.length == f->size;
	hdfs_status_deinit(&s);
	if (!same)
		return err_set(err, -ESTALE, "%s: it became another file while it was read", f->name);
	f->look = p->offset + p->len + 1;
	return 0;
}

ssize_t hdfs_read(struct hdfs_file *f, void *to, size_t len, uint64_t offset, struct err *err)
{
	if (offset >= f->size || len == 0)
		return 0;
	go_to(f, offset);
	const struct part *p = ask_for_pieces(f, offset);
	size_t n = wait_for_bytes(f, p->piece, offset);
	if (n == 0) {
		if (err != NULL)
			*err = p->err;
		return p->result;
	}
	n = n < len ? n : len;
	int k = offset + n >= f->look ? look_again(f, p->piece, err) : 0;
	if (k < 0)
		return k;
	memcpy(to, p->data + (offset - p->piece->offset), n);
	return (ssize_t)n;
}

static int file_new(struct hdfs *fs, const char *path, struct hdfs_file **ret)
{
	auto_hdfs_file struct hdfs_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -ENOMEM;
	f->fs = fs;
	f->cancel = (struct hdfs_job){ .run = cancel_ranges, .arg = f };
	for (size_t i = 0; i < HDFS_PIECES; i++) {
		f->parts[i].f = f;
		f->parts[i].piece = &f->window.pieces[i];
		f->parts[i].start = (struct hdfs_job){ .run = start_range, .arg = &f->parts[i] };
	}
	f->path = strdup(path);
	if (asprintf(&f->name, "%s%s", fs->base, path) < 0)
		f->name = NULL;
	if (f->path == NULL || f->name == NULL)
		return -ENOMEM;
	*ret = f;
	f = NULL;
	return 0;
}

int hdfs_open(struct hdfs *fs, const char *path, uint64_t from, uint64_t to, struct hdfs_file **ret,
	uint64_t *ret_size, struct err *err)
{
	auto_hdfs_file struct hdfs_file *f = NULL;
	struct hdfs_status s;

	int k = hdfs_stat(fs, path, &s, err);
	if (k < 0)
		return k;
	bool folder = s.kind == HDFS_FOLDER;
	uint64_t size = s.length, id = s.id, modified_ms = s.modified_ms, block_size = s.block_size;
	hdfs_status_deinit(&s);
	if (folder)
		return err_set(err, -EISDIR, "%s%s: a folder, not a file", fs->base, path);
	if (file_new(fs, path, &f) < 0)
		return err_set(err, -ENOMEM, "%s%s: out of memory", fs->base, path);
	f->size = size;
	f->id = id;
	f->modified_ms = modified_ms;
	f->look = to < size ? to : size;
	hdfs_window_init(&f->window, from, to, size, block_size, hdfs_memory_of(fs));
	*ret = f;
	f = NULL;
	if (ret_size != NULL)
		*ret_size = size;
	return 0;
}

struct hdfs_file *hdfs_close(struct hdfs_file *f)
{
	if (f == NULL)
		return NULL;
	cancel_all(f);
	for (size_t i = 0; i < HDFS_PIECES; i++)
		free(f->parts[i].data);
	free(f->path);
	free(f->name);
	free(f);
	return NULL;
}
