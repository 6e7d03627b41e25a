#include "executor/give.h"

/* As gate.c has it: a jump target for this record alone, so that the step is not left in the middle of
 * things. */
static void emit_or_skip(struct quern_out *next, quern_slice key, quern_slice value)
{
	jmp_buf here;
	jmp_buf *const before = out_skip(&here);

	if (_setjmp(here) == 0)
		next->emit(next, key, value);
	(void)out_skip(before);
}

void give_record(struct flow *flow, const char *from, uint64_t number, struct quern_out *next,
	quern_slice key, quern_slice value)
{
	struct out_task *const task = flow->task;

	if (task == NULL) {
		next->emit(next, key, value);
		return;
	}
	const struct out_record before = task->record;
	task->record = (struct out_record){ .from = from, .number = number, .key = key, .value = value };
	if (task->tally != NULL && task->tally->bad_max > 0)
		emit_or_skip(next, key, value);
	else
		next->emit(next, key, value);
	task->record = before;
}
