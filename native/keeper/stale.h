/* Mounts that a killed keeper left behind. */
#ifndef KEEPER_STALE_H
#define KEEPER_STALE_H

#include "failure.h"

#include <stdbool.h>

/*
 * Removes dead modelfs mounts at this resolved path, one above the other. A live one stays: -1 with EBUSY. Any other
 * file system there is not touched.
 */
int stale_clear(const char *path, bool directly, struct failure *failure);

#endif
