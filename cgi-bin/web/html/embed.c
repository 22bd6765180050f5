/* SPDX-License-Identifier: ISC */
/*
 * embed: a tool of the build. Prints the named files as the C rows that web/asset.h declares:
 *
 *	embed FILE... > html.c
 *
 * Each row has the file's name without directories, its bytes, their number and a hash of them (64-bit
 * FNV-1a: it tells versions of our own files apart, it protects nothing). Rows are sorted by name.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

static FILE *open_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "embed: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return f;
}

/* Prints the bytes of one file as an array and returns their hash. */
static uint64_t print_bytes(const char *path, int number, size_t *len)
{
	FILE *f = open_file(path);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	int c;

	*len = 0;
	printf("static const char file_%d[] = { /* %s */", number, base_name(path));
	while ((c = getc(f)) != EOF) {
		printf("%s%d,", *len % 20 ? "" : "\n\t", c > 127 ? c - 256 : c);
		hash = (hash ^ (uint64_t)c) * UINT64_C(0x100000001b3);
		++*len;
	}
	printf("\n\t0,\n};\n\n");
	if (ferror(f)) {
		fprintf(stderr, "embed: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	fclose(f);
	return hash;
}

int main(int argc, char **argv)
{
	int n = argc - 1;
	uint64_t *hashes = calloc((size_t)n + 1, sizeof(*hashes));
	size_t *lens = calloc((size_t)n + 1, sizeof(*lens));

	if (!hashes || !lens)
		exit(1);
	qsort(argv + 1, (size_t)n, sizeof(*argv), by_name);
	printf("/* Made by cgi-bin/web/html/embed.c; do not edit. */\n#include \"web/asset.h\"\n\n");
	for (int i = 0; i < n; i++)
		hashes[i] = print_bytes(argv[i + 1], i, &lens[i]);
	printf("const struct asset assets[] = {\n");
	for (int i = 0; i < n; i++)
		printf("\t{\"%s\", file_%d, %zu, \"%016llx\"},\n", base_name(argv[i + 1]), i, lens[i],
			(unsigned long long)hashes[i]);
	printf("\t{0, 0, 0, 0},\n};\nconst size_t asset_count = %d;\n", n);
	free(hashes);
	free(lens);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
