#include "keeper.h"
#include "daemon.h"
#include "requests.h"
#include "state.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_NOT_DRAINED 75
#define DELAY_FIRST_MS 50
#define DELAY_MAX_MS 5000
#define LONG_LIFE_MS 10000 /* a daemon that lived so long is restarted at once */

int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void tell(int ready_fd, const char *line)
{
    if (ready_fd >= 0) {
        if (write(ready_fd, line, strlen(line)) < 0) {
            log_line("nobody waits any more: %m");
        }
        close(ready_fd);
    }
}

void report(struct keeper *keeper, const char *line)
{
    tell(keeper->ready_fd, line);
    keeper->ready_fd = -1;
}

void keeper_report_error(int ready_fd, const char *text)
{
    char line[CHANNEL_PAYLOAD_MAX + 16];
    size_t length = (size_t)snprintf(line, sizeof line - 1, "error %s", text);
    length = length < sizeof line - 2 ? length : sizeof line - 2;
    for (size_t i = 0; i < length; i++) {
        line[i] = line[i] == '\n' ? ' ' : line[i];
    }
    line[length] = '\n';
    line[length + 1] = '\0';
    log_line("%s", text);
    tell(ready_fd, line);
}

void report_error(struct keeper *keeper, const char *text)
{
    keeper_report_error(keeper->ready_fd, text);
    keeper->ready_fd = -1;
}

static void finish(struct keeper *keeper, int exit_status)
{
    mount_abandon(&keeper->mount);
    keeper->finished = true;
    keeper->exit_status = exit_status;
}

static void start_daemon(struct keeper *keeper)
{
    int ends[2];
    struct failure failure;
    bool resumed = keeper->mount.fd >= 0;
    struct message_header hello = { .type = MESSAGE_HELLO, .flags = resumed ? HELLO_RESUMED : 0, .value = getpid() };

    keeper->start_at = NEVER;
    keeper->started_ms = now_ms();
    int paired = channel_pair(ends);
    if (paired < 0) {
        fail(&failure, -paired, "socketpair: %s", strerror(-paired));
    } else {
        int sent = channel_send(ends[0], &hello, keeper->saved, resumed ? keeper->saved_length : 0, keeper->mount.fd);
        keeper->daemon = sent < 0 ? fail(&failure, -sent, "the channel to the daemon failed: %s", strerror(-sent))
                                  : daemon_start(keeper->options, ends[1], &failure);
        close(ends[1]);
        if (keeper->daemon > 0) {
            keeper->channel = ends[0];
            return;
        }
        close(ends[0]);
    }
    keeper->daemon = 0;
    if (!keeper->was_ready) {
        report_error(keeper, failure.text);
        finish(keeper, 1);
        return;
    }
    log_line("%s", failure.text);
    keeper->delay_ms = DELAY_MAX_MS;
    keeper->start_at = now_ms() + DELAY_MAX_MS;
}

static void serve_channel(struct keeper *keeper)
{
    struct message request;
    int received;
    while (keeper->channel >= 0 && (received = channel_receive(keeper->channel, &request)) != -EAGAIN) {
        if (received == 0) {
            close(keeper->channel);
            keeper->channel = -1;
            return;
        }
        requests_handle(keeper, &request);
        if (request.fd >= 0) {
            close(request.fd);
        }
    }
}

static void describe_end(char *text, size_t size, int status)
{
    if (WIFSIGNALED(status)) {
        snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(text, size, "ended with exit status %d", WEXITSTATUS(status));
    }
}

static void plan_restart(struct keeper *keeper, const char *how_it_ended)
{
    int64_t now = now_ms();
    if (now - keeper->started_ms >= LONG_LIFE_MS) {
        keeper->delay_ms = -1;
    }
    keeper->delay_ms = keeper->delay_ms < 0 ? 0 : keeper->delay_ms == 0 ? DELAY_FIRST_MS : keeper->delay_ms * 2;
    keeper->delay_ms = keeper->delay_ms < DELAY_MAX_MS ? keeper->delay_ms : DELAY_MAX_MS;
    keeper->start_at = now + keeper->delay_ms;
    if (keeper->give_up_at == NEVER) {
        keeper->give_up_at = now + (int64_t)keeper->options->give_up_seconds * 1000;
    }
    log_line("the daemon %s; it is started again in %d ms%s", how_it_ended, (int)keeper->delay_ms,
             keeper->can_resend ? "" : " with a new mount, since this kernel can't resend requests");
    if (!keeper->can_resend) {
        mount_abandon(&keeper->mount);
        backing_forget(&keeper->backings);
        keeper->saved_length = 0;
    }
}

