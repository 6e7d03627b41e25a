/* syntax_error.c: the compiler must say where. */
int quern_main(void *job, int argc, char **argv)
{
	return this is not C;
}
