/* job_ps.c: `quern ps`: the jobs of a cluster. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/fs_text.h"
#include "cli/jobs_command.h"

enum { COLUMNS = 9, CELL = 32, KEY_JSON = 'j' };

static const struct argp_option own[] = {
	{ .name = "all", .key = 'a', .doc = "those that are over as well" },
	{ .name = "quiet", .key = 'q', .doc = "ids alone" },
	{ .name = "json", .key = KEY_JSON, .doc = "everything that is known, as JSON" },
	{ 0 },
};

static const struct jobs_usage usage = { .own = own,
	.args = "",
	.doc = "Lists the jobs that run on a cluster, detached ones and others, the latest first.\v"
	       "STATE: running; away (its driver is not connected, and the master waits for it); done, "
	       "failed, "
	       "interrupted; killed (taken down, or its driver was lost). CORES and MEMORY are what it holds "
	       "now. DRIVER is where its driver runs; (detached): the cluster hosts it.\n\n"
	       "A master forgets the oldest jobs that are over (its --max_completed_frameworks), and all of "
	       "them when it fails over." };

/* ---- The table ---- */

/* One job as texts. */
struct row {
	const char *cells[COLUMNS];
	char started[FS_TIME_TEXT], cpus[CELL], mem[CELL], host[512];
};

static void fill(struct row *r, const struct job *j)
{
	fs_time_text(j->started_ms, false, r->started);
	(void)snprintf(r->cpus, sizeof(r->cpus), "%g", (double)j->cpus_milli / 1000);
	(void)snprintf(r->mem, sizeof(r->mem), "%lldm", (long long)(j->mem_milli / 1000));
	(void)snprintf(r->host, sizeof(r->host), "%.400s%s", j->host, j->agent != NULL ? " (detached)" : "");
	const char *cells[COLUMNS] = { j->id, j->name, j->mode, j->user, job_state_name(j->state), r->started,
		job_is_over(j) ? "-" : r->cpus, job_is_over(j) ? "-" : r->mem, r->host };
	memcpy(r->cells, cells, sizeof(cells));
}

/* Names are others': what a terminal might obey is escaped, whatever stdout is, so that a line stays one. */
static int print_row(const char *const *cells, int *widths, bool print)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		auto_free char *text = fs_escape(cells[i][0] != '\0' ? cells[i] : "-");

		if (text == NULL)
			return -ENOMEM;
		if (print)
			(void)printf("%-*s%s", i + 1 < COLUMNS ? widths[i] : 0, text,
				i + 1 < COLUMNS ? "  " : "\n");
		else
			widths[i] = fs_wider(widths[i], text);
	}
	return 0;
}

static int print_table(const job_list *jobs, bool all)
{
	static const char *const head[COLUMNS] = { "ID", "NAME", "MODE", "USER", "STATE", "STARTED", "CORES",
		"MEMORY", "DRIVER" };
	int widths[COLUMNS] = { 0 };
	int r = 0;

	for (int print = 0; r == 0 && print < 2; print++) {
		r = print_row(head, widths, print != 0);
		for (size_t i = 0; r == 0 && i < jobs->n; i++) {
			struct row row;

			if (!all && job_is_over(&jobs->at[i]))
				continue;
			fill(&row, &jobs->at[i]);
			r = print_row(row.cells, widths, print != 0);
		}
	}
	return r;
}

/* ---- JSON ---- */

static json_t *text_of(const char *text)
{
	json_t *s = text != NULL ? json_string(text) : json_null();

	return s != NULL ? s : json_string("?"); /* not UTF-8 */
}

static json_t *number_of(uint64_t n)
{
	return n > 0 ? json_integer((json_int_t)n) : json_null();
}

static json_t *job_json(const struct job *j)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:f, s:f, s:o, s:b, s:o, s:o}", "id",
		text_of(j->id), "name", text_of(j->name), "mode", text_of(j->mode), "user", text_of(j->user),
		"state", job_state_name(j->state), "status",
		job_is_over(j) && j->state != JOB_KILLED ? json_integer(j->status) : json_null(),
		"started_ms", number_of(j->started_ms), "ended_ms", number_of(j->ended_ms), "cores",
		(double)j->cpus_milli / 1000, "memory_mb", (double)j->mem_milli / 1000, "driver_host",
		text_of(j->host), "detached", j->agent != NULL, "agent", text_of(j->agent), "sandbox",
		text_of(j->sandbox));
}

static int print_json(const job_list *jobs, bool all)
{
	json_t *list = json_array();
	int r = list != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < jobs->n; i++)
		if ((all || !job_is_over(&jobs->at[i])) &&
			json_array_append_new(list, job_json(&jobs->at[i])) < 0)
			r = -ENOMEM;
	auto_free char *text = r == 0 ? json_dumps(list, JSON_INDENT(2)) : NULL;
	json_decref(list);
	if (text == NULL)
		return -ENOMEM;
	(void)puts(text);
	return 0;
}

static int print_ids(const job_list *jobs, bool all)
{
	for (size_t i = 0; i < jobs->n; i++)
		if (all || !job_is_over(&jobs->at[i]))
			(void)puts(jobs->at[i].id);
	return 0;
}

static int run(const struct jobs_command *c)
{
	struct jobs_answer a = { 0 };
	struct err err = { "" };

	int r = jobs_ask(c, &a, &err);
	if (r < 0)
		return jobs_fail(c, r, &err);
	r = c->given['q']        ? print_ids(&a.jobs, c->given['a'])
	    : c->given[KEY_JSON] ? print_json(&a.jobs, c->given['a'])
				 : print_table(&a.jobs, c->given['a']);
	jobs_answer_deinit(&a);
	if (r < 0)
		return jobs_fail(c, err_set(&err, r, "out of memory"), &err);
	return fflush(stdout) == 0 ? 0 : jobs_fail(c, err_errno(&err, -errno, "stdout"), &err);
}

int command_ps(int argc, char **argv)
{
	struct jobs_command c;

	int status = jobs_command_init(&c, argc, argv, &usage);
	if (status == 0)
		status = run(&c);
	jobs_command_deinit(&c);
	return status;
}
