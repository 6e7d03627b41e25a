/* master_role.c: roles, and whose turn it is among them. DRFSorter in
 * src/master/allocator/mesos/sorter/drf/sorter.cpp of Apache Mesos, as the allocator uses it for roles, with
 * every weight 1.
 *
 * "eng/web" is a part of "eng": what the two hold counts for "eng" where it competes with "ads", and only
 * within "eng" do they compete with one another. So there is a *node* for each part of a name, with a sorter
 * of what is in it: further nodes, and the role of that very name, which is called "eng/." there. (Mesos
 * makes that last one only where there is something beside it, which gives the same order.) */
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

struct role_node {
	UT_hash_handle hh;
	char *path;
	struct role_node *parent; /* NULL: it is in m->role_sorter */
	struct share share;
	struct sorter children;
};

static struct sorter *sorter_above(struct master *m, struct role_node *n)
{
	return n->parent != NULL ? &n->parent->children : &m->role_sorter;
}

/* ---- Coming and going ---- */

static void tidy_nodes(struct master *m, struct role_node *n)
{
	while (n != NULL && n->children.clients.n == 0) {
		struct role_node *parent = n->parent;

		master_sorter_remove(sorter_above(m, n), &n->share);
		HASH_DEL(m->role_nodes, n);
		master_sorter_deinit(&n->children);
		free(n->path);
		free(n);
		n = parent;
	}
}

/* A new one; its name is the first `len` bytes. NULL: no memory. */
static struct role_node *make_node(struct master *m, struct role_node *parent, const char *name, size_t len)
{
	struct role_node *n = calloc(1, sizeof(*n));

	if (n == NULL || (n->path = strndup(name, len)) == NULL) {
		free(n);
		return NULL;
	}
	n->parent = parent;
	n->share = (struct share){ .name = n->path, .owner = n, .active = true, .below = &n->children };
	HASH_ADD_KEYPTR(hh, m->role_nodes, n->path, len, n);
	if (n->hh.tbl == NULL || master_sorter_add(sorter_above(m, n), &n->share) < 0) {
		if (n->hh.tbl != NULL)
			HASH_DEL(m->role_nodes, n);
		free(n->path);
		free(n);
		return NULL;
	}
	return n;
}

/* That of the whole name, with all above it. NULL: no memory. */
static struct role_node *need_node(struct master *m, const char *name)
{
	struct role_node *parent = NULL, *n = NULL;

	for (size_t len = strcspn(name, "/");; len += 1 + strcspn(name + len + 1, "/")) {
		HASH_FIND(hh, m->role_nodes, name, len, n);
		if (n == NULL && (n = make_node(m, parent, name, len)) == NULL) {
			tidy_nodes(m, parent);
			return NULL;
		}
		if (name[len] == '\0')
			return n;
		parent = n;
	}
}

static struct role *make_role(struct master *m, const char *name)
{
	struct role *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->name = strdup(name)) == NULL) {
		free(r);
		return NULL;
	}
	r->share = (struct share){ .name = ".", .owner = r, .active = true };
	HASH_ADD_KEYPTR(hh, m->roles, r->name, strlen(r->name), r);
	r->node = r->hh.tbl != NULL ? need_node(m, name) : NULL;
	if (r->node != NULL && master_sorter_add(&r->node->children, &r->share) == 0)
		return r;
	tidy_nodes(m, r->node);
	if (r->hh.tbl != NULL)
		HASH_DEL(m->roles, r);
	free(r->name);
	free(r);
	return NULL;
}

struct role *master_need_role(struct master *m, const char *name)
{
	struct role *r;

	HASH_FIND_STR(m->roles, name, r);
	if (r == NULL && (r = make_role(m, name)) == NULL)
		m->oom = true;
	return r;
}

void master_tidy_role(struct master *m, struct role *r)
{
	if (r->members.clients.n > 0)
		return;
	master_sorter_remove(&r->node->children, &r->share);
	tidy_nodes(m, r->node);
	HASH_DEL(m->roles, r);
	master_sorter_deinit(&r->members);
	free(r->name);
	free(r);
}

/* ---- Shares ---- */

void master_role_allocated(struct master *m, struct role *r, const struct quantities *q)
{
	master_sorter_allocated(&r->node->children, &r->share, q, &m->total);
	for (struct role_node *n = r->node; n != NULL; n = n->parent)
		master_sorter_allocated(sorter_above(m, n), &n->share, q, &m->total);
}

void master_role_unallocated(struct master *m, struct role *r, const struct quantities *q)
{
	master_sorter_unallocated(&r->node->children, &r->share, q);
	for (struct role_node *n = r->node; n != NULL; n = n->parent)
		master_sorter_unallocated(sorter_above(m, n), &n->share, q);
}

void master_role_total_changed(struct master *m)
{
	struct role *r, *next;
	struct role_node *n, *next_node;

	m->role_sorter.dirty = true;
	HASH_ITER (hh, m->role_nodes, n, next_node)
		n->children.dirty = true;
	HASH_ITER (hh, m->roles, r, next)
		r->members.dirty = true;
}

static void list(struct master *m, struct sorter *s)
{
	size_t n = master_sorter_sort(s, &m->total);

	for (size_t i = 0; i < n && !m->oom; i++) {
		struct share *c = s->clients.at[i];

		if (c->below != NULL)
			list(m, c->below);
		else if (vec_push(&m->roles_in_turn, c) < 0)
			m->oom = true;
	}
}

size_t master_roles_in_turn(struct master *m)
{
	m->roles_in_turn.n = 0;
	list(m, &m->role_sorter);
	return m->roles_in_turn.n;
}
