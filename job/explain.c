/* explain.c: for instance
 *
 *     run 1: save_text(out)
 *       stage 1 (4 tasks): text 'in.txt' -> shuffle 1 of 4 partitions, combined by quern_sum_u64
 *         flat_map words
 *       stage 2 (4 tasks): shuffle 1, reduced by quern_sum_u64 -> text 'out' as key<TAB>u64
 */
#include "job/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

static const char *name_of(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);

	return v != NULL ? v->name : "?";
}

/* A name in small letters. */
static int put_lower(struct buf *out, const char *name)
{
	int r = 0;

	for (; *name != '\0' && r == 0; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
		r = buf_add(out, &c, 1);
	}
	return r;
}

/* Words of the job's: nothing in them begins a line or moves the cursor. */
static int put_text(struct buf *out, const char *text)
{
	int r = 0;

	for (; *text != '\0' && r == 0; text++) {
		unsigned char c = (unsigned char)*text;
		r = c < 0x20 || c == 0x7f ? buf_add_fmt(out, "\\x%02x", c) : buf_add(out, text, 1);
	}
	return r;
}

static int put_quoted(struct buf *out, const char *text)
{
	int r = buf_add_str(out, "'");

	if (r == 0)
		r = put_text(out, text);
	return r < 0 ? r : buf_add_str(out, "'");
}

static int put_function(struct buf *out, const Quern__Function *f)
{
	int r = f->builtin != NULL ? put_text(out, f->builtin)
		: f->name != NULL  ? put_text(out, f->name)
				   : buf_add_fmt(out, "job+0x%" PRIx64, f->offset);

	if (r == 0 && f->has_arg)
		r = buf_add_fmt(out, " (argument of %zu bytes)", f->arg.len);
	return r;
}

static int put_type(struct buf *out, Quern__ValueType type, const char *bytes)
{
	return type == QUERN__VALUE_TYPE__BYTES
		       ? buf_add_str(out, bytes)
		       : put_lower(out, name_of(&quern__value_type__descriptor, (int)type));
}

static int put_order(struct buf *out, const Quern__Order *o, const char *how)
{
	int r = buf_add_str(out, how);

	if (r == 0 && o->tagged)
		r = buf_add_str(out, o->loose ? "tag" : "tag, then ");
	if (r < 0 || o->loose)
		return r;
	r = o->compare != NULL ? put_function(out, o->compare)
	    : o->value_first   ? put_type(out, o->value, "value")
			       : put_type(out, o->key, "key");
	if (r == 0 && o->by_value)
		r = buf_add_str(out, ", then ");
	if (r == 0 && o->by_value)
		r = o->value_first ? put_type(out, o->key, "key") : put_type(out, o->value, "value");
	return r == 0 && o->descending ? buf_add_str(out, ", descending") : r;
}

static int put_input(struct buf *out, const Quern__ShuffleInput *s)
{
	int r = buf_add_fmt(out, "shuffle %" PRIu32, s->shuffle);

	if (r == 0 && s->order != NULL)
		r = put_order(out, s->order, ", in the order of ");
	if (r == 0 && s->reduce != NULL) {
		r = buf_add_str(out, ", reduced by ");
		if (r == 0)
			r = put_function(out, s->reduce);
	}
	return r;
}

static int put_group(struct buf *out, const Quern__Group *g)
{
	int r = put_lower(out, name_of(&quern__group__kind__descriptor, (int)g->kind));

	if (r == 0 && g->function != NULL)
		r = buf_add_str(out, " by ");
	if (r == 0 && g->function != NULL)
		r = put_function(out, g->function);
	return r < 0 ? r : buf_add_str(out, " of ");
}

static int put_source(struct buf *out, const Quern__Source *s)
{
	int r = s->n_text > 0 ? buf_add_str(out, "text") : 0;

	for (size_t i = 0; i < s->n_text && r == 0; i++) {
		r = buf_add_str(out, i > 0 ? ", " : " ");
		if (r == 0)
			r = put_quoted(out, s->text[i]);
	}
	if (r == 0 && s->group != NULL)
		r = put_group(out, s->group);
	for (size_t i = 0; i < s->n_shuffles && r == 0; i++) {
		r = i > 0 ? buf_add_str(out, " and ") : 0;
		if (r == 0)
			r = put_input(out, s->shuffles[i]);
	}
	return r;
}

static int put_shuffle(struct buf *out, const Quern__Sink *s)
{
	int r = buf_add_fmt(out, "shuffle %" PRIu32, s->shuffle);

	if (r == 0 && s->has_partitions && s->partitions != 0)
		r = buf_add_fmt(
			out, " of %" PRIu32 " partition%s", s->partitions, s->partitions == 1 ? "" : "s");
	if (r == 0 && s->order != NULL)
		r = put_order(out, s->order, ", sorted by ");
	if (r == 0 && s->combine != NULL) {
		r = buf_add_str(out, ", combined by ");
		if (r == 0)
			r = put_function(out, s->combine);
	}
	return r;
}

static int put_text_sink(struct buf *out, const Quern__Sink *s)
{
	int r = buf_add_str(out, "text ");

	if (r == 0)
		r = put_quoted(out, s->path != NULL ? s->path : "");
	if (r == 0)
		r = buf_add_str(out, " as ");
	if (r == 0 && s->has_key) {
		r = put_type(out, s->key_type, "key");
		if (r == 0)
			r = buf_add_str(out, "<TAB>");
	}
	if (r == 0)
		r = put_type(out, s->value_type, "value");
	if (r < 0 || s->codec == QUERN__CODEC__PLAIN)
		return r;
	r = buf_add_str(out, ", ");
	return r < 0 ? r : put_lower(out, name_of(&quern__codec__descriptor, (int)s->codec));
}

