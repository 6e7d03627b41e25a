/* What ZooKeeper says to a detector: a byte for each event, and for those that need more a length and as many
 * bytes: names of nodes, one a line, or the content of one. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/detector_core.h"

enum { NAMES_MAX = 16 };

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

/* A copy with a NUL behind it. */
static char *piece(struct input *in, size_t *len)
{
	*len = byte(in) | (size_t)byte(in) << 8;
	if (*len > in->left)
		*len = in->left;
	char *copy = malloc(*len + 1);
	assert(copy != NULL);
	memcpy(copy, in->at, *len);
	copy[*len] = '\0';
	in->at += *len;
	in->left -= *len;
	return copy;
}

static void check(const struct detector_core *c, struct detector_plan p, bool over)
{
	assert(!over || (p.ask == DETECTOR_ASK_NOTHING && p.tell == DETECTOR_TELL_NOTHING));
	assert(p.tell != DETECTOR_TELL_LEADS || c->endpoint[0] != '\0');
	assert(p.tell != DETECTOR_TELL_NONE || (c->endpoint[0] == '\0' && c->why[0] != '\0'));
	assert(p.tell != DETECTOR_TELL_FAILED || c->over);
	assert(p.ask != DETECTOR_ASK_READ || strncmp(c->node, "json.info_", 10) == 0);
	assert(p.ask == DETECTOR_ASK_NOTHING || p.ask == DETECTOR_ASK_OPEN || c->busy);
	assert(strcspn(c->endpoint, "/@ \r\n") == strlen(c->endpoint));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct detector_core core;
	uint64_t now = 0;

	detector_core_init(&core, "/mesos", "h:2181", now);
	while (in.left > 0) {
		uint8_t b = byte(&in);
		struct detector_event ev = { .kind = b % (DETECTOR_EV_TICK + 1), .text = "why" };
		const char *names[NAMES_MAX];
		bool over = core.over;
		size_t len = 0;
		char *text = piece(&in, &len);

		ev.result = b >= 200 ? b / 10 % (DETECTOR_FAILED + 1) : DETECTOR_OK;
		ev.now_ms = now += (uint64_t)b * 100;
		ev.data = text;
		ev.len = len;
		struct detector_event listed = ev;
		if (ev.kind == DETECTOR_EV_LISTED) {
			char *rest = text;

			for (char *one; listed.n_names < NAMES_MAX && (one = strsep(&rest, "\n")) != NULL;)
				names[listed.n_names++] = one;
			listed.names = names;
		}
		check(&core, detector_core_step(&core, &listed), over);
		assert(!core.over || detector_core_next_ms(&core) == UINT64_MAX);
		free(text);
	}
	return 0;
}
