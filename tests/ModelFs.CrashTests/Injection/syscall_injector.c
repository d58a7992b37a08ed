/*
 * Runs a program, with all that it starts, and makes the n-th system call on some folders fail, or be the last one.
 *
 *     syscall_injector FOLDER… -- PROGRAM ARGUMENT…
 *
 * Only calls that create, write, sync, rename, remove or open something below a FOLDER are seen. One command per line of standard input:
 *
 *     arm N fail ERRNO TIMES CLASSES    from now on the N-th call of one of the CLASSES fails, and the next TIMES - 1 too (0: all)
 *     arm N kill CLASSES                the N-th call does not happen: its process is killed
 *     arm N killall CLASSES             the same, and every other process too
 *     off                               prints "count N", the calls since `arm`
 *     trace on|off                      prints every call
 *     go                                starts the program
 *
 * CLASSES are letters: c open for writing, r open for reading, w write, t truncate or allocate, s sync, n rename or link, u unlink or rmdir,
 * m mkdir, a attributes. Prints "hit N CALL PATH" when it acts. Its input's end kills everything that still runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers of this machine are not known here"
#endif

#define TRACEES_MAX 4096

/* Where a call names its file. */
enum by { FD, PATH, AT };

struct call {
    int number;
    const char *name;
    char class; /* 'o': told by the flags of open */
    enum by by;
    int argument; /* of the descriptor, the path, or the folder's descriptor with the path behind it */
};

static const struct call calls[] = {
    {SYS_open, "open", 'o', PATH, 0},           {SYS_openat, "openat", 'o', AT, 0},
    {SYS_creat, "creat", 'c', PATH, 0},         {SYS_write, "write", 'w', FD, 0},
    {SYS_pwrite64, "pwrite64", 'w', FD, 0},     {SYS_writev, "writev", 'w', FD, 0},
    {SYS_pwritev, "pwritev", 'w', FD, 0},       {SYS_copy_file_range, "copy_file_range", 'w', FD, 2},
    {SYS_ftruncate, "ftruncate", 't', FD, 0},   {SYS_truncate, "truncate", 't', PATH, 0},
    {SYS_fallocate, "fallocate", 't', FD, 0},   {SYS_fsync, "fsync", 's', FD, 0},
    {SYS_fdatasync, "fdatasync", 's', FD, 0},   {SYS_rename, "rename", 'n', PATH, 1},
    {SYS_renameat, "renameat", 'n', AT, 2},     {SYS_renameat2, "renameat2", 'n', AT, 2},
    {SYS_link, "link", 'n', PATH, 1},           {SYS_linkat, "linkat", 'n', AT, 2},
    {SYS_symlink, "symlink", 'n', PATH, 1},     {SYS_symlinkat, "symlinkat", 'n', AT, 1},
    {SYS_unlink, "unlink", 'u', PATH, 0},       {SYS_unlinkat, "unlinkat", 'u', AT, 0},
    {SYS_rmdir, "rmdir", 'u', PATH, 0},         {SYS_mkdir, "mkdir", 'm', PATH, 0},
    {SYS_mkdirat, "mkdirat", 'm', AT, 0},       {SYS_chmod, "chmod", 'a', PATH, 0},
    {SYS_fchmod, "fchmod", 'a', FD, 0},         {SYS_fchmodat, "fchmodat", 'a', AT, 0},
    {SYS_utimensat, "utimensat", 'a', AT, 0},
};
#define CALL_COUNT (sizeof calls / sizeof *calls)

static char **folders;
static char **program;
static int folder_count;
static pid_t tracees[TRACEES_MAX];
static int tracee_count;

static struct {
    long at; /* 0: not armed */
    long count;
    enum { FAIL, KILL, KILL_ALL } action;
    int error;
    long times; /* 0: for ever */
    char classes[16];
    int done;
} armed;
static int tracing;

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void remember(pid_t pid)
{
    for (int i = 0; i < tracee_count; i++) {
        if (tracees[i] == pid) {
            return;
        }
    }
    if (tracee_count < TRACEES_MAX) {
        tracees[tracee_count++] = pid;
    }
}

