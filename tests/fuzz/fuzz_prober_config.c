/* SPDX-License-Identifier: ISC */
/*
 * upbeat.json, whatever it holds: it is either good, and then something is published of it, or there is at
 * least one mistake, and each mistake has a place within the file. Nothing is half applied.
 *
 * What follows a line of dashes is the next file: a.json, conf.d/b.json and conf.d/c.json, which the first
 * may include. Inputs that could include other files of this machine are passed over.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "fuzz.h"
#include "prober/config/config.h"

#define SEPARATOR "\n----\n"

static const char *const names[] = {"upbeat.json", "a.json", "conf.d/b.json", "conf.d/c.json"};
static char folder[] = "/dev/shm/upbeat-fuzz-XXXXXX";

static void in_folder(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", folder, name);
}

static void remove_folder(void)
{
	char path[128];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		in_folder(path, sizeof(path), names[i]);
		unlink(path);
	}
	in_folder(path, sizeof(path), "conf.d");
	rmdir(path);
	rmdir(folder);
}

static void make_folder(void)
{
	char path[128];

	FUZZ_CHECK(mkdtemp(folder));
	in_folder(path, sizeof(path), "conf.d");
	FUZZ_CHECK(mkdir(path, 0700) == 0);
	atexit(remove_folder);
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
	char path[128];
	int fd;

	in_folder(path, sizeof(path), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* Files are what lies between the separators; the last has the rest. */
static void write_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const uint8_t *end = size ? memmem(data, size, SEPARATOR, strlen(SEPARATOR)) : NULL;
		size_t n = end && i + 1 < COUNT_OF(names) ? (size_t)(end - data) : size;

		write_file(names[i], data, n);
		data += n;
		size -= n;
		if (size > strlen(SEPARATOR)) {
			data += strlen(SEPARATOR);
			size -= strlen(SEPARATOR);
		} else {
			size = 0;
		}
	}
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
	char path[128];

	if (memmem(data, size, "include", 7) &&
		(memmem(data, size, "\"/", 2) || memmem(data, size, "..", 2) || memmem(data, size, "\\", 1)))
		return 0;
	if (memmem(data, size, "\\u", 2))
		return 0;
	if (strstr(folder, "XXXXXX"))
		make_folder();
	write_files(data, size);
	in_folder(path, sizeof(path), names[0]);
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
