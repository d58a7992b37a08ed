#include "check.h"
#include "keeper_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void need_mounts(struct rig *rig)
{
    if (!can_mount()) {
        SKIP("needs root and /dev/fuse");
    }
    rig_new(rig);
}

static struct stat stat_in(const struct rig *rig, const char *name)
{
    char path[128];
    struct stat status = { 0 };
    snprintf(path, sizeof path, "%s/%s", rig->mountpoint, name);
    if (stat(path, &status) < 0) {
        check_failed(__FILE__, __LINE__, "stat %s: %s", path, strerror(errno));
    }
    return status;
}

static void expect_ready(const struct rig *rig)
{
    if (strncmp(rig->line, "ready ", 6) != 0) {
        check_failed(__FILE__, __LINE__, "not ready: `%s`", rig->line);
    }
}

static void expect_line(const struct rig *rig, const char *start, const char *part)
{
    if (strncmp(rig->line, start, strlen(start)) != 0 || strstr(rig->line, part) == NULL) {
        check_failed(__FILE__, __LINE__, "expected `%s ... %s`, got `%s`", start, part, rig->line);
    }
}

static void stop(struct rig *rig, int expected)
{
    CHECK(rig->keeper > 1);
    CHECK_EQUAL(0, kill(rig->keeper, SIGTERM));
    CHECK_EQUAL(expected, rig_wait_end(rig));
    CHECK_EQUAL(0, rig_mounts(rig));
}

static void a_mount_is_ready_when_its_line_says_so(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "plain", "--read-ahead-kb 512 --options allow_other,ro,max_read=65536");
    expect_ready(&rig);
    CHECK_EQUAL(1, rig_mounts(&rig));
    CHECK_EQUAL(rig_daemon(&rig), stat_in(&rig, "pid").st_ino);
    /* Standard streams and the channel, nothing else. */
    CHECK(rig_has_event(&rig, "hello resumed=0 fd=0 keeper=1 blob= uid=0 gid=0 descriptors=f\n"));
    struct stat root = stat_in(&rig, ".");
    char path[80];
    char value[16] = "";
    snprintf(path, sizeof path, "/sys/class/bdi/0:%u/read_ahead_kb", (unsigned)root.st_dev & 0xff);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        CHECK(fgets(value, sizeof value, file) != NULL);
        fclose(file);
        CHECK_EQUAL(512, atoi(value));
    }
    stop(&rig, 0);
}

static void sighup_reaches_the_daemon(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "plain", "--foreground");
    CHECK_EQUAL(0, kill(rig.keeper, SIGHUP));
    rig_wait_event(&rig, "hup", 1);
    stop(&rig, 0);
}

static void what_goes_wrong_before_ready_is_told_and_leaves_nothing(void)
{
    static const struct { const char *mode; const char *line; } cases[] = {
        { "early:7", "error the daemon ended with exit status 7 before the mount was ready" },
        { "early:0", "error the daemon ended with exit status 0 before the mount was ready" },
        { "late:3", "error the daemon ended with exit status 3 before the mount was ready" },
        { "fail:no such\nbucket", "error no such bucket" },
    };
    struct rig rig;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        need_mounts(&rig);
        rig_start(&rig, cases[i].mode, "");
        expect_line(&rig, cases[i].line, "");
        CHECK_EQUAL(1, rig_wait_end(&rig));
        CHECK_EQUAL(0, rig_mounts(&rig));
    }
}