static void forget(pid_t pid)
{
    for (int i = 0; i < tracee_count; i++) {
        if (tracees[i] == pid) {
            tracees[i] = tracees[--tracee_count];
        }
    }
}

static pid_t process_of(pid_t thread)
{
    char path[64], line[128];
    int process = thread;
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "Tgid: %d", &process) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return process;
}

static void kill_all(void)
{
    for (int i = 0; i < tracee_count; i++) {
        kill(process_of(tracees[i]), SIGKILL);
    }
}

/* Reads a C string of another process, never over the end of a page at once. */
static void read_text(pid_t pid, unsigned long address, char *text, size_t size)
{
    size_t got = 0;
    while (got < size - 1) {
        size_t want = 4096 - (address + got) % 4096;
        if (want > size - 1 - got) {
            want = size - 1 - got;
        }
        struct iovec to = {text + got, want}, from = {(void *)(address + got), want};
        ssize_t count = process_vm_readv(pid, &to, 1, &from, 1, 0);
        if (count <= 0) {
            break;
        }
        if (memchr(text + got, 0, (size_t)count) != NULL) {
            return;
        }
        got += (size_t)count;
    }
    text[got] = 0;
}

static void read_link(pid_t pid, int fd, char *text, size_t size)
{
    char path[64];
    if (fd == AT_FDCWD) {
        snprintf(path, sizeof path, "/proc/%d/cwd", pid);
    } else {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
    }
    ssize_t count = readlink(path, text, size - 1);
    text[count < 0 ? 0 : count] = 0;
}

static void path_of(pid_t pid, const struct call *call, const unsigned long *arguments, char *text, size_t size)
{
    char name[4096];
    int folder = AT_FDCWD;
    unsigned long address = arguments[call->argument];
    if (call->by == FD) {
        read_link(pid, (int)address, text, size);
        return;
    }
    if (call->by == AT) {
        folder = (int)arguments[call->argument];
        address = arguments[call->argument + 1];
    }
    if (address == 0) {
        read_link(pid, folder, text, size);
        return;
    }
    read_text(pid, address, name, sizeof name);
    if (name[0] == '/') {
        snprintf(text, size, "%s", name);
        return;
    }
    read_link(pid, folder, text, size);
    size_t length = strlen(text);
    snprintf(text + length, size - length, "/%s", name);
}

static int is_watched(const char *path)
{
    for (int i = 0; i < folder_count; i++) {
        size_t length = strlen(folders[i]);
        if (strncmp(path, folders[i], length) == 0 && (path[length] == '/' || path[length] == 0)) {
            return 1;
        }
    }
    return 0;
}

static char class_of(const struct call *call, const unsigned long *arguments)
{
    if (call->class != 'o') {
        return call->class;
    }
    unsigned long flags = arguments[call->by == AT ? 2 : 1];
    return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_ACCMODE) != O_RDONLY ? 'c' : 'r';
}

/* Decides about a call that is about to happen. */
static void consider(pid_t pid)
{
    struct user_regs_struct registers;
    char path[8192];
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0) {
        return;
    }
    const unsigned long arguments[] = {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9};
    const struct call *call = NULL;
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (calls[i].number == (int)registers.orig_rax) {
            call = &calls[i];
        }
    }
    if (call == NULL || (armed.at == 0 && !tracing)) {
        return;
    }
    path_of(pid, call, arguments, path, sizeof path);
    if (!is_watched(path)) {
        return;
    }
    if (tracing) {
        say("call %c %s %s", class_of(call, arguments), call->name, path);
    }
    if (armed.at == 0 || strchr(armed.classes, class_of(call, arguments)) == NULL) {
        return;
    }
    armed.count++;
    if (armed.count < armed.at || (armed.times > 0 && armed.done >= armed.times)) {
        return;
    }
    if (armed.done++ == 0) {
        say("hit %ld %s %s", armed.count, call->name, path);
    }
    switch (armed.action) {
    case FAIL:
        registers.orig_rax = (unsigned long)-1;
        registers.rax = (unsigned long)-armed.error;
        ptrace(PTRACE_SETREGS, pid, 0, &registers);
        break;
    case KILL:
        kill(process_of(pid), SIGKILL);
        break;
    case KILL_ALL:
        kill_all();
        break;
    }
}

