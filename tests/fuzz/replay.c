/* SPDX-License-Identifier: ISC */
/*
 * replay: runs a fuzz target over the inputs in the folders (or files) given, without libFuzzer.
 *
 *	replay [-v] FOLDER...	prints "N inputs ok"; a failing input ends it; with -v, after its name
 */
#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned long inputs;
static bool verbose;

/* The input gets memory of exactly its size: a sanitizer then sees a read beyond it. */
static void run_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = malloc(size ? size : 1);

	if (!f || !bytes || fread(bytes, 1, size, f) != size) {
		fprintf(stderr, "replay: cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	if (verbose) {
		printf("%s\n", path);
		fflush(stdout);
	}
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	inputs++;
}

static void run(const char *path)
{
	struct stat st;
	struct dirent *entry;
	DIR *dir;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "replay: there is no %s\n", path);
		exit(1);
	}
	if (S_ISREG(st.st_mode)) {
		run_file(path, (size_t)st.st_size);
		return;
	}
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			run(name);
	}
	if (dir)
		closedir(dir);
}

int main(int argc, char **argv)
{
	static const uint8_t nothing[1];

	LLVMFuzzerTestOneInput(nothing, 0);
	verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	for (int i = 1 + verbose; i < argc; i++)
		run(argv[i]);
	if (inputs == 0) {
		fprintf(stderr, "usage: replay [-v] FOLDER-WITH-INPUTS...\n");
		return 2;
	}
	printf("%lu inputs ok\n", inputs);
	return 0;
}
