#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

_Static_assert(sizeof(struct message_header) == 32, "the header is 32 bytes on the wire");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire is little endian");

int channel_pair(int ends[2])
{
    /* A daemon that does not read its answers must not stop the keeper for ever. */
    struct timeval patience = { .tv_sec = 5 };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0) {
        return -errno;
    }
    return 0;
}

int channel_send(int channel, const struct message_header *header, const void *payload, size_t length, int fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec parts[2] = {
        { .iov_base = (void *)header, .iov_len = sizeof *header },
        { .iov_base = (void *)payload, .iov_len = length },
    };
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2 };
    if (fd >= 0) {
        packet.msg_control = control.space;
        packet.msg_controllen = sizeof control.space;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&packet);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    ssize_t sent;
    do {
        sent = sendmsg(channel, &packet, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* Keeps the first descriptor and closes any other, so that a confused sender can't fill the table. */
static int take_descriptor(struct msghdr *packet)
{
    int kept = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(packet); part != NULL; part = CMSG_NXTHDR(packet, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (kept < 0) {
                kept = fd;
            } else {
                close(fd);
            }
        }
    }
    return kept;
}

int channel_receive(int channel, struct message *message)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(8 * sizeof(int))];
    } control;
    struct iovec parts[2] = {
        { .iov_base = &message->header, .iov_len = sizeof message->header },
        { .iov_base = message->payload, .iov_len = CHANNEL_PAYLOAD_MAX },
    };
    struct msghdr packet = { .msg_iov = parts, .msg_iovlen = 2, .msg_control = control.space, .msg_controllen = sizeof control };
    ssize_t received;
    do {
        received = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (received < 0 && errno == EINTR);
    if (received < 0) {
        /* A killed daemon that left answers unread shows as a reset. */
        return errno == EAGAIN ? -EAGAIN : 0;
    }
    message->fd = take_descriptor(&packet);
    if (received < (ssize_t)sizeof message->header) {
        if (message->fd >= 0) {
            close(message->fd);
        }
        return 0;
    }
    message->length = (size_t)received - sizeof message->header;
    message->payload[message->length] = '\0';
    return 1;
}
