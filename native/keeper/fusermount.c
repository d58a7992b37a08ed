#include "fusermount.h"
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct helper {
    pid_t pid;
    int errors; /* its standard error */
};

/* `comm_fd` -1: not needed. */
static int start(struct helper *helper, char *const argv[], int comm_fd, struct failure *failure)
{
    int errors[2];
    if (pipe2(errors, O_CLOEXEC) < 0) {
        return fail(failure, errno, "pipe: %m");
    }
    helper->pid = fork();
    if (helper->pid == 0) {
        sigset_t none;
        char number[16];
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(errors[1], STDERR_FILENO);
        if (comm_fd >= 0) {
            int inherited = dup(comm_fd);
            snprintf(number, sizeof number, "%d", inherited);
            setenv("_FUSE_COMMFD", number, 1);
        }
        execvp(argv[0], argv);
        _exit(127);
    }
    close(errors[1]);
    helper->errors = errors[0];
    if (helper->pid < 0) {
        close(errors[0]);
        return fail(failure, errno, "fork: %m");
    }
    return 0;
}

/* Why it failed, in words that name the remedy where fusermount3's own don't. */
static int explain(const char *said, const char *path, struct failure *failure)
{
    if (strstr(said, "user_allow_other") != NULL) {
        return fail(failure, EPERM, "allow_other is not open to users here: put the line user_allow_other into /etc/fuse.conf, "
                                    "or mount as root");
    }
    if (strstr(said, "/dev/fuse") != NULL && strstr(said, "ermission denied") != NULL) {
        return fail(failure, EACCES, "/dev/fuse is closed to this user: `chmod 0666 /dev/fuse` as root (the usual mode), or mount "
                                     "as root");
    }
    if (strstr(said, "/dev/fuse") != NULL || strstr(said, "fuse device not found") != NULL) {
        return fail(failure, ENODEV, "/dev/fuse is missing: `modprobe fuse` as root; in a container start it with --device /dev/fuse");
    }
    if (strstr(said, "ermission denied") != NULL || strstr(said, "no write access") != NULL) {
        return fail(failure, EACCES, "mount point %s is not yours: a user can mount only on a folder of their own (%s)", path, said);
    }
    if (strstr(said, "not permitted") != NULL) {
        return fail(failure, EPERM, "mounting is not permitted (%s): is fusermount3 setuid root? in a container start it with "
                                    "--cap-add SYS_ADMIN --device /dev/fuse", said);
    }
    return fail(failure, EIO, "fusermount3 failed: %s", said[0] != '\0' ? said : "it gave no reason");
}

/* Waits for its end. Returns 0 or -1 with the reason. */
static int finish(struct helper *helper, const char *path, struct failure *failure)
{
    char said[600] = "";
    size_t length = 0;
    ssize_t got;
    while ((got = read(helper->errors, said + length, sizeof said - 1 - length)) > 0 || (got < 0 && errno == EINTR)) {
        length += got > 0 ? (size_t)got : 0;
        if (length == sizeof said - 1) {
            break;
        }
    }
    said[length] = '\0';
    said[strcspn(said, "\n")] = '\0';
    close(helper->errors);
    int status;
    while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return 0;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        return fail(failure, ENOENT, "fusermount3 is not installed: install the package fuse3, or mount as root");
    }
    return explain(said, path, failure);
}

/* A comma in the name would begin another option. */
static void append_escaped(char *list, size_t size, const char *text)
{
    size_t length = strlen(list);
    for (; *text != '\0' && length + 3 < size; text++) {
        if (*text == ',' || *text == '\\') {
            list[length++] = '\\';
        }
        list[length++] = *text;
    }
    list[length] = '\0';
}

static void option_list(char *list, size_t size, const struct options *options)
{
    snprintf(list, size, "%s,nosuid,nodev%s%s%s,subtype=modelfs", options->read_only ? "ro" : "rw",
             options->noexec ? ",noexec" : "", options->allow_other ? ",allow_other" : "",
             options->allow_other || options->default_permissions ? ",default_permissions" : "");
    if (options->max_read > 0) {
        size_t length = strlen(list);
        snprintf(list + length, size - length, ",max_read=%u", options->max_read);
    }
    strncat(list, ",fsname=", size - strlen(list) - 1);
    append_escaped(list, size, options->fsname);
}

int fusermount_mount(const char *path, const struct options *options, struct failure *failure)
{
    char list[2048];
    int ends[2];
    struct helper helper;
    struct msghdr packet = { 0 };
    char byte;
    struct iovec part = { .iov_base = &byte, .iov_len = 1 };
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    int fuse_fd = -1;

    option_list(list, sizeof list, options);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        return fail(failure, errno, "socketpair: %m");
    }
    int started = start(&helper, (char *[]){ "fusermount3", "-o", list, "--", (char *)path, NULL }, ends[1], failure);
    close(ends[1]);
    if (started < 0) {
        close(ends[0]);
        return -1;
    }
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    packet.msg_control = control.space;
    packet.msg_controllen = sizeof control.space;
    ssize_t received;
    do {
        received = recvmsg(ends[0], &packet, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    struct cmsghdr *rights = received > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
    if (rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
        memcpy(&fuse_fd, CMSG_DATA(rights), sizeof fuse_fd);
    }
    close(ends[0]);
    if (finish(&helper, path, failure) < 0) {
        if (fuse_fd >= 0) {
            close(fuse_fd);
        }
        return -1;
    }
    return fuse_fd >= 0 ? fuse_fd : fail(failure, EIO, "fusermount3 mounted %s but handed over no descriptor", path);
}

int fusermount_unmount(const char *path, bool lazy, struct failure *failure)
{
    struct helper helper;
    char *lazily[] = { "fusermount3", "-u", "-z", "--", (char *)path, NULL };
    char *plainly[] = { "fusermount3", "-u", "--", (char *)path, NULL };
    if (start(&helper, lazy ? lazily : plainly, -1, failure) < 0) {
        return -1;
    }
    int result = finish(&helper, path, failure);
    if (result < 0 && strstr(failure->text, "busy") != NULL) {
        failure->error = EBUSY;
    }
    return result;
}
