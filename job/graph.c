#include "job/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct memory_block {
	struct memory_block *next;
	_Alignas(max_align_t) char data[];
};

void *memory_take(struct memory *m, size_t n)
{
	size_t all;

	if (__builtin_add_overflow(n, sizeof(struct memory_block), &all))
		return NULL;
	struct memory_block *block = calloc(1, all);
	if (block == NULL)
		return NULL;
	block->next = m->blocks;
	m->blocks = block;
	return block->data;
}

void *memory_copy(struct memory *m, const void *data, size_t n)
{
	char *copy = n < SIZE_MAX ? memory_take(m, n + 1) : NULL;

	if (copy != NULL && n > 0)
		memcpy(copy, data, n);
	return copy;
}

char *memory_format(struct memory *m, const char *format, ...)
{
	va_list ap;
	char *text = NULL, *copy;

	va_start(ap, format);
	int n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	copy = memory_copy(m, text, (size_t)n);
	free(text);
	return copy;
}

void memory_deinit(struct memory *m)
{
	struct memory_block *next;

	for (struct memory_block *b = m->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	m->blocks = NULL;
}

void job_init(quern_job *job, const struct code *code, const struct job_runner *runner)
{
	*job = (quern_job){ .code = code,
		.runner = *runner,
		.next_run = 1,
		.next_stage = 1,
		.next_shuffle = 1,
		.next_cache = 1,
		.next_broadcast = 1 };
	job->no_memory = (quern_set){ .job = job, .error = "out of memory" };
}

void job_deinit(quern_job *job)
{
	job_take_totals(job, NULL, 0);
	memory_deinit(&job->memory);
}
