/* SPDX-License-Identifier: ISC */
/* hello_fcgi: the least a libfcgi program can do, with as many threads as Upbeat has; the yardstick.
   HELLO_BYTES: so many bytes of text instead of the short answer. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static char page[1 << 20];
static long page_bytes;

static void *serve(void *unused)
{
	FCGX_Request request;

	(void)unused;
	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) >= 0) {
		if (page_bytes) {
			FCGX_FPrintF(request.out, "Status: 200 OK\r\nContent-Type: text/html\r\nContent-Length: %ld\r\n\r\n",
				page_bytes);
			FCGX_PutStr(page, (int)page_bytes, request.out);
		} else {
			FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ok\":true}", request.out);
		}
		FCGX_Finish_r(&request);
	}
	return NULL;
}

int main(void)
{
	const char *threads = getenv("UPBEAT_THREADS");
	const char *bytes = getenv("HELLO_BYTES");
	long n = threads ? strtol(threads, NULL, 10) : 4;
	pthread_t thread;

	page_bytes = bytes ? strtol(bytes, NULL, 10) : 0;
	if (page_bytes < 0 || page_bytes > (long)sizeof(page))
		return 2;
	memset(page, 'x', sizeof(page));
	FCGX_Init();
	for (long i = 1; i < n; i++)
		pthread_create(&thread, NULL, serve, NULL);
	serve(NULL);
	return 0;
}
