/* crowd_job.c: what the frameworks run: stages one after the other, each of which reads what the one before
 * has written; an action that counts. The blocks of the first one's input lie all over the cluster, if
 * anywhere. */
#include <stdio.h>
#include <stdlib.h>

#include "bench/sim/crowd_state.h"

void crowd_host_name(char ret[32], uint32_t agent)
{
	(void)snprintf(ret, 32, "dn%u.quern.test", agent);
}

uint32_t crowd_stage(const struct member *m)
{
	return 1 + m->index * CROWD_STAGES;
}

/* A stage and all that it points at. */
struct made_stage {
	Quern__Stage stage;
	Quern__Source source;
	Quern__Branch branch, *branches[1];
	Quern__ShuffleInput input, *inputs[1];
	Quern__Sink sink;
};

struct made_splits {
	Quern__Split *splits;
	const Quern__Split **list;
	char **hosts, (*names)[32];
};

static void make_stage(const struct crowd_config *c, const struct member *m, uint32_t i, struct made_stage *s)
{
	bool last = i + 1 == c->n_stages;

	quern__stage__init(&s->stage);
	quern__source__init(&s->source);
	quern__branch__init(&s->branch);
	quern__shuffle_input__init(&s->input);
	quern__sink__init(&s->sink);
	s->stage.id = crowd_stage(m) + i;
	s->stage.branches = s->branches;
	s->stage.n_branches = 1;
	s->stage.sink = &s->sink;
	s->branches[0] = &s->branch;
	s->branch.source = &s->source;
	s->branch.has_tasks = 1;
	s->branch.tasks = c->stages[i].tasks;
	s->inputs[0] = &s->input;
	if (i > 0) {
		s->input.shuffle = s->input.seed = crowd_stage(m) + i;
		s->source.shuffles = s->inputs;
		s->source.n_shuffles = 1;
	}
	s->sink.kind = last ? QUERN__SINK__KIND__COUNT : QUERN__SINK__KIND__SHUFFLE;
	if (last)
		return;
	s->sink.has_shuffle = s->sink.has_partitions = 1;
	s->sink.shuffle = crowd_stage(m) + i + 1;
	s->sink.partitions = c->stages[i + 1].tasks;
}

/* The blocks' replicas are on so many agents each. */
static void place_data(struct sim *sim, struct member *m, char (*names)[32])
{
	const struct crowd_config *c = sim->config;
	uint32_t size = (c->agents + c->frameworks - 1) / c->frameworks;

	m->near = sim_alloc((size_t)c->stages[0].tasks * c->agents);
	for (uint32_t i = 0; i < c->stages[0].tasks; i++) {
		bool in = false;

		for (uint32_t k = 0; k < c->replicas;) {
			uint32_t a = (uint32_t)sim_below(sim, c->agents);

			if (m->near[(size_t)i * c->agents + a] != 0)
				continue;
			m->near[(size_t)i * c->agents + a] = 1;
			crowd_host_name(names[(size_t)i * c->replicas + k++], a);
			in = in || a / size == m->index;
		}
		m->in_partition += in;
	}
}

static void make_splits(struct sim *sim, struct member *m, struct made_splits *p)
{
	uint32_t n = sim->config->stages[0].tasks, replicas = sim->config->replicas;

	p->splits = sim_alloc(n * sizeof(*p->splits));
	p->list = sim_alloc(n * sizeof(*p->list));
	p->hosts = sim_alloc((size_t)n * replicas * sizeof(*p->hosts));
	p->names = sim_alloc((size_t)n * replicas * sizeof(*p->names));
	if (replicas > 0)
		place_data(sim, m, p->names);
	for (uint32_t i = 0; i < n; i++) {
		quern__split__init(&p->splits[i]);
		p->splits[i].n_hosts = replicas;
		p->splits[i].hosts = &p->hosts[(size_t)i * replicas];
		for (uint32_t k = 0; k < replicas; k++)
			p->splits[i].hosts[k] = p->names[(size_t)i * replicas + k];
		p->list[i] = &p->splits[i];
	}
}

/* What the first one's tasks take, of which none runs yet. */
static void weigh(struct sim *sim, struct member *m, const struct sched_event *ev)
{
	bool alone = m->index == 0 && !sim->weigh;
	int64_t before = sim->bytes;

	sim->weigh = sim->weigh || alone;
	crowd_member_step(sim, m, *ev);
	if (!alone)
		return;
	sim->weigh = false;
	if (sim->bytes > before)
		sim->report->bytes_per_task = (uint64_t)(sim->bytes - before) / m->tasks;
}

void crowd_job_submit(struct sim *sim, struct member *m)
{
	const struct crowd_config *c = sim->config;
	struct made_stage *made = sim_alloc(c->n_stages * sizeof(*made));
	struct made_splits splits;
	Quern__Stage *stages[CROWD_STAGES];
	const Quern__Split *const *lists[CROWD_STAGES] = { 0 };
	size_t n_splits[CROWD_STAGES] = { c->stages[0].tasks };
	Quern__Run run = QUERN__RUN__INIT;

	make_splits(sim, m, &splits);
	lists[0] = splits.list;
	for (uint32_t i = 0; i < c->n_stages; i++) {
		make_stage(c, m, i, &made[i]);
		stages[i] = &made[i].stage;
		m->tasks += c->stages[i].tasks;
	}
	run.id = 1;
	run.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t) "id", .len = 2 };
	run.n_stages = c->n_stages;
	run.stages = stages;
	m->submitted = m->launched = sim->time.now;
	weigh(sim, m,
		&(struct sched_event){ .kind = SCHED_EV_RUN,
			.u.run = { .run = &run, .splits = lists, .n_splits = n_splits } });
	free(splits.names);
	free(splits.hosts);
	free(splits.list);
	free(splits.splits);
	free(made);
}
