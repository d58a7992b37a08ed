#include "stale.h"
#include "fusermount.h"
#include "mountinfo.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon that answers nothing for so long is taken for alive. */
#define PROBE_SECONDS 5
#define STACKED_MAX 64

/*
 * Whether the mount's daemon is gone for good. Asked in a child: the answer may take for ever, and only the mount's
 * own user gets another answer than EACCES.
 */
static bool is_dead(const char *path, const struct mountinfo *mount)
{
    pid_t child = fork();
    if (child == 0) {
        struct stat status;
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        alarm(PROBE_SECONDS);
        if (geteuid() == 0 && mount->user_id != (uid_t)-1 &&
            (setgroups(0, NULL) < 0 || setresgid(mount->group_id, mount->group_id, mount->group_id) < 0 ||
             setresuid(mount->user_id, mount->user_id, mount->user_id) < 0)) {
            _exit(1);
        }
        _exit(stat(path, &status) < 0 && errno == ENOTCONN ? 0 : 1);
    }
    int result = 1;
    while (child > 0 && waitpid(child, &result, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(result) && WEXITSTATUS(result) == 0;
}

int stale_clear(const char *path, bool directly, struct failure *failure)
{
    struct mountinfo found;
    int removed = 0;
    while (mountinfo_find(path, &found) && strcmp(found.type, "fuse.modelfs") == 0) {
        if (!is_dead(path, &found)) {
            return fail(failure, EBUSY, "already mounted at %s; `modelfs unmount %s` first", path, path);
        }
        if (removed == STACKED_MAX) {
            return fail(failure, EBUSY, "dead mounts at %s come back as fast as they are removed", path);
        }
        if (directly ? umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) < 0 : fusermount_unmount(path, true, failure) < 0) {
            return directly ? fail(failure, errno, "the dead mount at %s can't be removed (%m): `umount -l %s` as root", path, path) : -1;
        }
        removed++;
    }
    if (removed > 0) {
        log_line("removed %d dead mount%s at %s, left by a keeper that was killed", removed, removed == 1 ? "" : "s", path);
    }
    return 0;
}
