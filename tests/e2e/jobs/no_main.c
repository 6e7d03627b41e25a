/* no_main.c: has no quern_main(). */
int something_else(void);

int something_else(void)
{
	return 0;
}
