#include "job/object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"

static void elf_cleanup(Elf **elf)
{
	(void)elf_end(*elf); /* takes NULL */
}
#define auto_elf AUTO_CLEANUP(elf_cleanup)

/* Looks for NT_GNU_BUILD_ID in one note segment. */
static void look_at_notes(Elf *elf, const GElf_Phdr *segment, struct object *ret)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)segment->p_offset, segment->p_filesz,
		segment->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	if (data == NULL)
		return;
	while ((at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
			memcmp(bytes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0 && note.n_descsz > 0 &&
			note.n_descsz <= CODE_BUILD_ID_MAX) {
			memcpy(ret->build_id, bytes + desc, note.n_descsz);
			ret->build_id_len = note.n_descsz;
			return;
		}
	}
}

/* Whether one symbol is a quern_main() that dlsym() would find. */
static bool is_main(const char *name, const GElf_Sym *symbol)
{
	unsigned char binding = GELF_ST_BIND(symbol->st_info);
	unsigned char visibility = GELF_ST_VISIBILITY(symbol->st_other);

	return symbol->st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED) &&
	       GELF_ST_TYPE(symbol->st_info) == STT_FUNC && strcmp(name, "quern_main") == 0;
}

static void look_at_symbol(const char *name, const GElf_Sym *symbol, struct object *ret)
{
	if (name == NULL)
		return;
	if (is_main(name, symbol))
		ret->has_main = true;
	if (symbol->st_shndx == SHN_UNDEF && strcmp(name, "quern_persist") == 0)
		ret->persists = true;
}

static void look_at_symbols(Elf *elf, struct object *ret)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
		GElf_Shdr head;
		GElf_Sym symbol;

		if (gelf_getshdr(section, &head) == NULL || head.sh_type != SHT_DYNSYM)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		for (int i = 0; data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++)
			look_at_symbol(elf_strptr(elf, head.sh_link, symbol.st_name), &symbol, ret);
	}
}

static int look_at_elf(Elf *elf, const char *path, struct object *ret, struct err *err)
{
	GElf_Ehdr head;
	size_t segments;

	if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &head) == NULL ||
		head.e_type != ET_DYN || elf_getphdrnum(elf, &segments) < 0)
		return err_set(err, -ENOEXEC,
			"the job '%s' is neither a C source (its name would end in .c) nor a shared object",
			path);
	*ret = (struct object){ 0 };
	for (size_t i = 0; i < segments && ret->build_id_len == 0; i++) {
		GElf_Phdr segment;

		if (gelf_getphdr(elf, (int)i, &segment) != NULL && segment.p_type == PT_NOTE)
			look_at_notes(elf, &segment, ret);
	}
	look_at_symbols(elf, ret);
	return 0;
}

int object_look(const char *path, struct object *ret, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "the job '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_errno(err, -EISDIR, "the job '%s'", path);
	if (elf_version(EV_CURRENT) == EV_NONE)
		return err_set(err, -ENOEXEC, "the library libelf is older than this program");
	auto_elf Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	return look_at_elf(elf, path, ret, err);
}
