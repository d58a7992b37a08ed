/*
 * The smallest daemon that can hold a mount: `fake-daemon MODE FOLDER`. It writes what happens to it, line by line, to
 * FOLDER/events, and its pid to FOLDER/pid. MODE is a list of words:
 *   early:N         exits with status N before it asks for the mount
 *   late:N          exits with status N between MOUNT and READY
 *   fail:TEXT       gives up with this reason instead of asking for the mount
 *   no-resend       says that the kernel can't resend
 *   crash-resumed   a resumed one exits at once with status 9
 *   term:N          exits with status N at SIGTERM (default 0); term:stay ignores it
 *   unmount         asks for UNMOUNT before it exits at SIGTERM
 *   backing         serves /data by passthrough
 * The mount shows /pid (its inode number is the serving process), /data, and /slow, which only a resumed daemon answers.
 */
#include "../keeper/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODE_PID 2
#define NODE_DATA 3
#define NODE_SLOW 4
#define INIT_FLAGS2_PASSTHROUGH (1u << 5)
#define OPEN_PASSTHROUGH (1u << 7)
#define NOTIFY_RESEND 7

static const char *mode;
static char folder[200];
static int fuse_fd = -1;
static bool resumed;
static uint32_t sequence;
static volatile sig_atomic_t terminated;
static volatile sig_atomic_t hung_up;

static void event(const char *format, ...)
{
    char path[256];
    char line[4400];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    snprintf(path, sizeof path, "%s/events", folder);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, line, (size_t)length) != length) {
        abort();
    }
    close(fd);
}

static const char *word(const char *name)
{
    const char *found = strstr(mode, name);
    return found == NULL ? NULL : found + strlen(name);
}

/* Sends and waits for the answer, whose descriptor is left in *answer. */
static void call(struct message_header header, const void *payload, size_t length, int fd, struct message *answer)
{
    struct pollfd wait = { .fd = CHANNEL_DAEMON_FD, .events = POLLIN };
    header.sequence = ++sequence;
    if (channel_send(CHANNEL_DAEMON_FD, &header, payload, length, fd) < 0) {
        exit(20);
    }
    int received;
    while ((received = channel_receive(CHANNEL_DAEMON_FD, answer)) == -EAGAIN) {
        poll(&wait, 1, -1);
    }
    if (received == 0 || answer->header.sequence != sequence || answer->header.type != header.type) {
        exit(21);
    }
}

static void reply(uint64_t unique, int error, const void *body, size_t length)
{
    char packet[512];
    struct fuse_out_header header = { .len = (uint32_t)(sizeof header + length), .error = error, .unique = unique };
    memcpy(packet, &header, sizeof header);
    if (length > 0) {
        memcpy(packet + sizeof header, body, length);
    }
    if (write(fuse_fd, packet, sizeof header + length) < 0 && errno != ENOENT) {
        event("reply failed %d", errno);
    }
}

static struct fuse_attr attributes(uint64_t node)
{
    struct fuse_attr attr = { .ino = node, .nlink = 1, .mode = S_IFREG | 0644, .blksize = 4096, .size = 5 };
    if (node == FUSE_ROOT_ID) {
        attr.mode = S_IFDIR | 0755;
    } else if (node == NODE_PID) {
        attr.ino = (uint64_t)getpid();
    }
    return attr;
}

static void serve_lookup(const struct fuse_in_header *in, const char *name)
{
    struct fuse_entry_out entry = { .nodeid = strcmp(name, "pid") == 0 ? NODE_PID : strcmp(name, "data") == 0 ? NODE_DATA
                                              : strcmp(name, "slow") == 0 ? NODE_SLOW : 0 };
    if (entry.nodeid == NODE_SLOW && !resumed) {
        event("slow");
        return;
    }
    if (entry.nodeid == 0) {
        reply(in->unique, -ENOENT, NULL, 0);
        return;
    }
    entry.attr = attributes(entry.nodeid);
    reply(in->unique, 0, &entry, sizeof entry);
}

static void serve_open(const struct fuse_in_header *in)
{
    struct fuse_open_out out = { 0 };
    if (in->nodeid == NODE_DATA && word("backing") != NULL) {
        struct message answer;
        char path[256];
        snprintf(path, sizeof path, "%s/data", folder);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        call((struct message_header){ .type = MESSAGE_BACKING_OPEN, .node_id = in->nodeid }, NULL, 0, fd, &answer);
        close(fd);
        event("backing result=%d id=%lld", answer.header.result, (long long)answer.header.value);
        if (answer.header.result < 0) {
            reply(in->unique, answer.header.result, NULL, 0);
            return;
        }
        out.open_flags = OPEN_PASSTHROUGH;
        out.padding = (uint32_t)answer.header.value;
    }
    reply(in->unique, 0, &out, sizeof out);
}

static void serve_init(const struct fuse_in_header *in, const struct fuse_init_in *init)
{
    struct {
        struct fuse_init_out out;
    } body = { 0 };
    body.out.major = 7;
    body.out.minor = init->minor < 45 ? init->minor : 45;
    body.out.max_readahead = init->max_readahead;
    body.out.max_write = 4096;
    body.out.max_pages = 1;
    body.out.time_gran = 1;
    if (init->flags & FUSE_INIT_EXT) {
        body.out.flags = FUSE_INIT_EXT;
        body.out.flags2 = init->flags2 & INIT_FLAGS2_PASSTHROUGH;
        body.out.unused[0] = 1; /* max_stack_depth */
    }
    reply(in->unique, 0, &body, sizeof body);
    event("init");
}