static void a_bad_mount_point_is_told_with_its_remedy(void)
{
    struct rig rig;
    need_mounts(&rig);
    CHECK_EQUAL(0, rmdir(rig.mountpoint));
    rig_start(&rig, "plain", "");
    expect_line(&rig, "error mount point ", "does not exist: make it with `mkdir -p");
    CHECK_EQUAL(1, rig_wait_end(&rig));
    close(open(rig.mountpoint, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    rig_start(&rig, "plain", "");
    expect_line(&rig, "error mount point ", "is not a folder");
    CHECK_EQUAL(1, rig_wait_end(&rig));
}

static void bad_options_are_refused_with_status_2(void)
{
    static const char *const options[] = { "--options allow_all", "--user root", "--wrong", "--give-up-after soon" };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct rig rig;
        int ready;
        int status;
        char line[200] = "";
        rig_new(&rig);
        pid_t child = rig_launch(&rig, "plain", options[i], &ready);
        CHECK_EQUAL(child, waitpid(child, &status, 0));
        CHECK(WIFEXITED(status));
        CHECK_EQUAL(2, WEXITSTATUS(status));
        CHECK(read(ready, line, sizeof line - 1) > 0);
        CHECK(strncmp(line, "error ", 6) == 0);
        close(ready);
    }
}

static void a_killed_daemon_is_replaced_and_waiting_callers_only_wait(void)
{
    struct rig rig;
    char path[128];
    int status;
    need_mounts(&rig);
    rig_start(&rig, "plain", "");
    snprintf(path, sizeof path, "%s/slow", rig.mountpoint);
    pid_t caller = fork();
    if (caller == 0) {
        struct stat found;
        _exit(stat(path, &found) == 0 ? 0 : errno);
    }
    rig_wait_event(&rig, "slow\n", 1);
    pid_t first = rig_kill_daemon(&rig, SIGKILL);
    CHECK_EQUAL(caller, waitpid(caller, &status, 0));
    CHECK_EQUAL(0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    char expected[64];
    snprintf(expected, sizeof expected, "hello resumed=1 fd=1 keeper=1 blob=saved by %d ", (int)first);
    CHECK(rig_has_event(&rig, expected));
    CHECK(rig_has_event(&rig, "resend ok"));
    rig_wait_event(&rig, "ready\n", 2);
    pid_t second = rig_daemon(&rig);
    CHECK(second != first);
    CHECK_EQUAL(second, stat_in(&rig, "pid").st_ino);
    CHECK_EQUAL(1, rig_mounts(&rig));
    stop(&rig, 0);
}

static void deaths_in_a_row_are_restarted_later_and_later(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "plain", "");
    for (int death = 1; death <= 3; death++) {
        rig_kill_daemon(&rig, SIGSEGV);
        rig_wait_event(&rig, "ready\n", death + 1);
    }
    CHECK(rig_log_has(&rig, "started again in 0 ms\n"));
    CHECK(rig_log_has(&rig, "started again in 50 ms\n"));
    CHECK(rig_log_has(&rig, "started again in 100 ms\n"));
    stop(&rig, 0);
}

static void a_daemon_that_never_comes_back_ends_the_mount(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "crash-resumed", "--give-up-after 1");
    int open_folder = open(rig.mountpoint, O_RDONLY | O_DIRECTORY | O_PATH | O_CLOEXEC);
    CHECK(open_folder >= 0);
    rig_kill_daemon(&rig, SIGKILL);
    CHECK_EQUAL(1, rig_wait_end(&rig));
    CHECK_EQUAL(0, rig_mounts(&rig));
    CHECK(rig_log_has(&rig, "the daemon was not back after 1 s: the mount is aborted"));
    /* Nobody hangs: who still holds something of it gets an error. */
    struct stat status;
    CHECK(fstatat(open_folder, "pid", &status, 0) < 0);
    close(open_folder);
}

static void without_resend_a_death_means_a_new_mount(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "no-resend", "");
    rig_kill_daemon(&rig, SIGKILL);
    rig_wait_event(&rig, "ready\n", 2);
    CHECK(!rig_has_event(&rig, "resumed=1"));
    CHECK(!rig_has_event(&rig, "blob=saved"));
    CHECK_EQUAL(1, rig_mounts(&rig));
    CHECK_EQUAL(rig_daemon(&rig), stat_in(&rig, "pid").st_ino);
    stop(&rig, 0);
}

static void the_daemons_status_is_the_keepers(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "term:75", "");
    stop(&rig, 75);
    need_mounts(&rig);
    rig_start(&rig, "unmount", "");
    stop(&rig, 0);
    CHECK(rig_has_event(&rig, "unmount result=0"));
}

static void an_unmount_in_use_is_refused(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "unmount", "");
    int folder = open(rig.mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(folder >= 0);
    stop(&rig, 0);
    CHECK(rig_has_event(&rig, "unmount result=-16"));
    close(folder);
}

static void a_plain_umount_ends_daemon_and_keeper(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "plain", "");
    CHECK_EQUAL(0, umount2(rig.mountpoint, 0));
    CHECK_EQUAL(0, rig_wait_end(&rig));
    CHECK(rig_has_event(&rig, "enodev"));
}

