/* The command line, parsed once and never changed. */
#ifndef KEEPER_OPTIONS_H
#define KEEPER_OPTIONS_H

#include "failure.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct options {
    char mountpoint[PATH_MAX]; /* absolute, not resolved */
    const char *fsname;
    bool allow_other;
    bool read_only;
    bool default_permissions;
    bool noexec;
    unsigned max_read; /* bytes; 0 leaves it to the kernel */
    bool has_user;     /* the daemon runs as uid:gid, without any capability */
    uid_t uid;         /* who may use the mount: --user or the caller */
    gid_t gid;
    int ready_fd; /* -1: nobody waits */
    const char *log;
    bool foreground;
    unsigned read_ahead_kb;   /* 0 leaves it to the kernel */
    unsigned give_up_seconds; /* how long a crashed daemon may stay away before the mount is aborted */
    char **daemon;            /* NULL-terminated argv */
    char program[PATH_MAX];   /* what to run for it: a full path, or a name for PATH */
};

/* Returns 0, 1 when help was asked for, or -1 with the reason. `ready_fd` is set as early as it is known. */
int options_parse(struct options *options, int argc, char **argv, struct failure *failure);

extern const char options_usage[];

#endif
