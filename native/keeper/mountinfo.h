/* What /proc/self/mountinfo says about one mount point. */
#ifndef KEEPER_MOUNTINFO_H
#define KEEPER_MOUNTINFO_H

#include <stdbool.h>
#include <sys/types.h>

struct mountinfo {
    char device[32]; /* "major:minor": tells one mount from every other one that lives at the same time */
    char type[64];
    uid_t user_id; /* the FUSE mount's owner; -1 when it is none */
    gid_t group_id;
};

/* The topmost mount at this resolved path; false when there is none. */
bool mountinfo_find(const char *path, struct mountinfo *found);

#endif
