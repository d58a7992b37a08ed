#include "daemon.h"
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Above every descriptor that the daemon is to have. */
#define FIRST_FREE_FD 10

static int drop_privileges(const struct options *options)
{
    if (geteuid() == 0) {
        if (setgroups(1, &options->gid) < 0 || setresgid(options->gid, options->gid, options->gid) < 0 ||
            setresuid(options->uid, options->uid, options->uid) < 0) {
            return -1;
        }
    }
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL ? -1 : 0;
}

static _Noreturn void become_daemon(const struct options *options, int channel_end, int report)
{
    sigset_t none;
    int error;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    report = fcntl(report, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    channel_end = fcntl(channel_end, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
    int empty = open("/dev/null", O_RDONLY);
    if (dup2(empty, STDIN_FILENO) >= 0 && dup2(channel_end, CHANNEL_DAEMON_FD) >= 0) {
        if (empty > CHANNEL_DAEMON_FD) {
            close(empty);
        }
        close_range(CHANNEL_DAEMON_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC);
        if (!options->has_user || drop_privileges(options) == 0) {
            execvp(options->program, options->daemon);
        }
    }
    error = errno;
    if (write(report, &error, sizeof error) < 0) {
        _exit(126);
    }
    _exit(127);
}

pid_t daemon_start(const struct options *options, int channel_end, struct failure *failure)
{
    int report[2];
    int error = 0;
    if (pipe2(report, O_CLOEXEC) < 0) {
        return fail(failure, errno, "pipe: %m");
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_daemon(options, channel_end, report[1]);
    }
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return fail(failure, errno, "fork: %m");
    }
    /* Closed by a successful exec; otherwise it brings the reason. */
    ssize_t got;
    do {
        got = read(report[0], &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof error) {
        return fail(failure, error, "%s can't be run%s: %s", options->daemon[0], options->has_user ? " as the user of --user" : "",
                    strerror(error));
    }
    return pid;
}
