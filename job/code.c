#include "job/code.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "job/builtin.h"

enum { TEXT_SEGMENTS_MAX = 8 }; /* executable segments of an object; linkers make one or two */

struct text_segment {
	uint64_t offset, size; /* from the load base */
};

struct code {
	void *handle;
	uintptr_t base;
	struct text_segment text[TEXT_SEGMENTS_MAX];
	size_t n_text;
	uint8_t build_id[CODE_BUILD_ID_MAX];
	size_t build_id_len;
};

AUTO_FREE(code, struct code, code_free)
#define auto_code AUTO_CLEANUP(auto_code_cleanup_)

static const struct {
	const char *name;
	code_fn *fn;
	enum code_role role;
	enum reduction reduction;
} builtins[] = {
	{ "quern_sum_u64", (code_fn *)quern_sum_u64, ROLE_REDUCE, REDUCE_SUM_U64 },
	{ "quern_min_u64", (code_fn *)quern_min_u64, ROLE_REDUCE, REDUCE_MIN_U64 },
	{ "quern_max_u64", (code_fn *)quern_max_u64, ROLE_REDUCE, REDUCE_MAX_U64 },
	{ "quern_sum_i64", (code_fn *)quern_sum_i64, ROLE_REDUCE, REDUCE_SUM_I64 },
	{ "quern_min_i64", (code_fn *)quern_min_i64, ROLE_REDUCE, REDUCE_MIN_I64 },
	{ "quern_max_i64", (code_fn *)quern_max_i64, ROLE_REDUCE, REDUCE_MAX_I64 },
	{ "quern_sum_double", (code_fn *)quern_sum_double, ROLE_REDUCE, REDUCE_SUM_DOUBLE },
	{ "quern_min_double", (code_fn *)quern_min_double, ROLE_REDUCE, REDUCE_MIN_DOUBLE },
	{ "quern_max_double", (code_fn *)quern_max_double, ROLE_REDUCE, REDUCE_MAX_DOUBLE },
	{ "quern_keep_first", (code_fn *)quern_keep_first, ROLE_REDUCE, REDUCE_CALL },
	{ "quern_stats_merge", (code_fn *)quern_stats_merge, ROLE_REDUCE, REDUCE_CALL },
	{ "quern_stats_u64", (code_fn *)quern_stats_u64, ROLE_FOLD, REDUCE_CALL },
	{ "quern_stats_i64", (code_fn *)quern_stats_i64, ROLE_FOLD, REDUCE_CALL },
	{ "quern_stats_double", (code_fn *)quern_stats_double, ROLE_FOLD, REDUCE_CALL },
	{ "quern_count_one", (code_fn *)quern_count_one, ROLE_FOLD, REDUCE_CALL },
	{ "quern_count_value", (code_fn *)quern_count_value, ROLE_MAP, REDUCE_CALL },
};
enum { BUILTINS = sizeof(builtins) / sizeof(builtins[0]) };

/* ---- Loading ---- */

/* Looks for NT_GNU_BUILD_ID in a note segment in memory. */
static void find_build_id(struct code *code, const uint8_t *p, size_t len)
{
	while (len >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;

		memcpy(&note, p, sizeof(note));
		size_t name = sizeof(note), desc = name + (((size_t)note.n_namesz + 3) & ~(size_t)3);
		size_t next = desc + (((size_t)note.n_descsz + 3) & ~(size_t)3);
		if (next > len)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(p + name, "GNU", 4) == 0 &&
			note.n_descsz > 0 && note.n_descsz <= CODE_BUILD_ID_MAX) {
			memcpy(code->build_id, p + desc, note.n_descsz);
			code->build_id_len = note.n_descsz;
			return;
		}
		p += next;
		len -= next;
	}
}

struct look {
	struct code *code;
	const struct link_map *map;
	bool found;
};

static int look_at_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct look *look = arg;
	struct code *code = look->code;

	(void)size;
	/* The base alone may be 0 for several; the dynamic section is an object's own. */
	const ElfW(Phdr) *dynamic = NULL;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = &info->dlpi_phdr[i];
	if (dynamic == NULL || info->dlpi_addr + dynamic->p_vaddr != (uintptr_t)look->map->l_ld)
		return 0;

	code->base = info->dlpi_addr;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0 && code->n_text < TEXT_SEGMENTS_MAX)
			code->text[code->n_text++] =
				(struct text_segment){ .offset = p->p_vaddr, .size = p->p_memsz };
		if (p->p_type == PT_NOTE && code->build_id_len == 0)
			find_build_id(code, (const uint8_t *)(code->base + p->p_vaddr), p->p_memsz);
	}
	look->found = true;
	return 1;
}

