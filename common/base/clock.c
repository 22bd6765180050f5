/* SPDX-License-Identifier: ISC */
/*
 * clock: asking what time it is. See clock.h.
 */
#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static pthread_once_t offset_once = PTHREAD_ONCE_INIT;
static int64_t offset_us;

static void offset_read(void)
{
	const char *testing = getenv("UPBEAT_TESTING"), *offset = getenv("UPBEAT_CLOCK_OFFSET_MS");
	int64_t us;

	if (!testing || strcmp(testing, "1") != 0 || !offset || !text_to_i64(offset, &us))
		return;
	if (__builtin_mul_overflow(us, US_PER_MS, &us))
		return;
	offset_us = us;
}

static pthread_once_t boot_once = PTHREAD_ONCE_INIT;
static uint64_t boot_id;

/* The file holds a UUID as text, "4f9c0c5e-..."; sixteen of its hex digits are plenty. */
static void boot_read(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	char uuid[64], digits[17] = "";
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, uuid, sizeof(uuid));
	close(fd);
	for (ssize_t i = 0; i < n && used < 16; i++)
		if (uuid[i] != '-')
			digits[used++] = uuid[i];
	digits[used] = '\0';
	if (used == 16)
		boot_id = strtoull(digits, NULL, 16);
}

static int64_t clock_read_us(clockid_t id)
{
	struct timespec now = {0, 0};

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

void clock_now(struct moment *now)
{
	pthread_once(&boot_once, boot_read);
	now->wall_us = clock_wall_us();
	now->boot_us = clock_read_us(CLOCK_BOOTTIME) + offset_us;
	now->boot_id = boot_id;
}

int64_t clock_wall_us(void)
{
	pthread_once(&offset_once, offset_read);
	return clock_read_us(CLOCK_REALTIME) + offset_us;
}

int64_t clock_mono_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}
