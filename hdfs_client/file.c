/* A file that is read by who waits. The caller says which pieces are wanted (window.h) and takes their bytes;
 * the loop asks for them (read.h) and puts what comes (bytes.h), until so much waits that it is held back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/bytes.h"
#include "hdfs_client/pool.h"
#include "hdfs_client/read.h"
#include "hdfs_client/window.h"

/* A reader who wants much is woken for no less, unless it takes longer than a moment: threads that take turns
 * for every packet are slower than both. */
enum { MUCH = 512 << 10 };

/* What belongs to the piece with the same number. */
struct part {
	struct hdfs_file *f;
	struct hdfs_piece *piece;
	struct hdfs_job start, resume;
	struct hdfs_range *range; /* of the loop; NULL: not under way */
	/* Under the mutex. */
	struct hdfs_bytes bytes;
	bool paused;   /* too many bytes wait */
	bool resuming; /* `resume` is posted */
	/* Once the piece is over. */
	int result;
	struct err err;
};

struct hdfs_file {
	struct hdfs *fs;
	char *path, *name;
	uint64_t size;
	uint64_t id, modified_ms; /* as of struct hdfs_status */
	uint64_t look;            /* who reads to here, or beyond, is told whether it is still that file */
	bool begun;               /* the window is there */
	struct part parts[HDFS_PIECES];
	struct hdfs_job cancel;
	/* Under the mutex. */
	struct hdfs_window window;
	struct hdfs_chunks chunks;
	size_t waiting; /* bytes, of all parts */
	bool cancelled; /* `cancel` has run */
};

/* ---- On the loop ---- */

/* `n` bytes more wait. Whether there may be more of them. */
static bool put(struct part *p, size_t n)
{
	struct hdfs_file *f = p->f;
	size_t before;

	hdfs_thread_lock(f->fs->thread);
	(void)hdfs_bytes_peek(&p->bytes, &before);
	hdfs_bytes_put(&p->bytes, n);
	p->piece->filled += n;
	f->waiting += n;
	/* One that has everything ends by itself: who takes its last byte waits for that. */
	p->paused = p->piece->filled < p->piece->len && f->waiting >= hdfs_window_room(&f->window, p->piece);
	bool more = !p->paused;
	if (before == 0 || before + n >= MUCH || p->piece->filled == p->piece->len)
		hdfs_thread_wake(f->fs->thread);
	hdfs_thread_unlock(f->fs->thread);
	return more;
}

static int on_bytes(void *arg, const void *data, size_t len)
{
	struct part *p = arg;
	struct hdfs_thread *t = p->f->fs->thread;
	const uint8_t *from = data;
	bool more = true;

	while (len > 0) {
		size_t n;

		hdfs_thread_lock(t);
		uint8_t *to = hdfs_bytes_room(&p->bytes, &p->f->chunks, &n);
		hdfs_thread_unlock(t);
		if (to == NULL)
			return -ENOMEM;
		n = n < len ? n : len;
		memcpy(to, from, n);
		more = put(p, n);
		from += n;
		len -= n;
	}
	if (!more)
		hdfs_range_pause(p->range);
	return 0;
}

