/* SPDX-License-Identifier: ISC */
/* hello_cgi: the least a CGI program can do; the yardstick of plain CGI. */
#include <stdio.h>

int main(void)
{
	fputs("Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ok\":true}", stdout);
	return 0;
}