/* Has the kernel stop only at the calls of the table: everything else runs at full speed. */
static void install_filter(void)
{
    struct sock_filter filter[CALL_COUNT + 3];
    filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALL_COUNT; i++) {
        filter[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, (unsigned char)(CALL_COUNT - i), 0);
    }
    filter[CALL_COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[CALL_COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = {CALL_COUNT + 3, filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        die("seccomp");
    }
}

static void start(void)
{
    int ready[2];
    char byte = 0;
    if (pipe(ready) < 0) {
        die("pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1) {
            _exit(1);
        }
        close(ready[0]);
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        install_filter();
        execvp(program[0], program);
        die(program[0]);
    }
    long options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;
    if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, options) < 0) {
        die("ptrace");
    }
    remember(pid);
    close(ready[0]);
    if (write(ready[1], &byte, 1) != 1) {
        die("pipe");
    }
    close(ready[1]);
}

static void obey(char *line)
{
    char word[16] = "";
    if (strncmp(line, "arm", 3) == 0) {
        memset(&armed, 0, sizeof armed);
    }
    if (sscanf(line, "arm %ld fail %d %ld %15s", &armed.at, &armed.error, &armed.times, armed.classes) == 4) {
        armed.action = FAIL;
        say("armed");
    } else if (sscanf(line, "arm %ld killall %15s", &armed.at, armed.classes) == 2) {
        armed.action = KILL_ALL;
        armed.times = 1;
        say("armed");
    } else if (sscanf(line, "arm %ld kill %15s", &armed.at, armed.classes) == 2) {
        armed.action = KILL;
        armed.times = 1;
        say("armed");
    } else if (strcmp(line, "off") == 0) {
        armed.at = 0;
        say("count %ld", armed.count);
    } else if (strcmp(line, "go") == 0) {
        start();
        say("started");
    } else if (sscanf(line, "trace %15s", word) == 1) {
        tracing = strcmp(word, "on") == 0;
        say("trace");
    } else {
        say("what? %s", line);
    }
}

/* Takes what has come in on standard input; 0 at its end. */
static int take_commands(void)
{
    static char buffer[4096];
    static size_t used;
    ssize_t count = read(STDIN_FILENO, buffer + used, sizeof buffer - used - 1);
    if (count <= 0) {
        return 0;
    }
    used += (size_t)count;
    buffer[used] = 0;
    for (char *end; (end = strchr(buffer, '\n')) != NULL;) {
        *end = 0;
        obey(buffer);
        used -= (size_t)(end + 1 - buffer);
        memmove(buffer, end + 1, used + 1);
    }
    return 1;
}

static void take_event(pid_t pid, int status)
{
    int event = status >> 16, number = WSTOPSIG(status);
    long pass = 0;
    remember(pid);
    if (event == PTRACE_EVENT_SECCOMP) {
        consider(pid);
    } else if (event == PTRACE_EVENT_STOP) {
        if (number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU) {
            ptrace(PTRACE_LISTEN, pid, 0, 0);
            return;
        }
    } else if (event == 0) {
        pass = number;
    }
    ptrace(PTRACE_CONT, pid, 0, pass);
}

static void take_events(void)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        if (WIFSTOPPED(status)) {
            take_event(pid, status);
        } else {
            forget(pid);
        }
    }
    if (pid < 0 && errno == ECHILD) {
        exit(0);
    }
}

int main(int count, char **words)
{
    int at = 1;
    folders = words + 1;
    while (at < count && strcmp(words[at], "--") != 0) {
        at++;
        folder_count++;
    }
    if (at + 1 >= count) {
        fprintf(stderr, "syscall_injector FOLDER... -- PROGRAM ARGUMENT...\n");
        return 2;
    }

    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Processes that lose their parent become this one's children, so that their end is seen. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    program = words + at + 1;
    struct pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {signals, POLLIN, 0}};
    for (;;) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR) {
            die("poll");
        }
        if (watched[1].revents != 0) {
            struct signalfd_siginfo taken;
            while (read(signals, &taken, sizeof taken) > 0) {
            }
            take_events();
        }
        if (watched[0].revents != 0 && !take_commands()) {
            kill_all();
            watched[0].fd = -1;
            take_events();
        }
    }
}
