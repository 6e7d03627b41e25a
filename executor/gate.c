#include "executor/gate.h"

static void note(struct out_record *at, quern_slice key, quern_slice value)
{
	at->key = key;
	at->value = value;
	at->number++;
}

static void pass(struct quern_out *out, quern_slice key, quern_slice value)
{
	const struct gate *g = (const struct gate *)out;

	note(&g->task->record, key, value);
	g->next->emit(g->next, key, value);
}

/* A jump target for each record and not one for all: so that sources, which have their place in the middle of
 * things, need not be left by a jump. It is set without a system call, and only where bad records may be left
 * out. */
static void pass_or_skip(struct quern_out *out, quern_slice key, quern_slice value)
{
	const struct gate *g = (const struct gate *)out;
	jmp_buf here;
	jmp_buf *const before = out_skip(&here);

	note(&g->task->record, key, value);
	if (_setjmp(here) == 0)
		g->next->emit(g->next, key, value);
	(void)out_skip(before);
}

void gate_init(struct gate *g, struct quern_out *next, struct out_task *task)
{
	*g = (struct gate){ .next = next, .task = task };
	g->in.emit = task->tally->bad_max > 0 ? pass_or_skip : pass;
	task->record.number = 0;
}

void gate_end(struct gate *g)
{
	g->task->record.number = 0;
}
