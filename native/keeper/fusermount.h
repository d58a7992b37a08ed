/* Mounting without privilege, by the setuid program fusermount3 of the package fuse3. */
#ifndef KEEPER_FUSERMOUNT_H
#define KEEPER_FUSERMOUNT_H

#include "options.h"

/* Returns the /dev/fuse descriptor or -1 with the reason. */
int fusermount_mount(const char *path, const struct options *options, struct failure *failure);
/* Returns 0 or -1 with the reason. */
int fusermount_unmount(const char *path, bool lazy, struct failure *failure);

#endif
