#include "keeper_rig.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000

static struct rig last;

void pause_ms(int ms)
{
    struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
    nanosleep(&time, NULL);
}

bool can_mount(void)
{
    return geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0;
}

static bool contains(const char *folder, const char *name, const char *text, int count)
{
    char path[128];
    static char content[1 << 16];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, content, sizeof content - 1);
    if (fd >= 0) {
        close(fd);
    }
    content[length < 0 ? 0 : length] = '\0';
    for (const char *at = content; count > 0; count--) {
        at = strstr(at, text);
        if (at == NULL) {
            return false;
        }
        at++;
    }
    return true;
}

bool rig_has_event(const struct rig *rig, const char *text)
{
    return contains(rig->folder, "events", text, 1);
}

bool rig_log_has(const struct rig *rig, const char *text)
{
    return contains(rig->folder, "log", text, 1);
}

void rig_wait_event(struct rig *rig, const char *text, int count)
{
    for (int waited = 0; !contains(rig->folder, "events", text, count); waited += 5) {
        if (waited > PATIENCE_MS) {
            check_failed(__FILE__, __LINE__, "no event `%s` (%d times) in %s", text, count, rig->folder);
        }
        pause_ms(5);
    }
}

pid_t rig_daemon(const struct rig *rig)
{
    char path[128];
    int pid = 0;
    snprintf(path, sizeof path, "%s/pid", rig->folder);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &pid) != 1) {
            pid = 0;
        }
        fclose(file);
    }
    return pid;
}

pid_t rig_kill_daemon(const struct rig *rig, int signal)
{
    pid_t daemon = rig_daemon(rig);
    /* 0 and -1 would mean whole groups. */
    CHECK(daemon > 1);
    CHECK_EQUAL(0, kill(daemon, signal));
    return daemon;
}

int rig_mounts(const struct rig *rig)
{
    int count = 0;
    char line[4096];
    char mine[100];
    /* As the kernel writes a space. */
    snprintf(mine, sizeof mine, " %s/mount\\040point ", rig->folder);
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        count += strstr(line, mine) != NULL;
    }
    fclose(file);
    return count;
}

void rig_clean(void)
{
    if (last.folder[0] == '\0') {
        return;
    }
    pid_t daemon = rig_daemon(&last);
    if (last.keeper > 1 && kill(last.keeper, SIGKILL) == 0) {
        waitpid(last.keeper, NULL, 0);
    }
    if (daemon > 1) {
        kill(daemon, SIGKILL);
    }
    while (umount2(last.mountpoint, MNT_FORCE | MNT_DETACH) == 0) {
    }
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    char command[128];
    snprintf(command, sizeof command, "rm -rf -- '%s'", last.folder);
    if (system(command) != 0) {
        printf("%s was not removed\n", last.folder);
    }
    last.folder[0] = '\0';
}

void rig_new(struct rig *rig)
{
    rig_clean();
    memset(rig, 0, sizeof *rig);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    strcpy(rig->folder, "/tmp/modelfs-keeper-test-XXXXXX");
    CHECK(mkdtemp(rig->folder) != NULL);
    CHECK(chmod(rig->folder, 0777) == 0);
    snprintf(rig->mountpoint, sizeof rig->mountpoint, "%s/mount point", rig->folder);
    CHECK(mkdir(rig->mountpoint, 0755) == 0);
    last = *rig;
}

pid_t rig_launch(struct rig *rig, const char *mode, const char *options, int *ready)
{
    int ends[2];
    char log[80];
    char number[16];
    char copy[200];
    char *arguments[32] = { "./modelfs-keeper", "--mountpoint", rig->mountpoint, "--fsname", "keeper test, with a comma" };
    int count = 5;
    char *rest = NULL;

    snprintf(log, sizeof log, "%s/log", rig->folder);
    snprintf(copy, sizeof copy, "%s", options);
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    snprintf(number, sizeof number, "%d", ends[1]);
    arguments[count++] = "--log";
    arguments[count++] = log;
    arguments[count++] = "--ready-fd";
    arguments[count++] = number;
    for (char *option = strtok_r(copy, " ", &rest); option != NULL; option = strtok_r(NULL, " ", &rest)) {
        arguments[count++] = option;
    }
    arguments[count++] = "--";
    arguments[count++] = "./fake-daemon";
    arguments[count++] = (char *)mode;
    arguments[count++] = rig->folder;
    arguments[count] = NULL;
    pid_t child = fork();
    if (child == 0) {
        fcntl(ends[1], F_SETFD, 0);
        execv(arguments[0], arguments);
        _exit(99);
    }
    close(ends[1]);
    *ready = ends[0];
    return child;
}

void rig_start(struct rig *rig, const char *mode, const char *options)
{
    int ready;
    int status;
    size_t length = 0;
    pid_t child = rig_launch(rig, mode, options, &ready);
    if (strstr(options, "--foreground") == NULL) {
        CHECK_EQUAL(child, waitpid(child, &status, 0));
        CHECK(WIFEXITED(status));
    } else {
        rig->keeper = child;
    }
    struct pollfd wait = { .fd = ready, .events = POLLIN };
    ssize_t got;
    do {
        CHECK(poll(&wait, 1, PATIENCE_MS) == 1);
        got = read(ready, rig->line + length, sizeof rig->line - 1 - length);
        length += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    close(ready);
    rig->line[length] = '\0';
    CHECK(length == 0 || rig->line[length - 1] == '\n');
    rig->line[length > 0 ? length - 1 : 0] = '\0';
    int pid;
    if (sscanf(rig->line, "ready %d", &pid) == 1) {
        rig->keeper = pid;
    }
    last = *rig;
    if (strncmp(rig->line, "ready ", 6) == 0) {
        // The daemon writes its own line a moment after the keeper's; a test that kills it earlier would wait for that line in vain.
        rig_wait_event(rig, "ready\n", 1);
    }
}

int rig_wait_end(struct rig *rig)
{
    int status = 0;
    pid_t ended = 0;
    for (int waited = 0; ended == 0; waited += 5) {
        ended = waitpid(rig->keeper > 0 ? rig->keeper : -1, &status, WNOHANG);
        if (waited > PATIENCE_MS) {
            check_failed(__FILE__, __LINE__, "the keeper did not end");
        }
        pause_ms(ended == 0 ? 5 : 0);
    }
    last.keeper = 0;
    CHECK(ended > 0);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}
