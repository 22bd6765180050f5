/* SPDX-License-Identifier: ISC */
/* hello_fcgi: the least a libfcgi program can do, with as many threads as Upbeat has; the yardstick. */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>

static void *serve(void *unused)
{
	FCGX_Request request;

	(void)unused;
	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) >= 0) {
		FCGX_PutS("Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"ok\":true}", request.out);
		FCGX_Finish_r(&request);
	}
	return NULL;
}

int main(void)
{
	const char *threads = getenv("UPBEAT_THREADS");
	long n = threads ? strtol(threads, NULL, 10) : 4;
	pthread_t thread;

	FCGX_Init();
	for (long i = 1; i < n; i++)
		pthread_create(&thread, NULL, serve, NULL);
	serve(NULL);
	return 0;
}