static void a_second_sigterm_kills_a_daemon_that_hangs(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "term:stay", "");
    CHECK_EQUAL(0, kill(rig.keeper, SIGTERM));
    /* The keeper serves on: the first signal has arrived when a request of the second kind is answered. */
    CHECK_EQUAL(0, kill(rig.keeper, SIGHUP));
    rig_wait_event(&rig, "hup", 1);
    CHECK_EQUAL(rig_daemon(&rig), stat_in(&rig, "pid").st_ino);
    stop(&rig, 1);
}

static void a_dead_mount_is_cleared_also_a_stacked_one(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "plain", "");
    for (int i = 0; i < 2; i++) {
        pid_t daemon = rig_daemon(&rig);
        CHECK_EQUAL(0, kill(rig.keeper, SIGKILL));
        CHECK_EQUAL(rig.keeper, waitpid(rig.keeper, NULL, 0));
        /* The daemon sees the end of its channel and goes by itself. */
        rig_wait_event(&rig, "keeper gone", i + 1);
        CHECK(waitpid(daemon, NULL, 0) == daemon);
        CHECK_EQUAL(1, rig_mounts(&rig));
        if (i == 1) {
            int dead = open("/dev/fuse", O_RDWR | O_CLOEXEC);
            char data[80];
            snprintf(data, sizeof data, "fd=%d,rootmode=40000,user_id=0,group_id=0", dead);
            CHECK_EQUAL(0, mount("dead", rig.mountpoint, "fuse.modelfs", 0, data));
            close(dead);
            CHECK_EQUAL(2, rig_mounts(&rig));
        }
        rig_start(&rig, "plain", "");
        expect_ready(&rig);
        CHECK_EQUAL(1, rig_mounts(&rig));
        CHECK(rig_log_has(&rig, i == 0 ? "removed 1 dead mount at " : "removed 2 dead mounts at "));
    }
    CHECK_EQUAL(rig_daemon(&rig), stat_in(&rig, "pid").st_ino);
    stop(&rig, 0);
}

static void a_live_mount_is_never_removed(void)
{
    struct rig first;
    need_mounts(&first);
    rig_start(&first, "plain", "");
    pid_t serving = rig_daemon(&first);
    struct rig second = first;
    rig_start(&second, "plain", "");
    expect_line(&second, "error already mounted at ", "`modelfs unmount ");
    CHECK_EQUAL(serving, stat_in(&first, "pid").st_ino);
    CHECK_EQUAL(1, rig_mounts(&first));
    stop(&first, 0);
}

static void the_daemon_runs_as_the_named_user(void)
{
    struct rig rig;
    need_mounts(&rig);
    rig_start(&rig, "plain", "--user 65534:65534 --options allow_other");
    expect_ready(&rig);
    CHECK(rig_has_event(&rig, "uid=65534 gid=65534"));
    char path[64];
    char line[200];
    snprintf(path, sizeof path, "/proc/%d/status", (int)rig_daemon(&rig));
    FILE *file = fopen(path, "re");
    int checked = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "CapEff:", 7) == 0 || strncmp(line, "CapPrm:", 7) == 0 || strncmp(line, "CapAmb:", 7) == 0) {
            CHECK(strstr(line, "0000000000000000") != NULL);
            checked++;
        }
    }
    fclose(file);
    CHECK_EQUAL(3, checked);
    CHECK_EQUAL(rig_daemon(&rig), stat_in(&rig, "pid").st_ino);
    stop(&rig, 0);
}

static void expect_content(int fd)
{
    char content[8] = "";
    CHECK_EQUAL(5, pread(fd, content, sizeof content, 0));
    CHECK(memcmp(content, "12345", 5) == 0);
}