static void daemon_ended(struct keeper *keeper, int status)
{
    char how[128];
    char text[256];
    describe_end(how, sizeof how, status);
    /* What it said last counts: it may have failed by name, or unmounted. */
    serve_channel(keeper);
    if (keeper->channel >= 0) {
        close(keeper->channel);
        keeper->channel = -1;
    }
    keeper->daemon = 0;
    if (keeper->failed) {
        finish(keeper, 1);
    } else if (!keeper->was_ready) {
        snprintf(text, sizeof text, "the daemon %s before the mount was ready", how);
        report_error(keeper, text);
        finish(keeper, 1);
    } else if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EXIT_NOT_DRAINED)) {
        finish(keeper, WEXITSTATUS(status));
    } else if (keeper->stops > 0 || !keeper->mount.mounted) {
        log_line("the daemon %s while it was stopping; what is pending is taken up by the next mount", how);
        finish(keeper, 1);
    } else {
        plan_restart(keeper, how);
    }
}

static void handle_stop(struct keeper *keeper)
{
    keeper->stops++;
    if (keeper->daemon == 0) {
        log_line("stopped while no daemon ran; what is pending is taken up by the next mount");
        finish(keeper, keeper->was_ready ? EXIT_NOT_DRAINED : 1);
    } else if (keeper->stops == 1) {
        kill(keeper->daemon, SIGTERM);
    } else {
        log_line("told to stop a second time: the daemon is killed");
        kill(keeper->daemon, SIGKILL);
    }
}

static void serve_signals(struct keeper *keeper)
{
    struct signalfd_siginfo signal;
    int status;
    while (!keeper->finished && read(keeper->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        if (signal.ssi_signo == SIGTERM || signal.ssi_signo == SIGINT) {
            handle_stop(keeper);
        } else if (signal.ssi_signo == SIGHUP && keeper->daemon > 0) {
            kill(keeper->daemon, SIGHUP);
        }
    }
    /* One SIGCHLD may stand for several ends. */
    if (keeper->daemon > 0 && waitpid(keeper->daemon, &status, WNOHANG) == keeper->daemon) {
        daemon_ended(keeper, status);
    }
}

static void serve_clock(struct keeper *keeper)
{
    int64_t now = now_ms();
    if (now >= keeper->give_up_at) {
        log_line("the daemon was not back after %u s: the mount is aborted", keeper->options->give_up_seconds);
        if (keeper->daemon > 0) {
            kill(keeper->daemon, SIGKILL);
        }
        finish(keeper, 1);
        return;
    }
    if (now >= keeper->kill_at && keeper->daemon > 0) {
        kill(keeper->daemon, SIGKILL);
        keeper->kill_at = NEVER;
    }
    if (now >= keeper->start_at) {
        start_daemon(keeper);
    }
}

static int wait_ms(const struct keeper *keeper)
{
    int64_t next = keeper->start_at;
    next = keeper->give_up_at < next ? keeper->give_up_at : next;
    next = keeper->kill_at < next ? keeper->kill_at : next;
    if (next == NEVER) {
        return -1;
    }
    int64_t left = next - now_ms();
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int keeper_run(const struct options *options)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        keeper_report_error(options->ready_fd, "out of memory");
        return 1;
    }
    keeper->options = options;
    keeper->mount.fd = -1;
    keeper->channel = -1;
    keeper->ready_fd = options->ready_fd;
    keeper->delay_ms = -1;
    keeper->start_at = NEVER;
    keeper->give_up_at = NEVER;
    keeper->kill_at = NEVER;
    keeper->signals = open_signals();
    start_daemon(keeper);
    while (!keeper->finished) {
        struct pollfd waits[2] = {
            { .fd = keeper->signals, .events = POLLIN },
            { .fd = keeper->channel, .events = POLLIN },
        };
        if (poll(waits, 2, wait_ms(keeper)) < 0 && errno != EINTR) {
            log_line("poll: %m");
        }
        serve_channel(keeper);
        serve_signals(keeper);
        if (!keeper->finished) {
            serve_clock(keeper);
        }
    }
    int exit_status = keeper->exit_status;
    backing_forget(&keeper->backings);
    close(keeper->signals);
    free(keeper);
    return exit_status;
}
