/* pagerank.c: the ranks of pages by a plain loop: what those of others are compared with.
 *
 *     plain-pagerank LINKS N
 *
 * LINKS has lines "FROM<TAB>TO", pages are numbers. Every page has the rank 1; in each of N iterations it
 * divides that among the links it has, and gets 0.15 and 0.85 times what the pages that link to it give. What
 * pages without links have goes nowhere. Prints "page<TAB>rank" for each page of LINKS. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct link {
	uint32_t from, to;
};

struct graph {
	struct link *links;
	size_t n, room;
	uint32_t pages; /* the largest number and 1 */
};

static void *need(void *memory)
{
	if (memory == NULL) {
		perror("plain-pagerank");
		exit(1);
	}
	return memory;
}

static void add(struct graph *g, uint32_t from, uint32_t to)
{
	uint32_t larger = from > to ? from : to;

	if (g->n == g->room) {
		g->room = g->room > 0 ? 2 * g->room : 1 << 16;
		g->links = need(realloc(g->links, g->room * sizeof(*g->links)));
	}
	g->links[g->n++] = (struct link){ from, to };
	if (larger >= g->pages)
		g->pages = larger + 1;
}

static void rank(const struct graph *g, long n)
{
	double *ranks = need(calloc(g->pages + 1u, sizeof(*ranks))),
	       *sums = need(calloc(g->pages + 1u, sizeof(*sums)));
	uint32_t *out = need(calloc(g->pages + 1u, sizeof(*out)));
	bool *is_page = need(calloc(g->pages + 1u, sizeof(*is_page)));

	for (size_t i = 0; i < g->n; i++) {
		out[g->links[i].from]++;
		is_page[g->links[i].from] = is_page[g->links[i].to] = true;
	}
	for (uint32_t p = 0; p < g->pages; p++)
		ranks[p] = 1;
	for (; n > 0; n--) {
		for (size_t i = 0; i < g->n; i++)
			sums[g->links[i].to] += ranks[g->links[i].from] / out[g->links[i].from];
		for (uint32_t p = 0; p < g->pages; p++) {
			ranks[p] = 0.15 + 0.85 * sums[p];
			sums[p] = 0;
		}
	}
	for (uint32_t p = 0; p < g->pages; p++) {
		if (is_page[p])
			(void)printf("%" PRIu32 "\t%.17g\n", p, ranks[p]);
	}
	free(ranks);
	free(sums);
	free(out);
	free(is_page);
}

int main(int argc, char **argv)
{
	struct graph g = { 0 };
	uint32_t from, to;

	if (argc != 3) {
		(void)fputs("Usage: plain-pagerank LINKS N\n", stderr);
		return 2;
	}
	FILE *in = need(fopen(argv[1], "re"));
	while (fscanf(in, "%" SCNu32 "%" SCNu32, &from, &to) == 2)
		add(&g, from, to);
	(void)fclose(in);
	rank(&g, strtol(argv[2], NULL, 10));
	free(g.links);
	return fflush(stdout) != 0;
}