static int load_object(struct code *code, const char *path, struct err *err)
{
	auto_free char *here = NULL;

	/* Without a slash dlopen() would search the system's libraries. */
	if (strchr(path, '/') == NULL) {
		here = malloc(strlen(path) + sizeof("./"));
		if (here == NULL)
			return err_set(err, -ENOMEM, "out of memory");
		(void)stpcpy(stpcpy(here, "./"), path);
	}
	code->handle = dlopen(here != NULL ? here : path, RTLD_NOW | RTLD_LOCAL);
	if (code->handle == NULL)
		return err_set(err, -ENOEXEC, "cannot load the job: %s", dlerror());

	struct look look = { .code = code };
	if (dlinfo(code->handle, RTLD_DI_LINKMAP, &look.map) != 0)
		return err_set(err, -ENOEXEC, "cannot load the job: %s", dlerror());
	(void)dl_iterate_phdr(look_at_object, &look);
	if (!look.found)
		return err_set(err, -ENOEXEC, "cannot load the job: '%s' has no program headers", path);
	return 0;
}

int code_load(
	const char *path, const uint8_t *build_id, size_t build_id_len, struct code **ret, struct err *err)
{
	auto_code struct code *code = calloc(1, sizeof(*code));

	if (code == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int r = load_object(code, path, err);
	if (r < 0)
		return r;
	if (code->build_id_len == 0)
		return err_set(
			err, -ENOEXEC, "the job '%s' has no build id: link it with -Wl,--build-id", path);
	if (build_id != NULL &&
		(build_id_len != code->build_id_len || memcmp(build_id, code->build_id, build_id_len) != 0))
		return err_set(err, -ENOEXEC,
			"the job '%s' is not the one that the driver has: its build id differs", path);
	*ret = code, code = NULL;
	return 0;
}

struct code *code_free(struct code *code)
{
	free(code);
	return NULL;
}

size_t code_build_id(const struct code *code, const uint8_t **ret)
{
	*ret = code->build_id;
	return code->build_id_len;
}

/* ---- Functions ---- */

static bool in_text(const struct code *code, uint64_t offset)
{
	for (size_t i = 0; i < code->n_text; i++)
		if (offset >= code->text[i].offset && offset - code->text[i].offset < code->text[i].size)
			return true;
	return false;
}

int (*code_main(const struct code *code))(quern_job *, int, char **)
{
	void *symbol = dlsym(code->handle, "quern_main");

	/* dlsym() looks into what the object was linked with as well. */
	if (symbol == NULL || !in_text(code, (uint64_t)((uintptr_t)symbol - code->base)))
		return NULL;
	return (int (*)(quern_job *, int, char **))symbol;
}

int code_describe(const struct code *code, code_fn *fn, Quern__Function *f, struct err *err)
{
	for (size_t i = 0; i < BUILTINS; i++)
		if (fn == builtins[i].fn) {
			f->builtin = (char *)builtins[i].name;
			f->has_offset = false;
			return 0;
		}
	uint64_t offset = (uint64_t)((uintptr_t)fn - code->base);
	if (!in_text(code, offset))
		return err_set(err, -EINVAL,
			"the function at %p is neither the job's nor a reduction of quern's",
			(void *)(uintptr_t)fn);
	f->builtin = NULL;
	f->has_offset = true;
	f->offset = offset;
	return 0;
}

int code_resolve(const struct code *code, const Quern__Function *f, code_fn **ret, struct err *err)
{
	if (f->builtin != NULL) {
		for (size_t i = 0; i < BUILTINS; i++)
			if (strcmp(f->builtin, builtins[i].name) == 0) {
				*ret = builtins[i].fn;
				return 0;
			}
		return err_set(err, -EINVAL, "there is no function '%.64s'", f->builtin);
	}
	if (!f->has_offset || !in_text(code, f->offset))
		return err_set(err, -EINVAL, "no function of the job is at offset 0x%" PRIx64,
			f->has_offset ? f->offset : 0);
	*ret = (code_fn *)(code->base + (uintptr_t)f->offset);
	return 0;
}

enum reduction code_reduction(const Quern__Function *f)
{
	for (size_t i = 0; i < BUILTINS && f->builtin != NULL; i++)
		if (strcmp(f->builtin, builtins[i].name) == 0)
			return builtins[i].reduction;
	return REDUCE_CALL;
}

enum code_role code_role(const char *builtin)
{
	for (size_t i = 0; i < BUILTINS; i++)
		if (strcmp(builtin, builtins[i].name) == 0)
			return builtins[i].role;
	return ROLE_NONE;
}
