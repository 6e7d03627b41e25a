/* offload_test.c: work off the loop: its order, its end, and what is cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "scheduler/offload.h"

enum { PIECES = 200 };

struct bench {
	struct event_base *loop;
	struct offload *o;
	pthread_t owner;
	unsigned works, dones; /* works: written by the thread, read once it is done */
	unsigned cancelled;
	pthread_mutex_t gate; /* held: pieces that wait for it wait */
};

struct piece {
	struct bench *b;
	unsigned number;
	bool done, ran, gated;
	struct piece *then; /* given by `done` */
};

static void work(void *arg)
{
	struct piece *p = arg;

	assert_false(pthread_equal(pthread_self(), p->b->owner));
	if (p->gated) {
		(void)pthread_mutex_lock(&p->b->gate);
		(void)pthread_mutex_unlock(&p->b->gate);
	}
	assert_int_equal(p->number, p->b->works);
	p->b->works++;
}

static void give(struct piece *p);

static void done(void *arg, bool ran)
{
	struct piece *p = arg;
	struct bench *b = p->b;

	assert_true(pthread_equal(pthread_self(), b->owner));
	assert_false(p->done);
	assert_int_equal(p->number, b->dones);
	p->done = true;
	p->ran = ran;
	b->dones++;
	b->cancelled += !ran;
	if (p->then != NULL)
		give(p->then);
	if (offload_idle(b->o))
		(void)event_base_loopbreak(b->loop);
}

static void give(struct piece *p)
{
	assert_int_equal(offload_run(p->b->o, work, done, p), 0);
	assert_false(p->done); /* not from inside */
}

static void begin(struct bench *b)
{
	struct err err = { "" };

	*b = (struct bench){ .loop = event_base_new(), .owner = pthread_self() };
	assert_non_null(b->loop);
	assert_int_equal(pthread_mutex_init(&b->gate, NULL), 0);
	if (offload_new(b->loop, &b->o, &err) < 0)
		fail_msg("%s", err.text);
}

static void end(struct bench *b)
{
	b->o = offload_free(b->o);
	event_base_free(b->loop);
	(void)pthread_mutex_destroy(&b->gate);
}

static void pieces_are_done_in_their_order(void **state)
{
	struct bench b;
	struct piece p[PIECES];

	(void)state;
	begin(&b);
	assert_true(offload_idle(b.o));
	for (unsigned i = 0; i < PIECES; i++) {
		p[i] = (struct piece){ .b = &b, .number = i };
		give(&p[i]);
	}
	assert_false(offload_idle(b.o));
	(void)event_base_dispatch(b.loop);
	assert_int_equal(b.works, PIECES);
	assert_int_equal(b.dones, PIECES);
	assert_int_equal(b.cancelled, 0);
	end(&b);
	assert_int_equal(b.dones, PIECES);
}

static void a_done_may_give_more(void **state)
{
	struct bench b;
	struct piece second = { .b = &b, .number = 1 };
	struct piece first = { .b = &b, .then = &second };

	(void)state;
	begin(&b);
	give(&first);
	(void)event_base_dispatch(b.loop);
	assert_true(second.ran);
	end(&b);
}

/* The first has begun, perhaps; the others have not, as it waits. */
static void what_is_cancelled_never_begins(void **state)
{
	struct bench b;
	struct piece p[PIECES];

	(void)state;
	begin(&b);
	(void)pthread_mutex_lock(&b.gate);
	for (unsigned i = 0; i < PIECES; i++) {
		p[i] = (struct piece){ .b = &b, .number = i, .gated = true };
		give(&p[i]);
	}
	offload_cancel(b.o);
	assert_int_equal(b.dones, 0);
	(void)pthread_mutex_unlock(&b.gate);
	(void)event_base_dispatch(b.loop);
	assert_int_equal(b.dones, PIECES);
	assert_true(b.works <= 1);
	assert_int_equal(b.cancelled, PIECES - b.works);
	for (unsigned i = b.works; i < PIECES; i++)
		assert_false(p[i].ran);
	end(&b);
}

/* At whatever point it is freed each piece has its end, once, and the thread none of them afterwards. */
static void freeing_ends_every_piece(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 50; n++) {
		struct bench b;
		struct piece p[50];

		begin(&b);
		for (unsigned i = 0; i < n; i++) {
			p[i] = (struct piece){ .b = &b, .number = i };
			give(&p[i]);
			if (n % 3 == 0)
				(void)event_base_loop(b.loop, EVLOOP_NONBLOCK);
		}
		end(&b);
		assert_int_equal(b.dones, n);
		assert_int_equal(b.works, n - b.cancelled);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(p[i].ran, i < b.works);
	}
}

static void what_is_given_at_the_very_end_is_cancelled(void **state)
{
	struct bench b;
	struct piece second = { .b = &b, .number = 1 };
	struct piece first = { .b = &b, .then = &second };

	(void)state;
	begin(&b);
	give(&first);
	end(&b);
	assert_true(first.done);
	assert_true(second.done);
	assert_false(second.ran);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_done_in_their_order),
		cmocka_unit_test(a_done_may_give_more),
		cmocka_unit_test(what_is_cancelled_never_begins),
		cmocka_unit_test(freeing_ends_every_piece),
		cmocka_unit_test(what_is_given_at_the_very_end_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
