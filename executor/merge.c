#include "executor/merge.h"

#include <errno.h>
#include <stdlib.h>

/* The next record of a run, in the tree. */
struct node {
	uint64_t word;
	uint32_t leaf; /* index of its cursor */
};

struct leaf {
	struct cursor cursor;
	bool done;
};

struct merge {
	struct merge_config config;
	struct cursor_room room;
	struct fold fold;
	struct stored *left; /* of the runs, when there are too many: what they became so far */

	/* Of a pass: */
	struct leaf *leaves;
	size_t n;
	struct node *tree; /* losers of the nodes 1 .. n - 1; leaf i is node n + i */
	struct node top;   /* the winner */
	bool given;        /* its record was: another one has to win before there is more to give */
};

struct merge *merge_new(const struct merge_config *config)
{
	struct merge *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->config = *config;
	m->room = (struct cursor_room){ BUF_INIT(BLOCK_RAW_MAX + BLOCK_HEADER), config->keep };
	fold_init(&m->fold, config->reduce);
	return m;
}

/* Ends a pass. */
static void close_runs(struct merge *m)
{
	for (size_t i = 0; i < m->n; i++)
		cursor_deinit(&m->leaves[i].cursor);
	free(m->leaves);
	free(m->tree);
	m->leaves = NULL;
	m->tree = NULL;
	m->n = 0;
}

struct merge *merge_free(struct merge *m)
{
	if (m == NULL)
		return NULL;
	close_runs(m);
	fold_deinit(&m->fold);
	buf_deinit(&m->room.in);
	free(m->left);
	free(m);
	return NULL;
}

/* ---- Runs ---- */

/* Goes to the next record of a leaf; its word. A run that is at its end is behind all others. */
static struct node advance(struct merge *m, uint32_t i)
{
	const struct merge_config *c = &m->config;
	struct leaf *leaf = &m->leaves[i];
	struct cursor *at = &leaf->cursor;

	int r = cursor_next(at, &m->room);
	if (r > 0 && !order_fits(c->order, at->key, at->value))
		r = -EBADMSG;
	if (r > 0)
		return (struct node){ order_word(c->order, order_first(c->order), at->key, at->value), i };
	leaf->done = true;
	if (r < 0)
		c->damaged(c->damaged_arg, at->stored, r);
	return (struct node){ UINT64_MAX, i };
}

/* Of nodes with equal words. */
static bool before_by_rest(const struct merge *m, const struct node *a, const struct node *b)
{
	const struct leaf *x = &m->leaves[a->leaf], *y = &m->leaves[b->leaf];
	const struct order *o = m->config.order;

	if (x->done || y->done)
		return y->done && (!x->done || a->leaf < b->leaf);
	struct order_place place = order_next(o, order_first(o), a->word);
	int c = place.part == ORDER_END ? 0
					: order_compare(o, place, x->cursor.key, x->cursor.value,
						  y->cursor.key, y->cursor.value);
	return c != 0 ? c < 0 : a->leaf < b->leaf;
}

static inline bool before(const struct merge *m, const struct node *a, const struct node *b)
{
	return a->word != b->word ? a->word < b->word : before_by_rest(m, a, b);
}

/* Lets a leaf's new record go up the tree; returns the winner of all. */
static inline struct node replay(struct merge *m, struct node one)
{
	for (size_t i = (m->n + one.leaf) / 2; i > 0; i /= 2) {
		if (before(m, &m->tree[i], &one)) {
			struct node loser = one;

			one = m->tree[i];
			m->tree[i] = loser;
		}
	}
	return one;
}

/* Plays all games below node `i`: leaves the losers there, returns the winner. */
static struct node play(struct merge *m, size_t i)
{
	if (i >= m->n)
		return advance(m, (uint32_t)(i - m->n));
	struct node a = play(m, 2 * i), b = play(m, 2 * i + 1);
	bool first = before(m, &a, &b);

	m->tree[i] = first ? b : a;
	return first ? a : b;
}

/* ---- Passes ---- */

static void open_runs(struct merge *m, const struct stored *runs, size_t n)
{
	if (n == 0)
		return;
	m->leaves = calloc(n, sizeof(*m->leaves));
	m->tree = calloc(n, sizeof(*m->tree));
	if (m->leaves == NULL || m->tree == NULL) {
		flow_fail(m->config.flow, -ENOMEM, false, "out of memory");
		return;
	}
	for (size_t i = 0; i < n; i++)
		cursor_init(&m->leaves[i].cursor, &runs[i]);
	m->n = n;
	m->top = play(m, 1);
	m->given = false;
}

