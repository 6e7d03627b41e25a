/* set_source.c: where records come from. */
#include "job/set.h"

quern_set *quern_text(quern_job *job, const char *path)
{
	if (path == NULL || *path == '\0')
		return set_wrong(job, path == NULL ? "quern_text(): the path is NULL: is an argument missing?"
						   : "quern_text(): the path is empty");
	quern_set *set = set_new(job);
	if (set->error != NULL)
		return set;
	set->kind = SET_SOURCE;
	set->source = memory_take(&job->memory, sizeof(*set->source));
	if (set->source == NULL)
		return &job->no_memory;
	quern__source__init(set->source);
	set->source->text = memory_take(&job->memory, sizeof(*set->source->text));
	if (set->source->text == NULL)
		return &job->no_memory;
	set->source->n_text = 1;
	set->source->text[0] = memory_copy(&job->memory, path, strlen(path));
	return set->source->text[0] != NULL ? set : &job->no_memory;
}
