#include "requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long a daemon that gave up may take for its own end. */
#define FAILED_GRACE_MS 5000

static void answer(struct keeper *keeper, const struct message *request, int result, int64_t value, const char *text, int fd)
{
    struct message_header header = request->header;
    header.result = result;
    header.flags = 0;
    header.value = value;
    int sent = channel_send(keeper->channel, &header, text, strlen(text), fd);
    if (sent < 0 && sent != -EPIPE && sent != -ECONNRESET) {
        log_line("an answer to the daemon was lost: %s", strerror(-sent));
    }
}

static void handle_mount(struct keeper *keeper, const struct message *request)
{
    struct failure failure;
    if (keeper->mount.fd < 0 && mount_start(&keeper->mount, keeper->options, &failure) < 0) {
        answer(keeper, request, -failure.error, 0, failure.text, -1);
        return;
    }
    answer(keeper, request, 0, 0, "", keeper->mount.fd);
}

static void handle_ready(struct keeper *keeper, const struct message *request)
{
    char line[32];
    if (keeper->mount.fd < 0) {
        answer(keeper, request, -ENOTCONN, 0, "READY came before MOUNT", -1);
        return;
    }
    keeper->can_resend = (request->header.flags & READY_CAN_RESEND) != 0;
    keeper->was_ready = true;
    keeper->give_up_at = NEVER;
    mount_set_read_ahead(&keeper->mount, keeper->options->read_ahead_kb);
    answer(keeper, request, 0, 0, "", -1);
    snprintf(line, sizeof line, "ready %d\n", (int)getpid());
    report(keeper, line);
}

static void handle_fail(struct keeper *keeper, const struct message *request)
{
    report_error(keeper, request->payload[0] != '\0' ? request->payload : "the daemon gave up without a reason");
    keeper->failed = true;
    keeper->kill_at = now_ms() + FAILED_GRACE_MS;
    mount_abandon(&keeper->mount);
    answer(keeper, request, 0, 0, "", -1);
}

static void handle_backing_open(struct keeper *keeper, const struct message *request)
{
    int id = keeper->mount.fd < 0 ? -ENOTCONN : request->fd < 0 ? -EBADF
             : backing_open(&keeper->backings, keeper->mount.fd, request->header.node_id, request->fd);
    answer(keeper, request, id < 0 ? id : 0, id < 0 ? 0 : id, "", -1);
}

static void handle_unmount(struct keeper *keeper, const struct message *request)
{
    struct failure failure;
    if (mount_stop(&keeper->mount, (request->header.flags & UNMOUNT_LAZY) != 0, &failure) < 0) {
        answer(keeper, request, -failure.error, 0, failure.text, -1);
    } else {
        answer(keeper, request, 0, 0, "", -1);
    }
}

void requests_handle(struct keeper *keeper, const struct message *request)
{
    switch (request->header.type) {
    case MESSAGE_MOUNT:
        handle_mount(keeper, request);
        break;
    case MESSAGE_READY:
        handle_ready(keeper, request);
        break;
    case MESSAGE_FAIL:
        handle_fail(keeper, request);
        break;
    case MESSAGE_SAVE:
        memcpy(keeper->saved, request->payload, request->length);
        keeper->saved_length = request->length;
        answer(keeper, request, 0, 0, "", -1);
        break;
    case MESSAGE_BACKING_OPEN:
        handle_backing_open(keeper, request);
        break;
    case MESSAGE_BACKING_CLOSE:
        answer(keeper, request, backing_close(&keeper->backings, keeper->mount.fd, request->header.node_id), 0, "", -1);
        break;
    case MESSAGE_UNMOUNT:
        handle_unmount(keeper, request);
        break;
    default:
        answer(keeper, request, -ENOSYS, 0, "this keeper does not know the message", -1);
        break;
    }
}
