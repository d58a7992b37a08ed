#include "mount.h"
#include "fusermount.h"
#include "mountinfo.h"
#include "stale.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool may_mount(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { 0 };
    return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & 1u << CAP_SYS_ADMIN) != 0;
}

/* A dead FUSE mount can't be resolved, its parent can. */
static int resolve(const char *mountpoint, char *path, struct failure *failure)
{
    char parent[PATH_MAX];
    if (realpath(mountpoint, path) != NULL) {
        return 0;
    }
    if (errno == ENOENT) {
        return fail(failure, ENOENT, "mount point %s does not exist: make it with `mkdir -p %s`", mountpoint, mountpoint);
    }
    if (errno == ENOTCONN) {
        snprintf(parent, sizeof parent, "%s", mountpoint);
        size_t length = strlen(parent);
        while (length > 1 && parent[length - 1] == '/') {
            parent[--length] = '\0';
        }
        char *name = strrchr(parent, '/');
        *name++ = '\0';
        if (realpath(parent[0] == '\0' ? "/" : parent, path) != NULL && strlen(path) + strlen(name) + 1 < PATH_MAX) {
            if (strcmp(path, "/") != 0) {
                strcat(path, "/");
            }
            strcat(path, name);
            return 0;
        }
    }
    return fail(failure, errno, "mount point %s can't be reached: %m", mountpoint);
}

static int check_folder(const char *path, struct failure *failure)
{
    struct stat status;
    if (stat(path, &status) < 0) {
        return fail(failure, errno, "mount point %s can't be used: %m", path);
    }
    if (!S_ISDIR(status.st_mode)) {
        return fail(failure, ENOTDIR, "mount point %s is not a folder: name an empty folder", path);
    }
    return 0;
}

static int open_device(struct failure *failure)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        return fd;
    }
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
        return fail(failure, errno, "/dev/fuse is missing: `modprobe fuse` as root; in a container start it with --device /dev/fuse");
    }
    if (errno == EACCES || errno == EPERM) {
        return fail(failure, errno, "/dev/fuse can't be opened (%m): in a container start it with --device /dev/fuse; for a plain "
                                    "user `chmod 0666 /dev/fuse` as root");
    }
    return fail(failure, errno, "/dev/fuse can't be opened: %m");
}

static int mount_directly(const char *path, const struct options *options, struct failure *failure)
{
    char data[256];
    char limit[32] = "";
    int fd = open_device(failure);
    if (fd < 0) {
        return -1;
    }
    if (options->max_read > 0) {
        snprintf(limit, sizeof limit, ",max_read=%u", options->max_read);
    }
    snprintf(data, sizeof data, "fd=%d,rootmode=40000,user_id=%u,group_id=%u%s%s%s", fd, options->uid, options->gid,
             options->allow_other ? ",allow_other" : "",
             options->allow_other || options->default_permissions ? ",default_permissions" : "", limit);
    unsigned long flags = MS_NOSUID | MS_NODEV | (options->read_only ? MS_RDONLY : 0) | (options->noexec ? MS_NOEXEC : 0);
    if (mount(options->fsname, path, "fuse.modelfs", flags, data) == 0) {
        return fd;
    }
    int error = errno;
    close(fd);
    if (error == EPERM || error == EACCES) {
        return fail(failure, error, "mounting on %s is not permitted (%s): in a container start it with --cap-add SYS_ADMIN --device "
                                    "/dev/fuse (and where AppArmor is active --security-opt apparmor=unconfined)",
                    path, strerror(error));
    }
    if (error == ENODEV) {
        return fail(failure, error, "this kernel has no FUSE: `modprobe fuse` as root");
    }
    return fail(failure, error, "mounting on %s failed: %s", path, strerror(error));
}

int mount_start(struct mount *mount, const struct options *options, struct failure *failure)
{
    struct mountinfo found;
    if (resolve(options->mountpoint, mount->path, failure) < 0 ||
        stale_clear(mount->path, may_mount(), failure) < 0 ||
        check_folder(mount->path, failure) < 0) {
        return -1;
    }
    int fd = may_mount() ? mount_directly(mount->path, options, failure) : fusermount_mount(mount->path, options, failure);
    if (fd < 0) {
        return -1;
    }
    mount->fd = fd;
    mount->mounted = true;
    mount->device[0] = '\0';
    if (mountinfo_find(mount->path, &found)) {
        memcpy(mount->device, found.device, sizeof mount->device);
    }
    return 0;
}

void mount_set_read_ahead(const struct mount *mount, unsigned read_ahead_kb)
{
    char path[96];
    char number[16];
    if (read_ahead_kb == 0 || mount->device[0] == '\0') {
        return;
    }
    snprintf(path, sizeof path, "/sys/class/bdi/%s/read_ahead_kb", mount->device);
    int length = snprintf(number, sizeof number, "%u\n", read_ahead_kb);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, number, (size_t)length) < 0) {
        log_line("read-ahead stays as it is: %s: %m", path);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* Somebody may have unmounted it, or mounted another file system over it: neither is ours to remove. */
static bool is_ours(const struct mount *mount)
{
    struct mountinfo found;
    return mount->mounted && mountinfo_find(mount->path, &found) && strcmp(found.device, mount->device) == 0;
}

int mount_stop(struct mount *mount, bool lazy, struct failure *failure)
{
    if (is_ours(mount)) {
        if (may_mount()) {
            if (umount2(mount->path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) < 0) {
                return fail(failure, errno, errno == EBUSY ? "%s is in use: `fuser -vm %s` tells by whom" : "unmounting %s failed (%s)",
                            mount->path, errno == EBUSY ? mount->path : strerror(errno));
            }
        } else if (fusermount_unmount(mount->path, lazy, failure) < 0) {
            return -1;
        }
    }
    mount->mounted = false;
    return 0;
}

void mount_abandon(struct mount *mount)
{
    struct failure failure;
    bool ours = is_ours(mount);
    /* MNT_FORCE ends the connection first: detaching alone could wait for dirty pages that nobody takes any more. */
    if (ours && may_mount() && umount2(mount->path, UMOUNT_NOFOLLOW | MNT_FORCE | MNT_DETACH) < 0) {
        log_line("unmounting %s failed: %m", mount->path);
    }
    /* The last descriptor ends the connection where there is no right to force it. */
    if (mount->fd >= 0) {
        close(mount->fd);
        mount->fd = -1;
    }
    if (ours && !may_mount() && fusermount_unmount(mount->path, true, &failure) < 0) {
        log_line("unmounting %s failed: %s", mount->path, failure.text);
    }
    mount->mounted = false;
}
