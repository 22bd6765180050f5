/* SPDX-License-Identifier: ISC */
/* asset: finding a compiled-in file by its name. */
#include "web/asset.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct asset *)row)->name);
}

const struct asset *asset_find(const char *name)
{
	return bsearch(name, assets, asset_count, sizeof(assets[0]), compare);
}
