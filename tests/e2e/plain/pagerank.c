/* pagerank.c: what examples/pagerank.c computes, by a plain loop. Pages are numbers below N.
 *
 *     pagerank N ROUNDS <LINKS: prints the rank of each page that occurs, "PAGE<TAB>RANK" */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	size_t n = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, links = 0, room = 0, a, b;
	long rounds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	double *rank = calloc(n, sizeof(*rank)), *given = calloc(n, sizeof(*given));
	size_t *degree = calloc(n, sizeof(*degree)), *from = NULL, *to = NULL;
	char *there = calloc(n, 1);

	if (n == 0 || rank == NULL || given == NULL || degree == NULL || there == NULL)
		return 1;
	while (scanf("%zu %zu", &a, &b) == 2) {
		if (a >= n || b >= n)
			return 1;
		if (links == room) {
			room = 2 * room + 1024;
			from = realloc(from, room * sizeof(*from));
			to = realloc(to, room * sizeof(*to));
			if (from == NULL || to == NULL)
				return 1;
		}
		from[links] = a;
		to[links++] = b;
		there[a] = there[b] = 1;
		degree[a]++;
	}
	for (size_t i = 0; i < n; i++)
		rank[i] = 1;
	for (long round = 0; round < rounds; round++) {
		for (size_t i = 0; i < n; i++)
			given[i] = 0;
		for (size_t i = 0; i < links; i++)
			given[to[i]] += rank[from[i]] / (double)degree[from[i]];
		for (size_t i = 0; i < n; i++)
			rank[i] = 0.15 + 0.85 * given[i];
	}
	for (size_t i = 0; i < n; i++)
		if (there[i])
			(void)printf("%zu\t%.17g\n", i, rank[i]);
	return 0;
}