/* Goes to the first record that was not given: what nobody wants is not read. */
static inline const struct cursor *front(struct merge *m)
{
	if (m->n == 0 || m->config.flow->stop)
		return NULL;
	if (m->given)
		m->top = replay(m, advance(m, m->top.leaf));
	m->given = false;
	return m->leaves[m->top.leaf].done || m->config.flow->stop ? NULL : &m->leaves[m->top.leaf].cursor;
}

/* All values of the first key, combined. */
static inline bool next_folded(struct merge *m, const struct cursor *c, struct merge_record *ret)
{
	ret->word = m->top.word;
	fold_begin(&m->fold, m->top.word, c->key, c->value);
	m->given = true;
	while ((c = front(m)) != NULL && fold_same(&m->fold, m->top.word, c->key)) {
		fold_add(&m->fold, c->value);
		m->given = true;
	}
	return fold_end(&m->fold, &ret->key, &ret->value);
}

static inline bool next_of_pass(struct merge *m, struct merge_record *ret)
{
	const struct cursor *c = front(m);

	if (c == NULL)
		return false;
	if (m->config.reduce != NULL)
		return next_folded(m, c, ret);
	*ret = (struct merge_record){ m->top.word, c->key, c->value };
	m->given = true;
	return true;
}

/* Makes one of the `n` runs at `runs`, in the place of the first. */
static bool merge_some(struct merge *m, struct stored *runs, size_t n)
{
	struct spill *spill = m->config.spill;
	struct merge_record record;
	struct stored one;

	spill_begin(spill);
	open_runs(m, runs, n);
	while (next_of_pass(m, &record))
		spill_put(spill, record.key, record.value);
	close_runs(m);
	if (!spill_end_run(spill, &one))
		return false;
	for (size_t i = 0; i < n; i++)
		if (spill_has(spill, &runs[i]))
			scratch_forget(&spill->scratch, runs[i].offset, runs[i].length);
	runs[0] = one;
	return true;
}

/* How many of the runs, from the first on, can be read at a time: two at least. */
static size_t readable(const struct merge *m, const struct stored *runs, size_t n)
{
	uint64_t bytes = 0;
	size_t i = 0;

	for (; i < n; i++) {
		bytes += runs[i].largest + sizeof(struct leaf);
		if (i >= 2 && bytes > m->config.memory)
			break;
	}
	return i;
}

/* Until all that are left can be read at a time. Neighbours become one, so that equal records stay in their
 * order; each in turn, so that none is merged more often than it must. */
static size_t merge_down(struct merge *m, struct stored *runs, size_t n)
{
	size_t i = 0, at_a_time;

	while ((at_a_time = readable(m, runs, n)) < n) {
		size_t some = readable(m, runs + i, n - i);

		if (some > n - at_a_time + 1)
			some = n - at_a_time + 1;
		if (some < 2 || i + some > n) {
			i = 0;
			continue;
		}
		if (!merge_some(m, runs + i, some))
			return 0;
		memmove(runs + i + 1, runs + i + some, (n - i - some) * sizeof(*runs));
		n -= some - 1;
		i++;
	}
	return n;
}

void merge_open(struct merge *m, const struct stored *runs, size_t n)
{
	if (readable(m, runs, n) == n) {
		open_runs(m, runs, n);
		return;
	}
	m->left = malloc(n * sizeof(*m->left));
	if (m->left == NULL) {
		flow_fail(m->config.flow, -ENOMEM, false, "out of memory");
		return;
	}
	memcpy(m->left, runs, n * sizeof(*m->left));
	n = merge_down(m, m->left, n);
	if (m->config.flow->result == 0)
		open_runs(m, m->left, n);
}

bool merge_next(struct merge *m, struct merge_record *ret)
{
	return next_of_pass(m, ret);
}

void merge_run(struct merge *m, const struct stored *runs, size_t n, record_give *give, void *arg)
{
	struct merge_record r;

	merge_open(m, runs, n);
	while (next_of_pass(m, &r))
		give(arg, r.word, r.key, r.value);
}
