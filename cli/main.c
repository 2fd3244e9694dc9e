/*
 * main.c: the program `hardy`: picks the command.
 */
#include <hardy.h>

#include <stdio.h>

int main(void)
{
	printf("hardy %s\n", hardy_version());
	return 0;
}
