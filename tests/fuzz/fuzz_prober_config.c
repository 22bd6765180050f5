/* SPDX-License-Identifier: ISC */
/*
 * upbeat.json, whatever it holds: it is either good, and then something is published of it, or there is at
 * least one mistake, and each mistake has a place within the file. Nothing is half applied.
 *
 * Inputs that could include other files of this machine are passed over.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "prober/config/config.h"

static int memory_file(void)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("upbeat.json", MFD_CLOEXEC);
		FUZZ_CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
	}
	return fd;
}

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config;
	char path[64];
	int fd = memory_file();

	if (memmem(data, size, "include", 7) || memmem(data, size, "\\u", 2))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	config_read(&config, path);
	FUZZ_CHECK(config.usable == (config.error_count == 0));
	FUZZ_CHECK(config.usable == (config.publication.fingerprint != NULL));
	FUZZ_CHECK(config.store && *config.store);
	for (size_t i = 0; i < config.problem_count; i++) {
		FUZZ_CHECK(config.problems[i].line >= 1 && config.problems[i].line <= count_lines(data, size));
		FUZZ_CHECK(config.problems[i].column >= 1 && *config.problems[i].text);
	}
	config_free(&config);
	return 0;
}
