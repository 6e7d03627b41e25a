#include "executor/gate.h"

/* Gates may stand behind one another: what the task is at goes back to what it was. */
static const struct out_record *enter(struct gate *g, quern_slice key, quern_slice value)
{
	const struct out_record *before = g->task->record;

	g->record.key = key;
	g->record.value = value;
	g->record.number++;
	g->task->record = &g->record;
	return before;
}

static void pass_on(struct quern_out *out, quern_slice key, quern_slice value)
{
	const struct gate *g = (const struct gate *)out;

	g->next->emit(g->next, key, value);
}

static void pass(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct gate *g = (struct gate *)out;
	const struct out_record *before = enter(g, key, value);

	g->next->emit(g->next, key, value);
	g->task->record = before;
}

/* A jump target for each record and not one for all: so that sources, which have their place in the middle of
 * things, need not be left by a jump. It is set without a system call, and only where bad records may be left
 * out. */
static void pass_or_skip(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct gate *g = (struct gate *)out;
	const struct out_record *const before = enter(g, key, value);
	jmp_buf here;
	jmp_buf *const skip = out_skip(&here);

	if (_setjmp(here) == 0)
		g->next->emit(g->next, key, value);
	(void)out_skip(skip);
	g->task->record = before;
}

/* The same without a note of the record. */
static void pass_alone(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct gate *g = (struct gate *)out;
	const struct out_record *const before = g->task->record;
	jmp_buf here;
	jmp_buf *const skip = out_skip(&here);

	if (_setjmp(here) == 0)
		g->next->emit(g->next, key, value);
	(void)out_skip(skip);
	g->task->record = before;
}

static bool may_skip(const struct out_task *task)
{
	return task->tally != NULL && task->tally->bad_max > 0;
}

bool gate_behind(struct gate *g, struct quern_out *next, struct out_task *task)
{
	if (task == NULL || !may_skip(task))
		return false;
	*g = (struct gate){ .in = { pass_alone }, .next = next, .task = task };
	return true;
}

void gate_init(struct gate *g, struct quern_out *next, struct out_task *task)
{
	*g = (struct gate){ .next = next, .task = task };
	g->in.emit = task == NULL ? pass_on : may_skip(task) ? pass_or_skip : pass;
}

void gate_call(struct gate *g, quern_slice key, quern_slice value, void (*call)(void *arg), void *arg)
{
	if (g->task == NULL) {
		call(arg);
		return;
	}
	const struct out_record *const before = enter(g, key, value);
	jmp_buf here;
	jmp_buf *const skip = may_skip(g->task) ? out_skip(&here) : NULL;

	if (!may_skip(g->task) || _setjmp(here) == 0)
		call(arg);
	if (may_skip(g->task))
		(void)out_skip(skip);
	g->task->record = before;
}
