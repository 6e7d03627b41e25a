/* options.c: part of quern-executor when it is built with AddressSanitizer. An agent gives its executors an
 * environment of its own, and takes their standard error away with the sandbox: what a sanitizer has to say
 * goes to a file of the build folder, where scripts/sanitizers.sh looks for it. */

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	/* Jobs crash on purpose, which is for quern to report. */
	return "log_path=" SANITIZER_LOG ":handle_segv=0:handle_abort=0";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "log_path=" SANITIZER_LOG ":halt_on_error=1:print_stacktrace=1";
}
