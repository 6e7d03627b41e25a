#include "job/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

struct symbol {
	uint64_t at;
	char *name;
};

struct symbols {
	VEC(struct symbol) list; /* by `at` */
};

static int by_place(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static int add(struct symbols *s, const GElf_Sym *symbol, const char *name)
{
	if (name == NULL || *name == '\0' || GELF_ST_TYPE(symbol->st_info) != STT_FUNC ||
		symbol->st_shndx == SHN_UNDEF)
		return 0;
	char *copy = strdup(name);
	if (copy == NULL)
		return -ENOMEM;
	int r = vec_push(&s->list, ((struct symbol){ symbol->st_value, copy }));
	if (r < 0)
		free(copy);
	return r;
}

static int read_table(struct symbols *s, Elf *elf, Elf_Scn *section, const GElf_Shdr *head)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;
	int r = 0;

	for (int i = 0; r == 0 && data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++)
		r = add(s, &symbol, elf_strptr(elf, head->sh_link, symbol.st_name));
	return r;
}

/* What is dynamic is in both tables: a name more does no harm. */
static int read_tables(struct symbols *s, Elf *elf)
{
	int r = 0;

	for (Elf_Scn *section = NULL; r == 0 && (section = elf_nextscn(elf, section)) != NULL;) {
		GElf_Shdr head;

		if (gelf_getshdr(section, &head) != NULL &&
			(head.sh_type == SHT_SYMTAB || head.sh_type == SHT_DYNSYM))
			r = read_table(s, elf, section, &head);
	}
	if (s->list.n > 0)
		qsort(s->list.at, s->list.n, sizeof(s->list.at[0]), by_place);
	return r;
}

int symbols_load(const char *path, struct symbols **ret)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	auto_symbols struct symbols *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf == NULL)
		return -ENOEXEC;
	int r = elf_kind(elf) == ELF_K_ELF ? read_tables(s, elf) : -ENOEXEC;
	(void)elf_end(elf);
	if (r < 0)
		return r;
	*ret = s, s = NULL;
	return 0;
}

const char *symbols_find(const struct symbols *s, uint64_t offset)
{
	const struct symbol key = { .at = offset };

	if (s->list.n == 0)
		return NULL;
	const struct symbol *found = bsearch(&key, s->list.at, s->list.n, sizeof(s->list.at[0]), by_place);
	return found != NULL ? found->name : NULL;
}

static int name_function(const struct symbols *s, Quern__Function *f)
{
	const char *name = f->has_offset && f->name == NULL ? symbols_find(s, f->offset) : NULL;

	if (name == NULL)
		return 0;
	f->name = strdup(name);
	return f->name != NULL ? 0 : -ENOMEM;
}

/* The messages that a field holds. */
static int name_field(
	const struct symbols *s, ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	char *at = (char *)message + field->offset;
	int r = 0;

	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		ProtobufCMessage *one = *(ProtobufCMessage **)(void *)at;
		return one != NULL ? symbols_name(s, one) : 0;
	}
	size_t n = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
	ProtobufCMessage **list = *(ProtobufCMessage ***)(void *)at;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = symbols_name(s, list[i]);
	return r;
}

int symbols_name(const struct symbols *s, ProtobufCMessage *message)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	int r = 0;

	if (type == &quern__function__descriptor)
		return name_function(s, (Quern__Function *)message);
	for (unsigned i = 0; r == 0 && i < type->n_fields; i++)
		if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
			r = name_field(s, message, &type->fields[i]);
	return r;
}

struct symbols *symbols_free(struct symbols *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < s->list.n; i++)
		free(s->list.at[i].name);
	vec_deinit(&s->list);
	free(s);
	return NULL;
}