/* The daemon runs as nobody: registering, and reading while it is dead, are the keeper's and the kernel's work. */
static void backing_ids_survive_the_daemon(void)
{
    struct rig rig;
    char path[128];
    need_mounts(&rig);
    snprintf(path, sizeof path, "%s/data", rig.folder);
    int data = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    CHECK_EQUAL(5, write(data, "12345", 5));
    close(data);
    rig_start(&rig, "backing", "--user 65534:65534 --options allow_other");
    snprintf(path, sizeof path, "%s/data", rig.mountpoint);
    int held = open(path, O_RDONLY | O_CLOEXEC);
    rig_wait_event(&rig, "backing result=", 1);
    if (held < 0 && !rig_has_event(&rig, "result=0")) {
        stop(&rig, 0);
        SKIP("BACKING_OPEN is not possible here");
    }
    CHECK(held >= 0);
    CHECK(rig_has_event(&rig, "backing result=0 id=1\n"));
    expect_content(held);
    rig_kill_daemon(&rig, SIGSTOP);
    expect_content(held);
    rig_kill_daemon(&rig, SIGKILL);
    rig_wait_event(&rig, "ready\n", 2);
    int again = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(again >= 0);
    rig_wait_event(&rig, "backing result=0 id=1\n", 2);
    expect_content(again);
    close(again);
    close(held);
    stop(&rig, 0);
}

static void without_privilege_fusermount_is_asked(void)
{
    struct rig rig;
    struct stat device;
    need_mounts(&rig);
    if (access("/usr/bin/fusermount3", X_OK) < 0 || stat("/dev/fuse", &device) < 0) {
        SKIP("needs fusermount3");
    }
    CHECK_EQUAL(0, chown(rig.mountpoint, 65534, 65534));
    bool open_to_all = (device.st_mode & 0006) == 0006;
    pid_t child = fork();
    if (child == 0) {
        /* Everything of this process goes with it; the keeper that it starts is an orphan and becomes ours. */
        if (setgid(65534) < 0 || setuid(65534) < 0) {
            _exit(98);
        }
        rig_start(&rig, "plain", "");
        printf("%s\n", rig.line);
        bool as_expected = open_to_all ? strncmp(rig.line, "ready ", 6) == 0
                                       : strstr(rig.line, "error /dev/fuse is closed to this user: `chmod 0666 /dev/fuse`") != NULL;
        if (open_to_all) {
            as_expected = as_expected && stat_in(&rig, "pid").st_ino == (ino_t)rig_daemon(&rig) && kill(rig.keeper, SIGTERM) == 0;
        }
        _exit(as_expected ? 0 : 1);
    }
    int status;
    CHECK_EQUAL(child, waitpid(child, &status, 0));
    CHECK_EQUAL(0, status);
    CHECK_EQUAL(open_to_all ? 0 : 1, rig_wait_end(&rig));
    CHECK_EQUAL(0, rig_mounts(&rig));
}

void keeper_tests(void)
{
    static const struct test tests[] = {
        { "a mount is ready when its line says so", a_mount_is_ready_when_its_line_says_so },
        { "SIGHUP reaches the daemon", sighup_reaches_the_daemon },
        { "what goes wrong before ready is told and leaves nothing", what_goes_wrong_before_ready_is_told_and_leaves_nothing },
        { "a bad mount point is told with its remedy", a_bad_mount_point_is_told_with_its_remedy },
        { "bad options are refused with status 2", bad_options_are_refused_with_status_2 },
        { "a killed daemon is replaced and waiting callers only wait", a_killed_daemon_is_replaced_and_waiting_callers_only_wait },
        { "deaths in a row are restarted later and later", deaths_in_a_row_are_restarted_later_and_later },
        { "a daemon that never comes back ends the mount", a_daemon_that_never_comes_back_ends_the_mount },
        { "without resend a death means a new mount", without_resend_a_death_means_a_new_mount },
        { "the daemon's status is the keeper's", the_daemons_status_is_the_keepers },
        { "an unmount in use is refused", an_unmount_in_use_is_refused },
        { "a plain umount ends daemon and keeper", a_plain_umount_ends_daemon_and_keeper },
        { "a second SIGTERM kills a daemon that hangs", a_second_sigterm_kills_a_daemon_that_hangs },
        { "a dead mount is cleared, also a stacked one", a_dead_mount_is_cleared_also_a_stacked_one },
        { "a live mount is never removed", a_live_mount_is_never_removed },
        { "the daemon runs as the named user", the_daemon_runs_as_the_named_user },
        { "backing ids survive the daemon", backing_ids_survive_the_daemon },
        { "without privilege fusermount is asked", without_privilege_fusermount_is_asked },
    };
    run_tests("keeper", TESTS(tests));
    rig_clean();
}
