/* The one mount of this keeper, and the /dev/fuse descriptor that serves it. */
#ifndef KEEPER_MOUNT_H
#define KEEPER_MOUNT_H

#include "options.h"

struct mount {
    int fd;                /* -1 while not mounted */
    bool mounted;          /* by us, and not unmounted by us */
    char path[PATH_MAX];   /* resolved */
    char device[32];       /* "major:minor" */
};

/*
 * Mounts. A dead modelfs mount at the place is removed first; a live one is refused with EBUSY. Returns 0 or -1 with
 * the reason, and then nothing is mounted.
 */
int mount_start(struct mount *mount, const struct options *options, struct failure *failure);

/* Sets the kernel's read-ahead, which the answer to FUSE's INIT has limited. Failure is only logged. */
void mount_set_read_ahead(const struct mount *mount, unsigned read_ahead_kb);

/*
 * Unmounts while the daemon serves; lazily also when it is in use. Returns 0 (also when it was gone already) or -1
 * with the reason.
 */
int mount_stop(struct mount *mount, bool lazy, struct failure *failure);

/* Takes away a mount that nobody serves any more: callers that wait get an error, and nothing can hang on it. */
void mount_abandon(struct mount *mount);

#endif