static void serve(const struct fuse_in_header *in, const void *body)
{
    struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
    struct fuse_statfs_out statfs = { .st = { .bsize = 4096, .namelen = 255 } };
    switch (in->opcode) {
    case FUSE_INIT:
        serve_init(in, body);
        break;
    case FUSE_LOOKUP:
        serve_lookup(in, body);
        break;
    case FUSE_GETATTR:
        reply(in->unique, 0, &attr, sizeof attr);
        break;
    case FUSE_OPEN:
        serve_open(in);
        break;
    case FUSE_STATFS:
        reply(in->unique, 0, &statfs, sizeof statfs);
        break;
    case FUSE_RELEASE:
        reply(in->unique, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break;
    default:
        reply(in->unique, -ENOSYS, NULL, 0);
        break;
    }
}

static void on_signal(int signal)
{
    if (signal == SIGHUP) {
        hung_up = 1;
    } else {
        terminated++;
    }
}

static int stop(void)
{
    struct message answer;
    event("terminated");
    if (word("unmount") != NULL) {
        call((struct message_header){ .type = MESSAGE_UNMOUNT }, NULL, 0, -1, &answer);
        event("unmount result=%d", answer.header.result);
    }
    const char *status = word("term:");
    return status == NULL ? 0 : atoi(status);
}

/* Reads one request and answers it; false when the mount is gone. */
static bool serve_one(void)
{
    static char buffer[1 << 17];
    ssize_t length = read(fuse_fd, buffer, sizeof buffer);
    if (length >= (ssize_t)sizeof(struct fuse_in_header)) {
        serve((const struct fuse_in_header *)buffer, buffer + sizeof(struct fuse_in_header));
    }
    return length >= 0 || errno != ENODEV;
}

static int loop(void)
{
    struct pollfd waits[2] = { { .fd = fuse_fd, .events = POLLIN }, { .fd = CHANNEL_DAEMON_FD, .events = POLLIN } };
    for (;;) {
        if (terminated && strstr(mode, "term:stay") == NULL) {
            return stop();
        }
        if (hung_up) {
            hung_up = 0;
            event("hup");
        }
        if (poll(waits, 2, 20) <= 0) {
            continue;
        }
        if (waits[1].revents & (POLLHUP | POLLIN)) {
            event("keeper gone");
            return 0;
        }
        if (!serve_one()) {
            event("enodev");
            return 0;
        }
    }
}

static unsigned open_descriptors(void)
{
    unsigned mask = 0;
    for (int fd = 0; fd < 30; fd++) {
        mask |= fcntl(fd, F_GETFD) >= 0 ? 1u << fd : 0;
    }
    return mask;
}

static void hello(void)
{
    struct message message;
    struct pollfd wait = { .fd = CHANNEL_DAEMON_FD, .events = POLLIN };
    unsigned descriptors = open_descriptors();
    poll(&wait, 1, -1);
    if (channel_receive(CHANNEL_DAEMON_FD, &message) != 1 || message.header.type != MESSAGE_HELLO) {
        exit(22);
    }
    resumed = (message.header.flags & HELLO_RESUMED) != 0;
    fuse_fd = message.fd;
    event("hello resumed=%d fd=%d keeper=%d blob=%s uid=%d gid=%d descriptors=%x", resumed, message.fd >= 0,
          message.header.value == getppid(), message.payload, (int)getuid(), (int)getgid(), descriptors);
}

int main(int argc, char **argv)
{
    struct message answer;
    char text[256];
    if (argc != 3) {
        return 23;
    }
    mode = argv[1];
    snprintf(folder, sizeof folder, "%s", argv[2]);
    snprintf(text, sizeof text, "%s/pid", folder);
    FILE *file = fopen(text, "w");
    if (file == NULL) {
        return 24;
    }
    fprintf(file, "%d\n", (int)getpid());
    fclose(file);
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    hello();
    if (word("early:") != NULL) {
        return atoi(word("early:"));
    }
    if (word("fail:") != NULL) {
        call((struct message_header){ .type = MESSAGE_FAIL }, word("fail:"), strlen(word("fail:")), -1, &answer);
        return 0;
    }
    if (resumed && word("crash-resumed") != NULL) {
        return 9;
    }
    if (resumed) {
        struct fuse_out_header resend = { .len = sizeof resend, .error = NOTIFY_RESEND };
        event("resend %s", write(fuse_fd, &resend, sizeof resend) == sizeof resend ? "ok" : strerror(errno));
    } else {
        call((struct message_header){ .type = MESSAGE_MOUNT }, NULL, 0, -1, &answer);
        if (answer.header.result < 0) {
            call((struct message_header){ .type = MESSAGE_FAIL }, answer.payload, answer.length, -1, &answer);
            return 0;
        }
        fuse_fd = answer.fd;
        if (word("late:") != NULL) {
            return atoi(word("late:"));
        }
        /* The first request is INIT; only its flags tell whether the kernel can resend. */
        serve_one();
    }
    snprintf(text, sizeof text, "saved by %d", (int)getpid());
    call((struct message_header){ .type = MESSAGE_SAVE }, text, strlen(text), -1, &answer);
    call((struct message_header){ .type = MESSAGE_READY, .flags = word("no-resend") == NULL }, NULL, 0, -1, &answer);
    event("ready");
    return loop();
}