static void resume_range(void *arg)
{
	struct part *p = arg;
	struct hdfs_thread *t = p->f->fs->thread;

	hdfs_thread_lock(t);
	p->resuming = p->paused = false;
	hdfs_thread_unlock(t);
	if (p->range != NULL)
		hdfs_range_resume(p->range);
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
	const struct hdfs_range_options o = { .path = f->path,
		.name = f->name,
		.size = f->size,
		.offset = p->piece->offset,
		.len = p->piece->len,
		.patience_ms = hdfs_access_of(f->fs)->patience_ms,
		.avoid = &f->fs->avoid,
		.bytes = on_bytes,
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

static struct part *part_of(struct hdfs_file *f, const struct hdfs_piece *piece)
{
	return piece != NULL ? &f->parts[piece - f->window.pieces] : NULL;
}

/* Ends what is under way, and the loop knows nothing of the file any more. */
static void cancel_all(struct hdfs_file *f)
{
	struct hdfs_thread *t = f->fs->thread;

	f->cancelled = false;
	hdfs_thread_call(t, &f->cancel, &f->cancelled);
	hdfs_thread_lock(t);
	for (size_t i = 0; i < HDFS_PIECES; i++) {
		while (f->parts[i].piece->len > 0 && !f->parts[i].piece->over)
			hdfs_thread_wait(t);
		hdfs_bytes_clear(&f->parts[i].bytes, &f->chunks);
		f->parts[i].paused = false;
	}
	f->waiting = 0;
	hdfs_thread_unlock(t);
}

/* Under the mutex: whether a part that was held back is to go on: not at once for every byte, but always when
 * the reader has nothing else. */
static bool may_resume(struct hdfs_file *f, const struct part *p)
{
	size_t n;

	if (!p->paused || p->resuming || p->piece->over)
		return false;
	(void)hdfs_bytes_peek(&p->bytes, &n);
	return (n == 0 && p->piece == hdfs_window_first(&f->window)) ||
	       f->waiting <= hdfs_window_room(&f->window, p->piece) / 4 * 3;
}

/* Under the mutex: the job to post for one, or NULL. */
static struct hdfs_job *next_to_resume(struct hdfs_file *f)
{
	for (size_t i = 0; i < HDFS_PIECES; i++) {
		if (may_resume(f, &f->parts[i])) {
			f->parts[i].resuming = true;
			return &f->parts[i].resume;
		}
	}
	return NULL;
}

static void resume_all(struct hdfs_file *f)
{
	struct hdfs_thread *t = f->fs->thread;
	struct hdfs_job *job;

	do {
		hdfs_thread_lock(t);
		job = next_to_resume(f);
		hdfs_thread_unlock(t);
		if (job != NULL)
			hdfs_thread_post(t, job);
	} while (job != NULL);
}

/* Starts what the window wants. The piece that the reader is in. */
static struct part *ask_for_pieces(struct hdfs_file *f)
{
	struct hdfs_thread *t = f->fs->thread;
	struct hdfs_piece *next;

	do {
		hdfs_thread_lock(t);
		next = hdfs_window_next(&f->window);
		hdfs_thread_unlock(t);
		if (next != NULL)
			hdfs_thread_post(t, &part_of(f, next)->start);
	} while (next != NULL);
	return part_of(f, hdfs_window_first(&f->window));
}

/* Waits for bytes of the first piece, and a moment for `len` of them. How many there are, and where; 0: none
 * will come. */
static size_t wait_for_bytes(struct hdfs_file *f, const struct part *p, size_t len, const uint8_t **ret)
{
	struct hdfs_thread *t = f->fs->thread;
	size_t n;

	hdfs_thread_lock(t);
	*ret = hdfs_bytes_peek(&p->bytes, &n);
	bool waited = n == 0 && !p->piece->over;
	if (waited)
		hdfs_window_waits(&f->window);
	while (n == 0 && !p->piece->over) {
		hdfs_thread_wait(t);
		*ret = hdfs_bytes_peek(&p->bytes, &n);
	}
	if (waited && n < len && n < MUCH && !p->piece->over && p->piece->filled < p->piece->len) {
		hdfs_thread_wait_little(t);
		*ret = hdfs_bytes_peek(&p->bytes, &n);
	}
	hdfs_thread_unlock(t);
	return n;
}

/* The reader is through with `n` bytes. */
static void take(struct hdfs_file *f, struct part *p, size_t n)
{
	struct hdfs_thread *t = f->fs->thread;

	hdfs_thread_lock(t);
	hdfs_bytes_take(&p->bytes, &f->chunks, n);
	f->waiting -= n;
	if (hdfs_window_take(&f->window, n)) {
		while (!p->piece->over) /* as it will be soon: all has come */
			hdfs_thread_wait(t);
		hdfs_bytes_clear(&p->bytes, &f->chunks);
		p->paused = false;
		hdfs_window_drop(&f->window);
	}
	hdfs_thread_unlock(t);
	resume_all(f);
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

/* Bytes at the place where the reader is, into `to`; NULL: they are passed over. */
static ssize_t read_next(struct hdfs_file *f, void *to, size_t len, struct err *err)
{
	struct part *p = ask_for_pieces(f);
	const uint8_t *from;
	size_t n = wait_for_bytes(f, p, len, &from);

	if (n == 0) {
		if (err != NULL)
			*err = p->err;
		return p->result;
	}
	n = n < len ? n : len;
	int k = f->window.at + n >= f->look ? look_again(f, p->piece, err) : 0;
	if (k < 0)
		return k;
	if (to != NULL)
		memcpy(to, from, n);
	take(f, p, n);
	return (ssize_t)n;
}

ssize_t hdfs_read(struct hdfs_file *f, void *to, size_t len, uint64_t offset, struct err *err)
{
	if (offset >= f->size || len == 0)
		return 0;
	if (hdfs_window_misses(&f->window, offset)) {
		cancel_all(f);
		hdfs_window_begin(&f->window, offset);
	}
	while (f->window.at < offset) {
		ssize_t n = read_next(f, NULL, (size_t)(offset - f->window.at), err);
		if (n < 0)
			return n;
	}
	return read_next(f, to, len, err);
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
		f->parts[i].resume = (struct hdfs_job){ .run = resume_range, .arg = &f->parts[i] };
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
	f->begun = true;
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
	if (f->begun)
		cancel_all(f);
	hdfs_chunks_deinit(&f->chunks);
	free(f->path);
	free(f->name);
	free(f);
	return NULL;
}