static int put_sink(struct buf *out, const Quern__Sink *s)
{
	switch (s->kind) {
	case QUERN__SINK__KIND__SHUFFLE:
		return put_shuffle(out, s);
	case QUERN__SINK__KIND__TEXT:
		return put_text_sink(out, s);
	case QUERN__SINK__KIND__COLLECT:
		if (s->order != NULL) {
			int r = buf_add_fmt(out, "collect the first %" PRIu64, s->limit);
			return r < 0 ? r : put_order(out, s->order, " by ");
		}
		if (s->combine != NULL) {
			int r = buf_add_str(out, "collect, combined by ");
			return r < 0 ? r : put_function(out, s->combine);
		}
		if (s->has_limit && s->limit != 0)
			return buf_add_fmt(out, "collect, at most %" PRIu64 " records a task", s->limit);
		return buf_add_str(out, "collect");
	case QUERN__SINK__KIND__COUNT:
	default:
		return put_lower(out, name_of(&quern__sink__kind__descriptor, (int)s->kind));
	}
}

static int put_cache(struct buf *out, const Quern__Cache *c)
{
	return buf_add_fmt(out, "    cache %" PRIu32 "%s\n", c->id, c->compressed ? " (compressed)" : "");
}

static int put_sampling(struct buf *out, const Quern__Sampling *s)
{
	return s == NULL ? 0
			 : buf_add_fmt(out, " %g%s, seed %" PRIu64, s->fraction,
				   s->with_replacement ? " with replacement" : "", s->seed);
}

static int put_tag(struct buf *out, const Quern__Step *s)
{
	int r = buf_add_fmt(out, " %" PRIu32 " partition%s ", s->partitions, s->partitions == 1 ? "" : "s");

	return r < 0 ? r : put_lower(out, name_of(&quern__step__divide__descriptor, (int)s->divide));
}

static int put_step(struct buf *out, const Quern__Step *s)
{
	if (s->cache != NULL)
		return put_cache(out, s->cache);
	int r = buf_add_str(out, "    ");
	if (r == 0)
		r = put_lower(out, name_of(&quern__step__kind__descriptor, (int)s->kind));
	if (r == 0 && s->kind == QUERN__STEP__KIND__SAMPLE)
		r = put_sampling(out, s->sampling);
	if (r == 0 && s->kind == QUERN__STEP__KIND__TAG)
		r = put_tag(out, s);
	if (r == 0 && s->function != NULL) {
		r = buf_add_str(out, s->pairs ? " (key, value) " : " ");
		if (r == 0)
			r = put_function(out, s->function);
	}
	return r < 0 ? r : buf_add_str(out, "\n");
}

static int put_steps(struct buf *out, const Quern__Branch *branch)
{
	int r = 0;

	for (size_t i = 0; i < branch->n_steps && r == 0; i++)
		r = put_step(out, branch->steps[i]);
	return r;
}

/* Of several branches each has a line of its own, above its steps. */
static int put_branches(struct buf *out, const Quern__Stage *s)
{
	int r = 0;

	for (size_t i = 0; i < s->n_branches && r == 0; i++) {
		r = buf_add_str(out, "    from ");
		if (r == 0)
			r = put_source(out, s->branches[i]->source);
		if (r == 0)
			r = buf_add_str(out, "\n");
		if (r == 0)
			r = put_steps(out, s->branches[i]);
	}
	return r;
}

static int put_tasks(struct buf *out, const Quern__Stage *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n_branches; i++) {
		if (!s->branches[i]->has_tasks)
			return 0;
		n += s->branches[i]->tasks;
	}
	return buf_add_fmt(out, " (%" PRIu64 " task%s)", n, n == 1 ? "" : "s");
}

static int put_stage(struct buf *out, const Quern__Stage *s)
{
	int r = buf_add_fmt(out, "  stage %" PRIu32, s->id);
	bool one = s->n_branches == 1;

	if (r == 0)
		r = put_tasks(out, s);
	if (r == 0)
		r = buf_add_str(out, ": ");
	if (r == 0)
		r = one ? put_source(out, s->branches[0]->source)
			: buf_add_fmt(out, "union of %zu", s->n_branches);
	if (r == 0)
		r = buf_add_str(out, " -> ");
	if (r == 0)
		r = put_sink(out, s->sink);
	if (r == 0)
		r = buf_add_str(out, "\n");
	if (r == 0)
		r = one ? put_steps(out, s->branches[0]) : put_branches(out, s);
	return r;
}

static int put_run(struct buf *out, const Quern__Run *run)
{
	int r = buf_add_fmt(out, "run %" PRIu32, run->id);

	if (r == 0 && run->name != NULL) {
		r = buf_add_str(out, ": ");
		if (r == 0)
			r = put_text(out, run->name);
	}
	if (r == 0 && run->has_first_partition)
		r = buf_add_fmt(out, ", partitions %" PRIu32 " to %" PRIu64, run->first_partition,
			(uint64_t)run->first_partition + run->partition_count - 1);
	return r < 0 ? r : buf_add_str(out, "\n");
}

int explain_run(const Quern__Run *run, struct buf *out)
{
	int r = put_run(out, run);

	for (size_t i = 0; i < run->n_stages && r == 0; i++)
		r = put_stage(out, run->stages[i]);
	return r;
}
