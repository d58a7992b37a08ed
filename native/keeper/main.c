#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* What the caller had open is not for a process that may live for months. */
static void close_inherited(int kept)
{
    if (kept < 3) {
        close_range(3, ~0u, 0);
        return;
    }
    if (kept > 3) {
        close_range(3, (unsigned)kept - 1, 0);
    }
    close_range((unsigned)kept + 1, ~0u, 0);
}

static int redirect_output(const struct options *options, struct failure *failure)
{
    const char *path = options->log != NULL ? options->log : "/dev/null";
    if (options->log == NULL && options->foreground) {
        return 0;
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return fail(failure, errno, "log file %s can't be opened: %m", path);
    }
    if (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) {
        return fail(failure, errno, "dup2: %m");
    }
    close(fd);
    return 0;
}

/* Returns 1 in the process that began, which has nothing left to do; 0 in the one that keeps the mount. */
static int go_to_background(struct failure *failure)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid > 0 ? 1 : fail(failure, errno, "fork: %m");
    }
    setsid();
    int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (chdir("/") < 0 || dup2(empty, STDIN_FILENO) < 0) {
        return fail(failure, errno, "going to the background failed: %m");
    }
    close(empty);
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct failure failure;
    int parsed = options_parse(&options, argc, argv, &failure);
    if (parsed > 0) {
        fputs(options_usage, stdout);
        return 0;
    }
    if (parsed < 0) {
        keeper_report_error(options.ready_fd, failure.text);
        return 2;
    }
    close_inherited(options.ready_fd);
    if (redirect_output(&options, &failure) < 0) {
        keeper_report_error(options.ready_fd, failure.text);
        return 1;
    }
    if (!options.foreground) {
        int began = go_to_background(&failure);
        if (began > 0) {
            return 0;
        }
        if (began < 0) {
            keeper_report_error(options.ready_fd, failure.text);
            return 1;
        }
    }
    return keeper_run(&options);
}
